"""What a profile shows of segments and scores: which it is in since when, and what gave which points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leocdp.contracts.config_entries import segment_config
from leocdp.domain.profiles.state import Profile
from leocdp.domain.scoring.explain import ExplainedScore, explain_scores
from leocdp.domain.segments.audience import member_key
from leocdp.ports.clock import Clock
from leocdp_admin.application.definitions import SEGMENT, Definitions
from leocdp_admin.application.questions import Questions
from leocdp_admin.application.settings_in_force import SettingsInForce
from leocdp_admin.application.shapes.base import moment, moment_or_none
from leocdp_admin.application.shapes.profiles import ScorePartShape, ScoreShape, SegmentOf, StageOf

DAY_MS: Final = 86_400_000


class Memberships:
    def __init__(self, definitions: Definitions, questions: Questions, settings: SettingsInForce, clock: Clock) -> None:
        self._definitions = definitions
        self._questions = questions
        self._settings = settings
        self._clock = clock

    async def key(self, segment_id: str) -> str | None:
        """Under which members of the version in force are kept; None while there is none. Raises NotFound."""
        config = segment_config(await self._definitions.get(SEGMENT, segment_id))
        return member_key(config.id, config.current.version) if config.current else None

    async def scores(self, profile: Profile, language: str) -> Sequence[ScoreShape]:
        """As they stand now, with what gave which points."""
        scoring = await self._settings.scoring()
        kept = profile.audience.scores if profile.audience else {}
        return [_score(one, language) for one in explain_scores(kept, scoring, self._clock.now())]

    async def stage(self, profile: Profile, language: str) -> StageOf | None:
        found = (await self._settings.scoring()).stage(profile.audience.stage if profile.audience else "")
        return None if found is None else StageOf(id=found.id, name=found.label.told(language))

    async def of(self, profile: Profile) -> Sequence[SegmentOf]:
        """By name."""
        members = profile.audience.members if profile.audience else {}
        if not members:
            return ()
        names = {entry.id: str(entry.data["name"]) for entry in await self._definitions.all(SEGMENT)}
        versions = await self._questions.versions()
        found = [
            SegmentOf(id=one, name=names[one], entered_at=moment(members[key]))
            for one, version in versions.items()
            if (key := member_key(one, version)) in members
        ]
        return sorted(found, key=lambda each: (each.name.casefold(), each.id))


def _score(found: ExplainedScore, language: str) -> ScoreShape:
    return ScoreShape(
        score=found.score,
        value=round(found.value, 2),
        half_life_days=None if found.half_life is None else found.half_life / DAY_MS,
        parts=[
            ScorePartShape(
                id=part.id,
                name=part.label.told(language),
                value=round(part.value, 2),
                count=part.count,
                latest_at=moment_or_none(part.at),
            )
            for part in found.parts
        ],
    )
