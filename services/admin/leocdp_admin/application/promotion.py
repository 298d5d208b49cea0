"""When a new version of a segment is computed for everybody, it becomes the one in force."""

from __future__ import annotations

from msgspec import to_builtins
from msgspec.structs import replace

from leocdp.contracts.config_entries import segment_config
from leocdp.kit.logs import get_logger
from leocdp.ports.profile_reader import ProfileReader
from leocdp_admin.application.actor import SYSTEM
from leocdp_admin.application.definitions import SEGMENT, Definitions
from leocdp_admin.application.errors import Changed, NotFound

logger = get_logger(__name__)


class Promotion:
    """Run again and again by the service. Several admins may do so: the version guards."""

    def __init__(self, definitions: Definitions, reader: ProfileReader) -> None:
        self._definitions = definitions
        self._reader = reader

    async def run_once(self) -> int:
        """Returns how many versions came into force. Raises what the stores raise."""
        promoted = 0
        for entry in await self._definitions.all(SEGMENT):
            config = segment_config(entry)
            if config.next is None or config.state != "active":
                continue
            if await self._reader.people_behind(entry.at, most=1):
                continue
            data = to_builtins(replace(config, current=config.next, next=None))
            try:
                await self._definitions.put(SYSTEM, "segment.live", SEGMENT, entry.id, data, expected=entry.version)
            except (Changed, NotFound):
                continue
            logger.info("segment is live", segment=entry.id, version=config.next.version)
            promoted += 1
        return promoted
