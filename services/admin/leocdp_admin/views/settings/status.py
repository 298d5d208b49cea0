"""How the installation is, for everybody who is logged in: each part with a state, a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from leocdp_admin.application.health.findings import AREAS, Area, Finding, State
from leocdp_admin.application.health.readings import Target
from leocdp_admin.application.health.recent import LastHeard, Recent
from leocdp_admin.application.health.watch import Health
from leocdp_admin.application.health.words import AREA_NAMES, STATE_NAMES, SUMMARIES, Said, say
from leocdp_admin.application.shapes.base import moment, moment_or_none
from leocdp_admin.application.status import counts_shape
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.charts import hour_chart, last_hours
from leocdp_admin.views.event_views import Fact
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.health import COLOURS
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.reasons import problem_reason
from leocdp_admin.views.settings.areas import area_page

router = APIRouter(prefix="/settings/status", route_class=PageRoute, include_in_schema=False)

ICONS: Final[dict[State, str]] = {
    "ok": "circle-check",
    "unknown": "circle-dashed",
    "warning": "alert-triangle",
    "critical": "alert-circle",
}
SOURCES: Final = 8
"""Shown here; the others are on their own page."""


@dataclass(frozen=True, slots=True)
class Line:
    check: str
    look: State
    said: Said


@dataclass(frozen=True, slots=True)
class AreaView:
    key: Area
    title: str
    look: State
    state: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class ServiceView:
    name: str
    where: str
    version: str
    look: State
    state: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class SourceView:
    id: str
    name: str
    at: datetime | None


@router.get("")
async def status(frame: CurrentFrame) -> Response:
    return area_page(frame, "status", **await _shown(frame))


@router.get("/now")
async def now(frame: CurrentFrame) -> Response:
    """The same, for the page that shows it already."""
    return frame.part("settings_status_now.html", **await _shown(frame))


async def _shown(frame: Frame) -> dict[str, Any]:
    health = await frame.services.watch.health()
    recent = await frame.services.recently.get()
    l10n = frame.l10n
    return {
        "state": health.state,
        "state_name": l10n.gettext(STATE_NAMES[health.state]),
        "summary": l10n.gettext(SUMMARIES[health.state]),
        "checked_at": moment(health.now.at),
        "colours": COLOURS,
        "icons": ICONS,
        "areas_of_health": [_area(area, health, frame) for area in AREAS],
        "per_minute": _rate(health.per_minute, l10n),
        "services_found": _services(health, frame),
        "numbers": _numbers(health, recent, frame),
        **_day(recent, frame),
    }


def _rate(per_minute: float | None, l10n: Localisation) -> str:
    """Empty while it is not known."""
    if per_minute is None:
        return ""
    return l10n.number(round(per_minute, 1) if per_minute < 10 else round(per_minute))


def _area(area: Area, health: Health, frame: Frame) -> AreaView:
    l10n, look = frame.l10n, health.area_state(area)
    lines = [_line(finding, frame) for finding in health.findings[area]]
    return AreaView(area, l10n.gettext(AREA_NAMES[area]), look, l10n.gettext(STATE_NAMES[look]), lines)


def _line(finding: Finding, frame: Frame) -> Line:
    said = say(finding, frame.l10n, lambda code: problem_reason(code, frame.l10n))
    return Line(finding.check, finding.state, said)


def _services(health: Health, frame: Frame) -> Sequence[ServiceView]:
    return [_service(target, frame) for target in health.now.targets]


def _service(target: Target, frame: Frame) -> ServiceView:
    gettext = frame.l10n.gettext
    if not target.reachable:
        return ServiceView(target.service, target.address, "", "critical", gettext("Not reachable"), ())
    look: State = "ok" if target.ready else "warning"
    state = gettext("Ready") if target.ready else gettext("Not ready")
    return ServiceView(target.service, target.instance, target.version, look, state, target.reasons)


def _numbers(health: Health, recent: Recent | None, frame: Frame) -> list[Fact]:
    """How much there is, and how much of it came in the last day."""
    if health.now.stored is None:
        return []
    l10n, counts = frame.l10n, counts_shape(health.now.stored.counts)
    named = [
        (l10n.gettext("People"), l10n.number(counts.people)),
        (l10n.gettext("Profiles before merging"), l10n.number(counts.profiles)),
        (l10n.gettext("Events"), l10n.number(counts.events)),
        (l10n.gettext("Sent twice"), l10n.number(counts.duplicates)),
    ]
    if recent is not None:
        new = sum(last_hours(recent.profiles_by_hour, l10n, frame.now, 24).values())
        named.insert(2, (l10n.gettext("New profiles in 24 hours"), l10n.number(new)))
    return [Fact(label, value) for label, value in named]


def _day(recent: Recent | None, frame: Frame) -> dict[str, Any]:
    if recent is None:
        return {"day_chart": None, "sources": [], "more_sources": 0}
    l10n = frame.l10n
    hours = last_hours(recent.events_by_hour, l10n, frame.now, 24)
    summary = l10n.gettext("Events of the last 24 hours: %(num)s") % {"num": l10n.number(sum(hours.values()))}
    return {
        "day_chart": hour_chart(l10n, l10n.gettext("Events"), hours),
        "day_summary": summary,
        "sources": [_source(one) for one in recent.sources[:SOURCES]],
        "more_sources": max(len(recent.sources) - SOURCES, 0),
    }


def _source(one: LastHeard) -> SourceView:
    return SourceView(one.source, one.name, moment_or_none(one.at))
