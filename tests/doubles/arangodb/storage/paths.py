"""Values at the paths that indexes are made of: ``a.b`` has one, ``a[*].b`` one for each element of the array."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def column(document: Mapping[str, Any], path: str) -> Iterator[Any]:
    """What is missing is null; what should be an array and is none has no elements."""
    before, star, after = path.partition("[*]")
    value = at_path(document, before)
    if not star:
        yield value
        return
    for each in value if isinstance(value, list) else ():
        yield at_path(each, after.removeprefix(".")) if after else each


def at_path(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
