"""A decaying score against a threshold: what holds now, and the millisecond at which that is over."""

from __future__ import annotations

from math import ceil, isfinite, log2
from typing import Final

from leocdp.domain.segments.answers import Answer, earliest
from leocdp.domain.segments.nodes import NumberTest
from leocdp.domain.segments.subject import ScoreNow
from leocdp.domain.segments.sums import rounded
from leocdp.domain.segments.values import holds_number, number_of

_NOTHING: Final = 0.25e-9
"""Rounded, such a value is 0 for ever."""


def value_at(score: ScoreNow, at: int) -> float:
    """What is left of a score: half of it after each half-life. Times before it was counted leave it as it was."""
    value = number_of(score.value) or 0.0
    if score.half_life is None or score.half_life <= 0 or at <= score.at:
        return rounded(value) or 0.0
    return rounded(value * 2.0 ** max((score.at - at) / score.half_life, -1080.0)) or 0.0


def answer_score(test: NumberTest, score: ScoreNow | None, now: int) -> Answer:
    """A person without points has 0."""
    if score is None:
        return Answer(holds_number(test, 0.0))
    holds = holds_number(test, value_at(score, now))
    ends = (test.low, test.high) if test.op == "between" else (test.low,)
    return Answer(holds, earliest(_meets(score, limit, now) for limit in map(number_of, ends) if limit is not None))


def _meets(score: ScoreNow, limit: float, now: int) -> int | None:
    """The first instant at which the score is on another side of a limit than now, or leaves it."""
    side = _side(score, limit, now)
    last = _end(score, now)
    if last is None or _side(score, limit, last) == side:
        return None
    before, after = now, last
    while after - before > 1:
        middle = (before + after) // 2
        if _side(score, limit, middle) == side:
            before = middle
        else:
            after = middle
    return after


def _side(score: ScoreNow, limit: float, at: int) -> int:
    value = value_at(score, at)
    return (value > limit) - (value < limit)


def _end(score: ScoreNow, now: int) -> int | None:
    """When nothing is left; None if that is so already, or never will be."""
    value, half_life = abs(score.value), score.half_life
    if half_life is None or half_life <= 0 or not isfinite(value) or value <= _NOTHING:
        return None
    end = score.at + ceil(half_life * log2(value / _NOTHING))
    return end if end > now else None
