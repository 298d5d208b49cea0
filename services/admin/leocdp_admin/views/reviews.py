"""Pairs that may be one person: a person decides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from leocdp_admin.application.errors import NotFound
from leocdp_admin.application.shapes.identity import ReviewsAsked, ReviewShape
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import PersonView, called, person_view
from leocdp_admin.views.profile_actions import after
from leocdp_admin.views.reasons import review_reason
from leocdp_admin.views.words import kind_name

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE: Final = 15
"""Two profiles are read for each pair."""
STATES: Final = {"open": N_("To decide"), "rejected": N_("Kept apart"), "merged": N_("Merged")}


class PairsAsked(ReviewsAsked):
    limit: int = PAGE
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    id: str
    who: PersonView
    events: int | None


@dataclass(frozen=True, slots=True)
class Pair:
    id: str
    at: datetime
    left: Side
    right: Side
    both: str
    """What connects them, such as *E-mail lan@example.vn*; empty when it is not one thing."""
    why: str
    state: str


@router.get("/reviews")
async def reviews(frame: CurrentFrame, asked: Annotated[PairsAsked, Query()]) -> Response:
    page = await frame.services.reviews.list(frame.actor, asked)
    sides = await _sides(frame, page.data)
    return frame.page(
        "reviews.html",
        active="reviews",
        asked=asked,
        states=[(code, frame.l10n.gettext(text)) for code, text in STATES.items()],
        pairs=[_pair(frame, row, sides) for row in page.data],
        next_url=frame.url("/reviews", state=asked.state, cursor=page.next) if page.next else "",
    )


@router.post("/reviews/{review_id}/merge")
async def merge(
    frame: CurrentFrame, review_id: str, left: Annotated[str, Form()], right: Annotated[str, Form()]
) -> Response:
    """The processor marks the pair as merged; the form names the two, so that what was seen is what is merged."""
    done = await frame.services.profiles.merge(frame.actor, left, right)
    survivor = str((done.result or {}).get("into", left))
    return after(frame, done, f"/profiles/{survivor}", "merged")


@router.post("/reviews/{review_id}/reject")
async def reject(frame: CurrentFrame, review_id: str) -> Response:
    return after(frame, await frame.services.reviews.dismiss(frame.actor, review_id), "/reviews", "kept_apart")


@router.post("/reviews/{review_id}/reopen")
async def reopen(frame: CurrentFrame, review_id: str) -> Response:
    return after(frame, await frame.services.reviews.reopen(frame.actor, review_id), "/reviews", "reopened")


async def _sides(frame: Frame, rows: Sequence[ReviewShape]) -> dict[str, Side]:
    ids = sorted({profile_id for row in rows for profile_id in (row.left, row.right)})
    found = await asyncio.gather(*(_side(frame, profile_id) for profile_id in ids))
    return dict(zip(ids, found, strict=True))


async def _side(frame: Frame, profile_id: str) -> Side:
    try:
        profile = await frame.services.profiles.get(frame.actor, profile_id)
    except NotFound:
        # Erased since; the pair is shown with what is left.
        nobody = PersonView(called("", (), profile_id, frame.l10n), "", ())
        return Side(profile_id, nobody, None)
    return Side(profile.id, person_view(profile, frame.l10n), profile.events.total)


def _pair(frame: Frame, row: ReviewShape, sides: dict[str, Side]) -> Pair:
    l10n = frame.l10n
    both = f"{kind_name(row.identifier.kind, l10n)} {row.identifier.value}" if row.identifier else ""
    return Pair(row.id, row.at, sides[row.left], sides[row.right], both, review_reason(row.reason, l10n), row.state)
