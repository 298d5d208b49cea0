"""Conditions as questions to the profile store: with the time zone, the segments and the half-lives of now."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from leocdp.contracts.config_entries import segment_config
from leocdp.domain.segments.nodes import Node
from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import Question
from leocdp_admin.application.definitions import SEGMENT, Definitions
from leocdp_admin.application.settings_in_force import SettingsInForce


class Questions:
    def __init__(self, definitions: Definitions, settings: SettingsInForce, clock: Clock) -> None:
        self._definitions = definitions
        self._settings = settings
        self._clock = clock

    async def ask(self, condition: Node) -> Question:
        return Question(
            condition,
            self._clock.now(),
            await self.zone(),
            await self.versions(),
            (await self._settings.scoring()).half_lives,
        )

    async def zone(self) -> ZoneInfo:
        return ZoneInfo((await self._settings.workspace()).time_zone)

    async def versions(self) -> dict[str, int]:
        """Segment id → version in force. Archived segments have no members."""
        found = map(segment_config, await self._definitions.all(SEGMENT))
        return {one.id: one.current.version for one in found if one.current and one.state != "archived"}
