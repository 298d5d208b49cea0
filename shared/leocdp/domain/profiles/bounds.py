"""How much one profile may hold. Whoever has a public key can send a new event name or trait with every event.

What is kept beyond a bound must not depend on the order of events, so it is decided by the names alone: those with
the smallest checksums stay. A name that was dropped once is dropped for ever, as the smaller ones are still there.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

MAX_NAMES: Final = 1_000
"""Different event names that are counted apart; all further ones are counted together as ``(other)``."""
MAX_TRAITS: Final = 1_000
OTHER: Final = "(other)"


def bound_names(by_name: dict[str, int]) -> None:
    """Count surplus names as ``(other)``."""
    other = by_name.pop(OTHER, 0)
    for name in _surplus(by_name, MAX_NAMES):
        other += by_name.pop(name)
    if other:
        by_name[OTHER] = other


def bound_traits(traits: dict[str, Any]) -> None:
    """Drop surplus traits, tombstones included."""
    for name in _surplus(traits, MAX_TRAITS):
        del traits[name]


def _surplus(names: dict[str, Any], most: int) -> list[str]:
    if len(names) <= most:
        return []
    return sorted(names, key=_rank)[most:]


def _rank(name: str) -> tuple[int, str]:
    return (crc32(name.encode("utf-8", "surrogatepass")), name)
