"""Times as clients write them: ISO 8601 in its many forms, or numbers since 1970."""

from __future__ import annotations

from re import compile
from typing import Any, Final

from leocdp.contracts.times import parse_iso

_MILLISECONDS_FROM: Final = 10**11
"""Smaller numbers are seconds (until the year 5138), larger ones milliseconds (from 1973)."""
_BEYOND: Final = 253_402_300_800_000
"""10000-01-01: no time."""
_NUMBER: Final = compile(r"\d{9,15}(?:\.\d{1,9})?")
_BEFORE_OFFSET: Final = compile(r"\s+(?=[+\-]\d\d:?\d\d$)")
_LONGEST: Final = 40


def read_instant(value: Any) -> int | None:
    """ms UTC, or None for what is no time. A time without a zone is UTC; digits finer than a millisecond are cut."""
    if isinstance(value, str):
        try:
            return parse_iso(value)
        except (ValueError, OverflowError):
            return _unusual(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _number(value)


def _unusual(text: str) -> int | None:
    """Numbers as text, lower-case letters, and a space or the word UTC before the offset."""
    if len(text) > _LONGEST:
        return None
    if _NUMBER.fullmatch(text):
        return _number(float(text))
    try:
        return parse_iso(_BEFORE_OFFSET.sub("", text.upper().replace(" UTC", "Z")))
    except (ValueError, OverflowError):
        return None


def _number(value: float) -> int | None:
    if not 0 <= value < _BEYOND:
        return None
    return int(value if value >= _MILLISECONDS_FROM else value * 1000)
