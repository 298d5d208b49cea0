"""Why a score is what it is: which metrics and fields gave which points, and how much of them is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leocdp.domain.scoring.model import DATA_QUALITY, SCORES, Label, Scoring
from leocdp.domain.scoring.points import Scores, left
from leocdp.domain.segments.subject import score_now


@dataclass(frozen=True, slots=True)
class ScorePart:
    """``id`` of a metric, or of a field of data quality."""

    id: str
    label: Label
    value: float
    """Points that are left now."""
    count: int
    """Events that gave them; of a field 1."""
    at: int | None
    """ms, the latest of the events; of a field None."""


@dataclass(frozen=True, slots=True)
class ExplainedScore:
    score: str
    value: float
    half_life: int | None
    parts: tuple[ScorePart, ...]
    """What gave most first, in either direction."""


def explain_scores(scores: Scores, scoring: Scoring, now: int) -> tuple[ExplainedScore, ...]:
    """All scores, those without points with 0."""
    return tuple(_explained(score, scores, scoring, now) for score in SCORES)


def _explained(score: str, scores: Scores, scoring: Scoring, now: int) -> ExplainedScore:
    half_life = scoring.half_lives.get(score)
    metrics = scores.get(score, {})
    parts = sorted(_parts(score, scores, scoring, now), key=lambda part: (-abs(part.value), part.id))
    return ExplainedScore(score, score_now(metrics.values(), now, half_life).value, half_life, tuple(parts))


def _parts(score: str, scores: Scores, scoring: Scoring, now: int) -> Iterator[ScorePart]:
    for name, points in scores.get(score, {}).items():
        known = scoring.fields.get(name) if score == DATA_QUALITY else scoring.metrics.get(name)
        label = known.label if known else Label(name)
        value = round(left(points, now, scoring.half_lives.get(score)), 9)
        yield ScorePart(name, label, value, points.count, None if score == DATA_QUALITY else points.at)
