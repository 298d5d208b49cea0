"""What is said about a condition: whether it holds, and when that may be different without any event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Answer:
    """``next``: ms, later than the time it was asked for; until then time alone changes nothing. None: it never does.

    At ``next`` the answer may be the same as before: it is the earliest instant at which it could differ.
    """

    holds: bool
    next: int | None = None


YES: Final = Answer(True)
NO: Final = Answer(False)

Interval: TypeAlias = tuple[int | None, int | None]
"""Instants from the first up to, not including, the second; None is without beginning or without end."""


def negated(answer: Answer) -> Answer:
    return Answer(not answer.holds, answer.next)


def all_of(answers: Sequence[Answer]) -> Answer:
    """A conjunction. While it is false it stays so until all that are false may have changed."""
    waiting = [one.next for one in answers if not one.holds]
    if not waiting:
        return Answer(True, earliest(one.next for one in answers))
    latest = [at for at in waiting if at is not None]
    return Answer(False, max(latest) if len(latest) == len(waiting) else None)


def any_of(answers: Sequence[Answer]) -> Answer:
    return negated(all_of([negated(one) for one in answers]))


def earliest(instants: Iterable[int | None]) -> int | None:
    return min((at for at in instants if at is not None), default=None)


def within_any(intervals: Iterable[Interval], now: int) -> Answer:
    """Whether ``now`` lies in one of the intervals, and the first instant at which that is otherwise.

    An interval that ends where it begins, or before, is empty.
    """
    ahead = [one for one in intervals if one[1] is None or (one[1] > now and (one[0] is None or one[0] < one[1]))]
    ahead.sort(key=lambda one: (one[0] is not None, one[0] or 0))
    if not ahead:
        return NO
    first = ahead[0][0]
    if first is not None and first > now:
        return Answer(False, first)
    end: int | None = now
    for start, stop in ahead:
        if end is None or (start is not None and start > end):
            break
        end = None if stop is None else max(end, stop)
    return Answer(True, end)
