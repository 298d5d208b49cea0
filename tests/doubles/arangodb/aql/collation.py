"""The order of strings. It depends on the language that a server was first started with, and nobody may rely on it.

``en_US`` (3.11's default) sorts like a dictionary: punctuation, then digits, then letters whatever their case and
accents, and only where all that is equal do accents and then case decide. ``en_US_POSIX`` (3.12's default) sorts by
code point. The first is a likeness of what the ICU library does, good enough to show who relies on an order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

_SYMBOLS: Final = "\t\n\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_PLACE: Final = {symbol: place for place, symbol in enumerate(_SYMBOLS)}
_STROKES: Final = str.maketrans({"đ": "d\u0335", "Đ": "D\u0335", "ø": "o\u0338", "Ø": "O\u0338", "ł": "l\u0335"})

Order = Callable[[str], Any]


@lru_cache(maxsize=65_536)
def dictionary_order(text: str) -> tuple[Any, ...]:
    """Sort key: letters first, then accents, then case (small before capital), then code points."""
    parts = unicodedata.normalize("NFD", text.translate(_STROKES))
    base = [each for each in parts if not unicodedata.combining(each)]
    marks = "".join(each for each in parts if unicodedata.combining(each))
    return tuple(_primary(each) for each in base), marks, tuple(each != each.lower() for each in base), text


def _primary(letter: str) -> tuple[int, int | str]:
    if letter in _PLACE:
        return (0, _PLACE[letter])
    return (1, letter) if letter.isdigit() else (2, letter.lower())


def code_point_order(text: str) -> str:
    return text


ORDERS: Final[dict[str, Order]] = {"en_US": dictionary_order, "en_US_POSIX": code_point_order}
