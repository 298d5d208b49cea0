"""The funnel stage that somebody has reached: by which metrics they have events of, how often and when last.

- The stage is the highest *ordinary* or *customer* one that any of their metrics leads to, ever. It never falls: two
  people united have the higher one, and a late event counts like any other.
- Somebody with a contact, or who came back after a while, has at least the stage that the table sets for that.
- A *negative* stage (unhappy, lost) holds from its event until a later event that leads to a customer stage: who buys
  again is a customer again. Of several the one with the latest event holds; at an equal time the one later in the
  table, and a negative one before a customer one.

Everything here is a maximum over events, so their order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leocdp.domain.profiles.state import State
from leocdp.domain.scoring.model import DATA_QUALITY, Scoring
from leocdp.domain.scoring.points import Scores
from leocdp.domain.segments.audience import Points
from leocdp.domain.segments.states import contact_keys

_NOBODY: Final = -1


def stage_of(scores: Scores, state: State, scoring: Scoring) -> str:
    """Id of the stage; empty: nothing that leads to one is known."""
    ranks = scoring.ranks
    best, customer_at, negative = _NOBODY, _NOBODY, (_NOBODY, _NOBODY)
    for stage, at in _reached(scores, scoring):
        rank = ranks.get(stage)
        if rank is None:
            continue
        kind = scoring.stages[rank].kind
        if kind == "negative":
            negative = max(negative, (at, rank))
            continue
        best = max(best, rank)
        if kind == "customer":
            customer_at = max(customer_at, at)
    if negative[1] != _NOBODY and negative[0] >= customer_at:
        return scoring.stages[negative[1]].id
    best = max(best, _floor(state, scoring, best))
    return "" if best == _NOBODY else scoring.stages[best].id


def _reached(scores: Scores, scoring: Scoring) -> Iterator[tuple[str, int]]:
    """(stage, time of the latest event that leads to it)."""
    for score, metrics in scores.items():
        if score == DATA_QUALITY:
            continue
        for name, points in metrics.items():
            yield from _of_metric(name, points, scoring)


def _of_metric(name: str, points: Points, scoring: Scoring) -> Iterator[tuple[str, int]]:
    metric = scoring.metrics.get(name)
    if metric is None:
        return
    if metric.stage:
        yield metric.stage, points.at
    if metric.again and points.count > 1:
        yield metric.again, points.at


def _floor(state: State, scoring: Scoring, best: int) -> int:
    """Rank of the least stage that a contact or coming back gives; what is no more than ``best`` is not looked for."""
    contact, returning = (scoring.ranks.get(one, _NOBODY) for one in (scoring.contact_stage, scoring.returning_stage))
    first, last = state.first_seen, state.last_seen
    came_back = first is not None and last is not None and last - first >= scoring.returning_after
    floor = returning if came_back else _NOBODY
    if contact > max(best, floor) and (contact_keys(state, "email") or contact_keys(state, "phone")):
        return contact
    return floor
