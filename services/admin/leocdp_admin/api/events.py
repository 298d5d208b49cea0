"""``/api/v1/events`` and ``/api/v1/dead-letters``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from leocdp_admin.api.errors import errors
from leocdp_admin.api.request_parts import MessageId
from leocdp_admin.application.shapes.administration import Accepted
from leocdp_admin.application.shapes.base import Asked, ListOf
from leocdp_admin.application.shapes.events import (
    CatalogueRow,
    DeadLettersAsked,
    DeadLetterShape,
    EventOutcome,
    RecentAsked,
    RecentEvent,
    ReplayAsked,
    StreamAsked,
)
from leocdp_admin.auth.current import CurrentActor, CurrentServices

router = APIRouter(tags=["events"])

QUIET_ROUNDS = 30
"""After so many rounds without an event a comment goes out, so that nobody between closes a silent connection."""


class SourceAsked(Asked):
    source: str = Query("", max_length=200, description="Id of the source; left out: any.")


@router.get("/events/recent", responses=errors())
async def list_recent_events(
    asked: Annotated[RecentAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[RecentEvent]:
    """What came in lately, newest first, accepted or not."""
    return ListOf[RecentEvent](data=await services.events.recent(actor, asked), next=None)


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: each an event object with `outcome`. `Last-Event-ID` goes on from there.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/events/stream", response_class=StreamingResponse, responses={**_STREAM, **errors()})
async def stream_events(
    asked: Annotated[StreamAsked, Query()],
    actor: CurrentActor,
    services: CurrentServices,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """What comes in from now on, as it comes."""
    rounds = services.events.stream(actor, asked, services.stopping, after=last_event_id)
    first = await anext(rounds)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_lines(first, rounds), media_type="text/event-stream", headers=headers)


async def _lines(
    first: tuple[Sequence[RecentEvent], str], rounds: AsyncIterator[tuple[Sequence[RecentEvent], str]]
) -> AsyncIterator[str]:
    yield ": ready\n\n"
    quiet = 0
    for text in _messages(*first):
        yield text
    async for rows, place in rounds:
        quiet = 0 if rows else quiet + 1
        for text in _messages(rows, place):
            yield text
        if quiet == QUIET_ROUNDS:
            quiet = 0
            yield ": quiet\n\n"


def _messages(rows: Sequence[RecentEvent], place: str) -> list[str]:
    """Only the last one of a round has the place: a client that goes on after it has missed nothing."""
    texts = [f"data: {row.model_dump_json()}\n\n" for row in rows]
    return [*texts[:-1], f"id: {place}\n{texts[-1]}"] if texts else []


@router.get("/events/catalogue", responses=errors())
async def list_event_names(actor: CurrentActor, services: CurrentServices) -> ListOf[CatalogueRow]:
    """Every event name received, with its properties and their types."""
    return ListOf[CatalogueRow](data=await services.events.catalogue(actor), next=None)


@router.get("/events/{message_id}", responses=errors(404))
async def get_event(
    message_id: MessageId, asked: Annotated[SourceAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> EventOutcome:
    """Is a message applied yet, and where? 404 as long as it has no outcome."""
    return await services.events.by_message(actor, message_id, asked.source)


@router.get("/dead-letters", responses=errors())
async def list_dead_letters(
    asked: Annotated[DeadLettersAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[DeadLetterShape]:
    """What processing could not apply, newest first."""
    return await services.dead_letters.list(actor, asked)


@router.post("/dead-letters/replay", status_code=202, responses=errors(404))
async def replay_dead_letters(asked: ReplayAsked, actor: CurrentActor, services: CurrentServices) -> Accepted:
    """Put them back: by `ids`, or all that match `reason`, `from` and `to`, at most 10,000 at a time."""
    command = await services.dead_letters.replay(actor, asked)
    return Accepted(command_id=command.id)
