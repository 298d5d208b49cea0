"""JSON from strangers, made safe to keep: text without NUL and lone surrogates, numbers that fit, bounded nesting.

Every store, index and encoder after this point may rely on it.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

DEEPEST: Final = 100
_REPLACEMENT: Final = "\ufffd"
_UNFIT: Final = {0: _REPLACEMENT, **dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)}
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * 19
"""From 19 digits on an integer may exceed 64 bits."""
_decode: Final = msgspec.json.Decoder().decode


class NotJson(ValueError):
    """Not JSON in UTF-8. The message says why, without the text itself."""


class TooDeep(NotJson):
    """Nested deeper than anything that is kept."""


def read_json(text: bytes) -> Any:
    """The value of a JSON text. NUL and lone surrogates become U+FFFD, integers beyond 64 bits floats, and numbers
    beyond those null.

    Raises:
        NotJson, TooDeep
    """
    try:
        value = _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _clean(_leniently(text), text)
    except RecursionError as error:
        raise TooDeep(f"nested deeper than {DEEPEST} levels") from error
    if b"\\u0000" in text or _LONG_NUMBER in text.translate(_DIGITS_ALIKE) or _maybe_deep(text):
        return _clean(value, text)
    return value


def _maybe_deep(text: bytes) -> bool:
    return text.count(b"[") + text.count(b"{") > DEEPEST


def _leniently(text: bytes) -> Any:
    """Lone surrogates and absurd numbers are JSON too, though most decoders refuse them."""
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse, parse_int=_integer)
    except RecursionError as error:
        raise TooDeep(f"nested deeper than {DEEPEST} levels") from error
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise NotJson(f"not JSON: {error.msg} at character {error.pos}") from error


def _refuse(name: str) -> Any:
    raise NotJson(f"not JSON: {name} is no number")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 20 else float(digits)


def _clean(value: Any, text: bytes) -> Any:
    if _maybe_deep(text) and _depth(value) > DEEPEST:
        raise TooDeep(f"nested deeper than {DEEPEST} levels")
    return _cleaned(value)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isprintable() else value.translate(_UNFIT)
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_cleaned(part) for part in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return float(value) if abs(value) < 10**308 else None
    return _finite(value) if isinstance(value, float) else value


def _finite(number: float) -> float | None:
    """1e999 is valid JSON and no number that can be kept."""
    return number if abs(number) < float("inf") else None


def _depth(value: Any) -> int:
    """Levels of nesting, without recursion."""
    level, depth = [value], 0
    while level:
        nested = [part for part in level if isinstance(part, dict | list)]
        level = [part for each in nested for part in (each.values() if isinstance(each, dict) else each)]
        depth += bool(nested)
    return depth
