"""What a profile shows of segments: which it is in, and since when."""

from __future__ import annotations

from collections.abc import Sequence

from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import member_key
from leocdp_admin.application.definitions import SEGMENT, Definitions
from leocdp_admin.application.questions import Questions
from leocdp_admin.application.shapes.base import moment
from leocdp_admin.application.shapes.profiles import SegmentOf


class Memberships:
    def __init__(self, definitions: Definitions, questions: Questions) -> None:
        self._definitions = definitions
        self._questions = questions

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
