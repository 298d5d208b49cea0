"""A table that remembers what was in it: readers see it as of their snapshot, writers add versions."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Final

ABSENT: Final = object()
"""Value of a key that is not there."""


class Versions:
    def __init__(self) -> None:
        self._history: dict[Hashable, list[tuple[int, Any]]] = {}
        self._scans = 0

    def read(self, key: Hashable, at: int) -> Any:
        """The value as of the commit with this number, or ABSENT."""
        for number, value in reversed(self._history.get(key, ())):
            if number <= at:
                return value
        return ABSENT

    def latest(self, key: Hashable) -> int:
        """Number of the commit that changed the key last; 0 for none."""
        history = self._history.get(key)
        return history[-1][0] if history else 0

    def keys(self) -> Iterator[Hashable]:
        """All keys, also absent ones, in another order each time: no server promises one."""
        self._scans += 1
        known = list(self._history)
        if self._scans % 2:
            known.reverse()
        turn = (self._scans * 7) % (len(known) or 1)
        yield from known[turn:]
        yield from known[:turn]

    def write(self, key: Hashable, value: Any, number: int, oldest_reader: int) -> None:
        """Adds a version and forgets those that no reader can ask for any more."""
        history = self._history.setdefault(key, [])
        history.append((number, value))
        while len(history) > 1 and history[1][0] <= oldest_reader:
            history.pop(0)
        if len(history) == 1 and value is ABSENT:
            del self._history[key]
