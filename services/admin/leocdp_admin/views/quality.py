"""Data quality: what did not reach a profile, why, and trying again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from leocdp_admin.application.shapes.administration import CountsShape
from leocdp_admin.application.shapes.events import (
    DeadLettersAsked,
    DeadLetterShape,
    RecentAsked,
    RecentEvent,
    ReplayAsked,
)
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.views.event_views import Fact, pretty, title_of
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import source_name
from leocdp_admin.views.reasons import advice, problem_reason
from leocdp_admin.views.words import OUTCOME_COLOURS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Shown = Literal["dead-lettered", "rejected", "filtered", "duplicate"]
LATEST: Final = 200

FIGURES: Final[dict[Shown, str]] = {
    "dead-lettered": N_("Failed, to try again"),
    "rejected": N_("Refused"),
    "filtered": N_("Left out"),
    "duplicate": N_("Sent twice"),
}
EXPLANATIONS: Final[dict[Shown, str]] = {
    "dead-lettered": N_(
        "Accepted, but processing failed. They are kept, and can be tried again once the cause is mended."
    ),
    "rejected": N_("Turned away at the door with an answer to the sender, because something in them was wrong."),
    "filtered": N_("Received, but rightly not counted, for example of a person who was erased."),
    "duplicate": N_(
        "The same message came more than once and was counted once. That is normal after a bad connection."
    ),
}
EMPTY: Final[dict[Shown, tuple[str, str]]] = {
    "dead-lettered": (
        N_("Nothing has failed"),
        N_("Should processing of an event fail, it waits here until you try it again."),
    ),
    "rejected": (
        N_("Nothing was refused"),
        N_("Should a website send something unreadable, you see it here with the reason."),
    ),
    "filtered": (N_("Nothing was left out"), N_("Every event that was accepted has been counted.")),
    "duplicate": (N_("Nothing was sent twice"), N_("Messages that come more than once are listed here.")),
}


class QualityAsked(DeadLettersAsked):
    outcome: Shown = "dead-lettered"
    waiting: bool = True
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    code: Shown
    label: str
    count: int
    alarm: bool


@dataclass(frozen=True, slots=True)
class ProblemView:
    id: str
    at: datetime
    code: str
    reason: str
    advice: str
    title: str
    source: str
    colour: str
    facts: Sequence[Fact]
    payload: str
    replayed_at: datetime | None = None


@router.get("/events/quality")
async def quality(frame: CurrentFrame, asked: Annotated[QualityAsked, Query()]) -> Response:
    l10n = frame.l10n
    rows, next_ = await _rows(frame, asked)
    counts = await frame.services.overview.counts()
    title, text = EMPTY[asked.outcome]
    return frame.page(
        "quality.html",
        active="quality",
        shown=asked.outcome,
        figures=_figures(counts, frame),
        heading=l10n.gettext(FIGURES[asked.outcome]),
        explanation=l10n.gettext(EXPLANATIONS[asked.outcome]),
        rows=rows,
        reason=asked.reason,
        reason_text=problem_reason(asked.reason, l10n),
        reasons=_reasons(rows, asked),
        next_url=frame.url("/events/quality", outcome=asked.outcome, reason=asked.reason, cursor=next_)
        if next_
        else "",
        empty_title=l10n.gettext(title),
        empty_text=l10n.gettext(text),
    )


@router.post("/events/quality/replay")
async def replay(
    frame: CurrentFrame,
    id_: Annotated[list[str] | None, Form(alias="id")] = None,
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    asked = ReplayAsked.model_validate({"reason": reason} if reason else {"ids": id_ or []})
    await frame.services.dead_letters.replay(frame.actor, asked)
    return frame.go("/events/quality", "replaying")


async def _rows(frame: Frame, asked: QualityAsked) -> tuple[list[ProblemView], str | None]:
    names = await frame.services.sources.names()
    if asked.outcome == "dead-lettered":
        page = await frame.services.dead_letters.list(frame.actor, asked)
        return [_failed(row, names, frame) for row in page.data], page.next
    wanted = RecentAsked(outcome=asked.outcome, limit=LATEST)
    found = await frame.services.events.recent(frame.actor, wanted)
    return [_other(row, names, frame) for row in found if asked.reason in ("", row.reason)], None


def _figures(counts: CountsShape, frame: Frame) -> list[Figure]:
    numbers: dict[Shown, int] = {
        "dead-lettered": counts.dead_letters,
        "rejected": counts.rejected,
        "filtered": counts.filtered,
        "duplicate": counts.duplicates,
    }
    return [
        Figure(code, frame.l10n.gettext(label), numbers[code], code == "dead-lettered" and numbers[code] > 0)
        for code, label in FIGURES.items()
    ]


def _reasons(rows: Sequence[ProblemView], asked: QualityAsked) -> list[tuple[str, str]]:
    """The reasons on this page, to narrow the list; none when there is nothing to choose."""
    found = dict(sorted({row.code: row.reason for row in rows}.items(), key=lambda pair: pair[1]))
    return list(found.items()) if len(found) > 1 or asked.reason else []


def _failed(row: DeadLetterShape, names: dict[str, str], frame: Frame) -> ProblemView:
    l10n = frame.l10n
    place = f"{row.topic} / {row.partition} / {row.offset} / {row.index}"
    facts = [
        (l10n.gettext("Received"), l10n.moment(row.at)),
        (l10n.gettext("Error"), row.error),
        (l10n.gettext("Message number"), row.message_id or ""),
        (l10n.gettext("Place in the event log"), place),
        (l10n.gettext("Tried again"), l10n.moment(row.replayed_at)),
    ]
    return _view(row, row.id, row.at, facts, row.payload, "dead-lettered", names, frame, row.replayed_at)


def _other(row: RecentEvent, names: dict[str, str], frame: Frame) -> ProblemView:
    l10n = frame.l10n
    facts = [
        (l10n.gettext("Received"), l10n.moment(row.received_at)),
        (l10n.gettext("Error"), row.error or ""),
        (l10n.gettext("Message number"), row.message_id or ""),
    ]
    return _view(row, f"{row.outcome}-{row.id}", row.received_at, facts, row.payload or "", row.outcome, names, frame)


def _view(
    row: DeadLetterShape | RecentEvent,
    id_: str,
    at: datetime,
    facts: Sequence[tuple[str, str]],
    payload: str,
    outcome: str,
    names: dict[str, str],
    frame: Frame,
    replayed_at: datetime | None = None,
) -> ProblemView:
    none: dict[str, Any] = {}
    return ProblemView(
        id=id_,
        at=at,
        code=row.reason or "",
        reason=problem_reason(row.reason, frame.l10n),
        advice=advice(row.reason, frame.l10n),
        title=title_of(row.type, row.name, none, frame.l10n) if row.type or row.name else "",
        source=source_name(row.source, names, frame.l10n),
        colour=OUTCOME_COLOURS[outcome],
        facts=[Fact(label, value) for label, value in facts if value],
        payload=pretty(payload),
        replayed_at=replayed_at,
    )
