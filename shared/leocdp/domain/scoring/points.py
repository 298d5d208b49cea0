"""Points that a person's events have given: per score and metric a sum that decays, its latest time and the count.

Halved after each half-life of the score. Sums decayed to the same time add up, so events may come late and in any
order, and two people's points unite, with the same result up to the rounding of doubles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from leocdp.domain.scoring.model import DATA_QUALITY, Scoring, gains
from leocdp.domain.segments.audience import Points
from leocdp.domain.segments.subject import EventFact

Scores: TypeAlias = Mapping[str, Mapping[str, Points]]
"""Score → metric → points, as ``Audience.scores``: a value, never changed in place by this module."""


def add(scores: Scores, type: str, name: str | None, at: int, scoring: Scoring) -> Scores:
    """The scores with one more event; the same object where it is one of no metric."""
    metric = scoring.metric_of(type, name)
    if metric is None:
        return scores
    made = dict(scores)
    for score, points in gains(metric):
        half_life = scoring.half_lives.get(score)
        made[score] = _with(made.get(score, {}), metric.id, Points(float(points), at, 1), half_life)
    return made


def build(events: Iterable[EventFact], scoring: Scoring) -> Scores:
    """The scores of all events of a person."""
    scores: Scores = {}
    for event in sorted(events, key=lambda one: (one.at, one.message_id)):
        scores = add(scores, event.type, event.name, event.at, scoring)
    return scores


def join(a: Scores, b: Scores, scoring: Scoring) -> Scores:
    """The scores of the events of both; data quality follows from the person's state and is of neither."""
    made = {score: metrics for score, metrics in a.items() if score != DATA_QUALITY}
    for score, metrics in b.items():
        if score != DATA_QUALITY:
            half_life = scoring.half_lives.get(score)
            united = made.get(score, {})
            for metric, points in metrics.items():
                united = _with(united, metric, points, half_life)
            made[score] = united
    return made


def _with(metrics: Mapping[str, Points], metric: str, points: Points, half_life: int | None) -> Mapping[str, Points]:
    known = metrics.get(metric)
    return {**metrics, metric: points if known is None else united(known, points, half_life)}


def united(a: Points, b: Points, half_life: int | None) -> Points:
    at = max(a.at, b.at)
    return Points(left(a, at, half_life) + left(b, at, half_life), at, a.count + b.count)


def left(points: Points, at: int, half_life: int | None) -> float:
    """What is left at a time that is not before that of the points; without a half-life, all."""
    if half_life is None or at <= points.at:
        return points.value
    # Beyond 1,080 half-lives nothing is left that a double could hold.
    share: float = 2.0 ** max((points.at - at) / half_life, -1_080.0)
    return points.value * share
