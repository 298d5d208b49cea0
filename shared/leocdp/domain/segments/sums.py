"""Sums that do not depend on the order of adding: exact until the end, then rounded once."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import fsum, isfinite
from typing import Final

DIGITS: Final = 9
"""After the point. Stores add up in an order of their own; what differs by that is rounded away."""


def grown(parts: Iterable[float], number: float) -> list[float] | None:
    """Numbers that do not overlap and whose sum is exactly that of ``parts`` and ``number`` (Shewchuk 1997).

    None where they leave the range of doubles: then only all the numbers together can tell.
    """
    made: list[float] = []
    for part in parts:
        if abs(number) < abs(part):
            number, part = part, number
        high = number + part
        if not isfinite(high):
            return None
        low = part - (high - number)
        if low:
            made.append(low)
        number = high
    made.append(number)
    return made


def total(numbers: Iterable[float]) -> float | None:
    """The sum as a double; None if there is no such double."""
    numbers = list(numbers)
    try:
        return fsum(numbers)
    except OverflowError:
        return _double(sum(map(Fraction, numbers), Fraction()))


def rounded(number: float | None) -> float | None:
    return None if number is None else round(number, DIGITS)


def _double(exact: Fraction) -> float | None:
    try:
        return float(exact)
    except OverflowError:
        return None
