"""A person's story: events, newest first, grouped into days and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.event_views import EventView

SESSION_GAP: Final = timedelta(minutes=30)


@dataclass(slots=True)
class Session:
    """Events with less than 30 minutes between them, newest first."""

    events: list[EventView] = field(default_factory=list)
    continued: bool = False
    """Its newer part stands on the page before, so it needs no heading of its own."""

    @property
    def started(self) -> datetime:
        return self.events[-1].at

    @property
    def ended(self) -> datetime:
        return self.events[0].at

    @property
    def length(self) -> timedelta:
        return self.ended - self.started

    @property
    def sources(self) -> str:
        return ", ".join(dict.fromkeys(event.source for event in self.events))


@dataclass(slots=True)
class Day:
    title: str
    """Empty when the day's heading stands on the page before."""
    sessions: list[Session] = field(default_factory=list)


def tell(events: Sequence[EventView], l10n: Localisation, now: datetime, *, newer: datetime | None = None) -> list[Day]:
    """Group a page of events. ``newer`` is the time of the last event on the page before, if there was one.

    A session is never cut by midnight: it stands under the day it ended.
    """
    days: list[Day] = []
    before = newer
    shown = l10n.local(newer).date() if newer else None
    for event in events:
        joined = before is not None and before - event.at < SESSION_GAP
        if not days and joined:
            days.append(Day("", [Session(continued=True)]))
        elif not joined:
            ended = l10n.local(event.at).date()
            if not days or ended != shown:
                days.append(Day("" if ended == shown else l10n.day(event.at, now)))
            shown = ended
            days[-1].sessions.append(Session())
        days[-1].sessions[-1].events.append(event)
        before = event.at
    return days
