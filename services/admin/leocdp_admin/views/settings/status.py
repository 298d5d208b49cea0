"""System status, for everybody who is logged in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from leocdp_admin.application.shapes.administration import StatusShape
from leocdp_admin.views.event_views import Fact
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.health import health_signs
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.settings.areas import area_page

router = APIRouter(prefix="/settings/status", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class TopicView:
    name: str
    text: str


@router.get("")
async def status(frame: CurrentFrame) -> Response:
    found = await frame.services.status.get(frame.actor)
    return area_page(
        frame,
        "status",
        status=200,
        found=found,
        health=health_signs(found.lag, found.counts, frame.l10n),
        numbers=_numbers(found, frame),
        topics=_topics(found, frame),
    )


def _numbers(found: StatusShape, frame: Frame) -> list[Fact]:
    l10n, counts = frame.l10n, found.counts
    named = [
        (l10n.gettext("People"), counts.people),
        (l10n.gettext("of them known"), counts.identified),
        (l10n.gettext("Profiles before merging"), counts.profiles),
        (l10n.gettext("Events"), counts.events),
        (l10n.gettext("Sent twice"), counts.duplicates),
        (l10n.gettext("Left out"), counts.filtered),
        (l10n.gettext("Refused"), counts.rejected),
        (l10n.gettext("Failed, to try again"), counts.dead_letters),
    ]
    return [Fact(label, l10n.number(value)) for label, value in named]


def _topics(found: StatusShape, frame: Frame) -> list[TopicView]:
    """One line per topic: partitions matter to nobody who reads this page."""
    ends: dict[str, int] = defaultdict(int)
    lags: dict[str, int] = defaultdict(int)
    for row in found.log:
        ends[row.topic] += row.end
        lags[row.topic] += row.lag
    l10n = frame.l10n
    return [
        TopicView(
            topic,
            l10n.gettext("%(end)s records, %(lag)s waiting")
            % {"end": l10n.number(end), "lag": l10n.number(lags[topic])},
        )
        for topic, end in ends.items()
    ]
