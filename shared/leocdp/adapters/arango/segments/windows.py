"""When events count, as comparisons of their time (ms) with bound numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from leocdp.adapters.arango.segments.answers import Names
from leocdp.domain.segments.nodes import Regularity, Span
from leocdp.domain.segments.subject import Setting
from leocdp.domain.segments.time_rules import bounds_of, period_of, period_start


@dataclass(frozen=True, slots=True)
class Window:
    """Times from ``start`` on and before ``end``; None is without beginning or end."""

    start: int | None = None
    end: int | None = None

    def holds(self, time: str, names: Names) -> list[str]:
        texts = [] if self.start is None else [f"{time} >= {names.bind(self.start)}"]
        return texts + ([] if self.end is None else [f"{time} < {names.bind(self.end)}"])


EVER = Window()


def window_of(span: Span, now: int, setting: Setting) -> Window:
    """``within`` W: later than now − W."""
    if span.within is not None:
        return Window(start=now - span.within + 1)
    return Window(*bounds_of(span.between, setting.zone)) if span.between is not None else EVER


def periods_of(node: Regularity, now: int, setting: Setting) -> list[list[int]]:
    """[start, end) of the local days or weeks that count, the current one last."""
    current = period_of(now, node.unit, setting.zone)
    starts = [
        period_start(number, node.unit, setting.zone) for number in range(current - node.of_last + 1, current + 2)
    ]
    return [[start, end] for start, end in pairwise(starts)]
