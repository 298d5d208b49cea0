"""Property values as a person's state may hold them: small, and nothing that a store cannot write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from leocdp.domain.segments.values import is_there, number_of

LARGEST: Final = 2_000
"""About as many characters of JSON."""
_NOTHING_LEFT: Final = -1
_EXACT: Final = 2**53


def storable(values: Sequence[Any]) -> list[Any] | None:
    """A copy of values, None if they are too large to keep."""
    left, copy = _copied(list(values), LARGEST)
    return copy if left >= 0 else None


def _copied(value: Any, left: int) -> tuple[int, Any]:
    """What is left of the room after a value, and the value with other kinds as what they compare like."""
    if left < 0:
        return _NOTHING_LEFT, None
    if isinstance(value, str):
        return left - len(value) - 2, value
    if isinstance(value, list | tuple):
        copies = []
        for one in value:
            left, copy = _copied(one, left - 1)
            copies.append(copy)
        return left, copies
    if isinstance(value, dict):
        left, names = _copied([str(name) for name in value], left)
        left, parts = _copied(list(value.values()), left)
        return left, dict(zip(names or (), parts or (), strict=False))
    return left - 20, _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, bool) or not is_there(value):
        return value if isinstance(value, bool) else None
    if isinstance(value, int) and abs(value) <= _EXACT:
        return value
    # Larger integers are compared as doubles; what is of no kind compares like an empty object.
    return {} if number_of(value) is None else number_of(value)
