"""Events as they come in: recent ones, and a stream that follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from leocdp.ports.profile_reader import ProblemEvent, ProfileReader, StoredEvent
from leocdp_admin.application.event_shape import recent_applied, recent_problem
from leocdp_admin.application.shapes.events import RecentEvent

LOOK_AT = 200


@dataclass(frozen=True, slots=True)
class Place:
    """How far a stream has come, in applied events and in problem events; also the id of a server-sent event."""

    applied: int
    problems: int

    def __str__(self) -> str:
        return f"{self.applied}.{self.problems}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        applied, dot, problems = text.partition(".")
        if not dot or not (applied.isascii() and applied.isdigit() and problems.isascii() and problems.isdigit()):
            return None
        return cls(int(applied), int(problems))


@dataclass(frozen=True, slots=True)
class Wanted:
    outcome: str = ""
    source: str = ""
    name: str = ""

    @property
    def applied(self) -> bool:
        return self.outcome in ("", "applied")

    @property
    def problems(self) -> bool:
        return self.outcome != "applied"

    def fits(self, source: str | None, name: str | None) -> bool:
        return self.source in ("", source) and self.name in ("", name)

    def takes(self, problem: ProblemEvent) -> bool:
        return self.outcome in ("", problem.outcome) and self.fits(problem.source, problem.name)


class LiveEvents:
    def __init__(self, reader: ProfileReader) -> None:
        self._reader = reader

    async def recent(self, wanted: Wanted, limit: int) -> list[RecentEvent]:
        """Newest arrivals first."""
        applied = (
            await self._reader.recent_events(source=wanted.source, name=wanted.name, limit=limit)
            if wanted.applied
            else []
        )
        problems = await self._problems(wanted, limit=limit) if wanted.problems else []
        rows = await self._rows([event for _, event in applied], problems)
        rows.sort(key=lambda row: row.received_at, reverse=True)
        return rows[:limit]

    async def end(self) -> Place:
        """Where a stream begins that shows only what comes from now on."""
        newest = await self._reader.recent_events(limit=1)
        problems = await self._reader.problem_events(limit=1)
        return Place(newest[0][0] if newest else 0, int(problems.data[0].id) if problems.data else 0)

    async def after(self, place: Place, wanted: Wanted) -> tuple[list[RecentEvent], Place]:
        """What came after a place, oldest first, and the next place. A burst beyond 200 shows its newest."""
        applied = await self._reader.recent_events(after=place.applied, limit=LOOK_AT)
        problems = (await self._reader.problem_events(after=place.problems, limit=LOOK_AT)).data
        moved = Place(
            max([place.applied, *(sequence for sequence, _ in applied)]),
            max([place.problems, *(int(problem.id) for problem in problems)]),
        )
        rows = await self._rows(
            # Newest first as they come; sorting is stable, so arrivals of one millisecond keep their order.
            [event for _, event in reversed(applied) if wanted.applied and wanted.fits(event.source, event.name)],
            [problem for problem in reversed(problems) if wanted.takes(problem)],
        )
        rows.sort(key=lambda row: row.received_at)
        return rows, moved

    async def follow(
        self, place: Place, wanted: Wanted, stopping: asyncio.Event, *, every: float
    ) -> AsyncIterator[tuple[list[RecentEvent], Place]]:
        """Until ``stopping``; an empty list when nothing came in a round."""
        while not stopping.is_set():
            rows, place = await self.after(place, wanted)
            yield rows, place
            try:
                async with asyncio.timeout(every):
                    await stopping.wait()
            except TimeoutError:
                continue

    async def roots(self, leaves: Sequence[str | None]) -> dict[str, str]:
        """Leaf → the root it belongs to now."""
        wanted = sorted({leaf for leaf in leaves if leaf})
        found = await asyncio.gather(*(self._reader.find(leaf) for leaf in wanted))
        return {leaf: root.id for leaf, root in zip(wanted, found, strict=True) if root is not None}

    async def _problems(self, wanted: Wanted, limit: int) -> list[ProblemEvent]:
        page = await self._reader.problem_events(
            outcome=wanted.outcome, source=wanted.source, limit=LOOK_AT if wanted.name else limit
        )
        return [problem for problem in page.data if wanted.takes(problem)][:limit]

    async def _rows(self, applied: Sequence[StoredEvent], problems: Sequence[ProblemEvent]) -> list[RecentEvent]:
        roots = await self.roots([event.leaf for event in applied])
        rows = [recent_applied(event, roots.get(event.leaf or "", event.leaf)) for event in applied]
        return rows + [recent_problem(problem) for problem in problems]
