"""The home page: how many people, what is happening, where it comes from, is all well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from leocdp.ports.profile_reader import Bucket
from leocdp.ports.profile_store import StoreUnavailable
from leocdp_admin.application.overview import Home
from leocdp_admin.application.shapes.administration import CountsShape
from leocdp_admin.views.charts import day_chart, per_day, per_hour_today, spark_chart
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.health import health_signs, state_sign
from leocdp_admin.views.page_route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

DAYS = 30
QUICKSTART = "quickstart"
"""The source that every installation begins with."""


@dataclass(frozen=True, slots=True)
class Bar:
    key: str
    name: str
    count: int
    url: str = ""


@router.get("/")
async def home(frame: CurrentFrame) -> Response:
    names = await frame.services.sources.names()
    try:
        seen = await frame.services.overview.home(frame.actor)
    except StoreUnavailable:
        if names.keys() - {QUICKSTART}:
            raise
        # Nothing was connected yet, and no processor has made the store.
        seen = None
    if seen is None or seen.counts.events == 0:
        return frame.page("home.html", active="home", fresh=True)
    pulse = await _pulse(frame, seen.counts, seen.events_by_hour, seen.lag)
    return frame.page("home.html", active="home", fresh=False, **pulse, **_pictures(frame, seen), **_bars(seen, names))


@router.get("/home/pulse")
async def pulse(frame: CurrentFrame) -> Response:
    now = await frame.services.overview.pulse(frame.actor)
    return frame.part("home_pulse.html", **await _pulse(frame, now.counts, now.events_by_hour, now.lag))


async def _pulse(frame: Frame, counts: CountsShape, events: Sequence[Bucket], lag: int | None) -> dict[str, Any]:
    l10n = frame.l10n
    hours = per_hour_today(events, l10n, frame.now)
    today = sum(hours.values())
    health = await frame.services.watch.health()
    return {
        "counts": counts,
        "known_share": counts.identified / counts.people if counts.people else 0.0,
        "events_today": today,
        "spark": spark_chart(l10n, l10n.gettext("Events"), hours),
        "spark_summary": l10n.gettext("Events per hour today, %(num)s in all") % {"num": l10n.number(today)},
        "health": [state_sign(health.state, l10n), *health_signs(lag, counts, l10n)],
    }


def _pictures(frame: Frame, seen: Home) -> dict[str, Any]:
    l10n, now = frame.l10n, frame.now
    new, known, events = (
        per_day(buckets, l10n, now, DAYS)
        for buckets in (seen.profiles_by_hour, seen.identified_by_hour, seen.events_by_hour)
    )
    named = [(l10n.gettext("New profiles"), new), (l10n.gettext("Became known"), known)]
    summary = {"new": l10n.number(sum(new.values())), "known": l10n.number(sum(known.values()))}
    return {
        "growth_chart": day_chart("lines", l10n, named),
        "growth_summary": l10n.gettext("%(new)s new profiles in 30 days, %(known)s became known") % summary,
        "events_chart": day_chart("bars", l10n, [(l10n.gettext("Events"), events)]),
        "events_summary": l10n.gettext("%(num)s events in 30 days") % {"num": l10n.number(sum(events.values()))},
    }


def _bars(seen: Home, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "top_names": [Bar(name, name, count) for name, count in seen.top_events[:8]],
        "top_sources": [
            Bar(source, names.get(source, source), count, f"/sources/{source}" if source in names else "")
            for source, count in seen.top_sources[:8]
        ],
    }
