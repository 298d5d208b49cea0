"""The members of a deleted list leave it, when nothing looks at it any more."""

from __future__ import annotations

from collections.abc import Sequence

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.domain.segments.audience import list_label
from leocdp.kit.logs import get_logger
from leocdp.ports.admin_store import AdminStore
from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import ProfileQuery, ProfileReader
from leocdp_admin.application.actor import SYSTEM
from leocdp_admin.application.commands import Commands
from leocdp_admin.application.definitions import LIST, SEGMENT

logger = get_logger(__name__)


class DroppedLists:
    """Run again and again by the service, beside the promotion of segments."""

    def __init__(self, store: AdminStore, reader: ProfileReader, commands: Commands, clock: Clock) -> None:
        self._store = store
        self._reader = reader
        self._commands = commands
        self._clock = clock
        self._empty: set[str] = set()
        """Lists with which there is nothing to do any more, as far as this process knows."""
        self._issued: dict[str, str] = {}
        """List → the command whose outcome is not known yet, so that nothing piles up for a processor that is away."""

    async def run_once(self) -> int:
        """Returns how many lists have lost their last members. Raises what the stores and the log raise."""
        entries = await self._store.all_entries()
        waiting = [one.id for one in entries if one.kind == LIST and one.deleted and one.id not in self._empty]
        if not waiting or not await self._processors_know(entries):
            return 0
        return sum([await self._drop(one) for one in waiting])

    async def _processors_know(self, entries: Sequence[ConfigEntry]) -> bool:
        """Segments that referred to the list are broken and keep their members: a processor that has not heard of it
        would take them out. When nobody is behind the latest change all of them have."""
        latest = max((one.at for one in entries if one.kind == SEGMENT), default=0)
        return await self._reader.people_behind(latest, most=1) == 0

    async def _drop(self, list_id: str) -> bool:
        """A page of people per command, until there are no more; what is not done now is done the next time."""
        dropped = False
        while await self._has_members(list_id):
            command_id = self._issued.get(list_id) or await self._issue(list_id)
            outcome = await self._commands.outcome(command_id)
            if outcome is None:
                return False
            del self._issued[list_id]
            if outcome.state == "refused":
                logger.error("the members of a deleted list stay on it", list=list_id, reason=outcome.reason)
                break
            dropped = True
        self._empty.add(list_id)
        if dropped:
            logger.info("the members of a deleted list have left it", list=list_id)
        return dropped

    async def _has_members(self, list_id: str) -> bool:
        return bool((await self._reader.search(ProfileQuery(label=list_label(list_id), limit=1))).data)

    async def _issue(self, list_id: str) -> str:
        entry = SYSTEM.did("list.drop", list_id, at=self._clock.now())
        command_id = await self._commands.issue(SYSTEM, "list_drop", {"list": list_id}, entry)
        self._issued[list_id] = command_id
        return command_id
