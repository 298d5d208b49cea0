"""Definitions that members and computed values of people follow from: segments, lists, computed traits, scores.

Their changes are ordered by time: a processor brings people up to the latest change it knows. So no change may have the
time of another one, whatever the clock does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.admin_store import AdminStore, AlreadyExists, AuditEntry, Unknown, VersionMismatch
from leocdp.ports.clock import Clock
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.errors import Changed, Conflict, NotFound
from leocdp_admin.application.settings_in_force import SCORING, SETTINGS_ID, WORKSPACE

SEGMENT: Final = "segment"
LIST: Final = "list"
COMPUTED: Final = "computed_trait"
_KINDS: Final = (SEGMENT, COMPUTED)
_SETTINGS: Final = (SCORING, WORKSPACE)
_NAMES: Final = {SEGMENT: "segment", LIST: "list", COMPUTED: "computed trait"}


class Definitions:
    """Raises Conflict (``…_exists``), Changed, NotFound (``…_not_found``)."""

    def __init__(self, store: AdminStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self, kind: str) -> Sequence[ConfigEntry]:
        return await self._store.entries(kind)

    async def get(self, kind: str, entry_id: str) -> ConfigEntry:
        entry = await self._store.entry(kind, entry_id)
        if entry is None:
            raise NotFound(f"{kind}_not_found", f"There is no {_NAMES[kind]} with this id.")
        return entry

    async def put(
        self,
        actor: Actor,
        action: str,
        kind: str,
        entry_id: str,
        data: Mapping[str, Any],
        *,
        expected: int | None,
        deleted: bool = False,
        unique: str = "name",
    ) -> ConfigEntry:
        now = await self.moment()
        audit: list[AuditEntry] = [actor.did(action, entry_id, at=now)]
        try:
            return await self._store.put_entry(
                kind, entry_id, data, now=now, expected=expected, deleted=deleted, unique=unique, audit=audit
            )
        except VersionMismatch as error:
            raise Changed(error.current) from error
        except AlreadyExists as error:
            raise Conflict(f"{kind}_exists", f"Another {_NAMES[kind]} has this name.") from error
        except Unknown as error:
            raise NotFound(f"{kind}_not_found", f"There is no {_NAMES[kind]} with this id.") from error

    async def moment(self) -> int:
        """Now, or just after the latest change of any definition."""
        latest = 0
        for entry in await self._store.all_entries():
            if entry.kind in _KINDS or (entry.kind in _SETTINGS and entry.id == SETTINGS_ID):
                latest = max(latest, entry.at)
        return max(self._clock.now(), latest + 1)


def guard(entry: ConfigEntry, expected: int | None) -> int:
    """Without a version from the client, what was just read guards: nothing of another writer gets lost between."""
    return entry.version if expected is None else expected
