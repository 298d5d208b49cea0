"""What processing could not apply, and putting it back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from leocdp.domain.errors import Problem
from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import Page, ProblemEvent, ProfileReader
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.commands import Commands
from leocdp_admin.application.errors import NotFound, Unacceptable
from leocdp_admin.application.event_shape import dead_letter_shape
from leocdp_admin.application.masking import masked
from leocdp_admin.application.shapes.administration import CommandShape
from leocdp_admin.application.shapes.base import ListOf, to_ms
from leocdp_admin.application.shapes.events import DeadLettersAsked, DeadLetterShape, ReplayAsked
from leocdp_admin.application.trail import AuditTrail

MOST_REPLAYED = 10_000
_PAGE = 200


class DeadLetters:
    def __init__(self, reader: ProfileReader, commands: Commands, trail: AuditTrail, clock: Clock) -> None:
        self._reader = reader
        self._commands = commands
        self._trail = trail
        self._clock = clock

    async def list(self, actor: Actor, asked: DeadLettersAsked) -> ListOf[DeadLetterShape]:
        """Newest first. Viewers see neither payload nor error text, which may hold what was sent."""
        actor.require("events:read")
        page = await self._page(asked)
        await self._trail.record(actor.did("dead_letter.list", at=self._clock.now(), count=len(page.data)))
        rows = [dead_letter_shape(problem) for problem in page.data]
        if actor.masked:
            rows = [masked(row.model_copy(update={"payload": "", "error": ""}), actor) for row in rows]
        return ListOf[DeadLetterShape](data=rows, next=page.next)

    async def replay(self, actor: Actor, asked: ReplayAsked) -> CommandShape:
        """Ask the processor to append them again: the given ones, or all that match, at most 10,000 at a time.

        Raises NotFound (``dead_letters_not_found``) when nothing matches, Unacceptable when nothing is asked for.
        """
        actor.require("events:write", "admin")
        ids = asked.ids if asked.ids is not None else await self._matching(asked)
        if not ids:
            raise NotFound("dead_letters_not_found", "No waiting dead letter matches.")
        return await self._commands.hand_over(actor, "replay", {"ids": list(ids)}, action="dead_letter.replay")

    async def _page(self, asked: DeadLettersAsked) -> Page[ProblemEvent]:
        """One page; with ``waiting`` pages are read on until it has a row, so that no page is empty without need."""
        cursor = asked.cursor
        while True:
            page = await self._reader.problem_events(
                outcome="dead-lettered", reason=asked.reason, source=asked.source, limit=asked.limit, cursor=cursor
            )
            rows = [row for row in page.data if not asked.waiting or row.replayed_at is None]
            if rows or page.next is None:
                return Page(rows, page.next)
            cursor = page.next

    async def _matching(self, asked: ReplayAsked) -> Sequence[str]:
        if asked.reason is None and asked.from_ is None and asked.to is None:
            raise Unacceptable([Problem("", "name ids, or any of reason, from and to")])
        since = None if asked.from_ is None else to_ms(asked.from_)
        until = None if asked.to is None else to_ms(asked.to)
        found: list[str] = []
        async for row in self._newest_first(asked.reason or ""):
            if since is not None and row.at < since:
                break
            if row.replayed_at is None and (until is None or row.at < until):
                found.append(row.id)
        # Oldest first, so that what came first is applied first; the rest is for the next call.
        return found[::-1][:MOST_REPLAYED]

    async def _newest_first(self, reason: str) -> AsyncIterator[ProblemEvent]:
        cursor: str | None = None
        while True:
            page = await self._reader.problem_events(outcome="dead-lettered", reason=reason, limit=_PAGE, cursor=cursor)
            for row in page.data:
                yield row
            if page.next is None:
                return
            cursor = page.next
