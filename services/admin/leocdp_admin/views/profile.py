"""One person: their story, and how we know that it is they."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from leocdp_admin.application.shapes.base import moment, to_ms
from leocdp_admin.application.shapes.profiles import ProfileEventsAsked, ProfileShape
from leocdp_admin.views.event_views import event_view
from leocdp_admin.views.frame import HEADERS, CurrentFrame, Frame
from leocdp_admin.views.identity_views import identity_view
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import consent_views, person_view, source_name, top_events, trait_views
from leocdp_admin.views.story import Day, tell
from leocdp_admin.views.words import SCORES, TYPES, word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_NAMES = 100


class StoryAsked(ProfileEventsAsked):
    """What the address of a story may hold; ``after`` is the time (ms) of the last event of the page before."""

    lang: str = ""
    after: int | None = None


@router.get("/profiles/{profile_id}")
async def story(frame: CurrentFrame, profile_id: str, asked: Annotated[StoryAsked, Query()]) -> Response:
    profile, names = await _profile(frame, profile_id)
    if profile.id != profile_id:
        return _survivor(profile)
    days, next_url = await _story(frame, profile, asked, names)
    context: dict[str, Any] = {
        "days": days,
        "next_url": next_url,
        "filtered": bool(asked.type or asked.name),
        "profile_id": profile.id,
        "asked": asked,
        "types": [(code, word(TYPES, code, frame.l10n)) for code in TYPES],
        "event_names": [name for name, _ in top_events(profile.events.by_name, MOST_NAMES)],
    }
    if frame.wants_part():
        return frame.part("profile_part.html", **context)
    return frame.page("profile.html", active="profiles", tab="story", **await _head(frame, profile, names), **context)


@router.get("/profiles/{profile_id}/identity")
async def identity(frame: CurrentFrame, profile_id: str) -> Response:
    profile, names = await _profile(frame, profile_id)
    if profile.id != profile_id:
        return _survivor(profile, "/identity")
    found = await frame.services.profiles.identity(frame.actor, profile.id)
    view = identity_view(found, names, frame.l10n, frame.now)
    return frame.page(
        "profile_identity.html", active="profiles", tab="identity", identity=view, **await _head(frame, profile, names)
    )


@router.get("/profiles/{profile_id}/because")
async def because(frame: CurrentFrame, profile_id: str, message: str, source: str = "") -> Response:
    """The event that brought an identifier, shown where it is asked for."""
    found = await frame.services.events.by_message(frame.actor, message, source)
    if found.event is None:
        return frame.part("profile_because.html", event=None)
    names = await frame.services.sources.names()
    name = source_name(found.event.source, names, frame.l10n)
    return frame.part(
        "profile_because.html", event=event_view(found.event, name, frame.l10n, raw=not frame.actor.masked)
    )


@router.get("/profiles/{profile_id}/scores")
async def scores(frame: CurrentFrame, profile_id: str) -> Response:
    profile, names = await _profile(frame, profile_id)
    if profile.id != profile_id:
        return _survivor(profile, "/scores")
    found = await frame.services.profiles.scores(frame.actor, profile.id)
    named = [(word(SCORES, one.score, frame.l10n), one) for one in found.scores]
    return frame.page(
        "profile_scores.html",
        active="profiles",
        tab="scores",
        stage=found.stage,
        scores=named,
        **await _head(frame, profile, names),
    )


async def _profile(frame: Frame, profile_id: str) -> tuple[ProfileShape, Mapping[str, str]]:
    profile, names = await asyncio.gather(
        frame.services.profiles.get(frame.actor, profile_id, provenance=True), frame.services.sources.names()
    )
    return profile, names


async def _story(
    frame: Frame, profile: ProfileShape, asked: StoryAsked, names: Mapping[str, str]
) -> tuple[list[Day], str]:
    page = await frame.services.profiles.events(frame.actor, profile.id, asked)
    raw = not frame.actor.masked
    views = [event_view(e, source_name(e.source, names, frame.l10n), frame.l10n, raw=raw) for e in page.data]
    days = tell(views, frame.l10n, frame.now, newer=_newer(asked))
    if not page.next or not views:
        return days, ""
    url = frame.url(
        f"/profiles/{profile.id}",
        type=asked.type,
        name=asked.name,
        cursor=page.next,
        after=str(to_ms(views[-1].at)),
    )
    return days, url


def _newer(asked: StoryAsked) -> datetime | None:
    return moment(asked.after) if asked.after is not None and asked.cursor else None


async def _head(frame: Frame, profile: ProfileShape, names: Mapping[str, str]) -> dict[str, Any]:
    purposes = await frame.services.in_force.purpose_names()
    return {
        "profile": profile,
        "who": person_view(profile, frame.l10n),
        "traits": trait_views(profile, names, frame.l10n, frame.now),
        "consents": consent_views(profile, names, purposes, frame.l10n, frame.now),
        "top_events": top_events(profile.events.by_name),
    }


def _survivor(profile: ProfileShape, part: str = "") -> Response:
    """A profile that was merged away leads to the one it became part of."""
    return RedirectResponse(f"/profiles/{profile.id}{part}", 303, headers=HEADERS)
