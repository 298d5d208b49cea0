"""A table that remembers what was in it: readers see it as of their snapshot, writers add versions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final

from tests.doubles.arangodb.aql.values import canonical
from tests.doubles.arangodb.storage.paths import column

ABSENT: Final = object()
"""Value of a key that is not there."""


class Versions:
    def __init__(self) -> None:
        self._history: dict[Hashable, list[tuple[int, Any]]] = {}
        self._scans = 0
        self._places: dict[str, dict[Hashable, set[Hashable]]] = {}
        """Path → value → keys of documents that have that value there in one of their versions."""

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

    def keys(self) -> list[Hashable]:
        """All keys, also absent ones, in another order each time: no server promises one."""
        return self.turned(self._history)

    def turned(self, keys: Iterable[Hashable]) -> list[Hashable]:
        """The same keys in another order each time."""
        self._scans += 1
        known = list(keys)
        if self._scans % 2:
            known.reverse()
        turn = (self._scans * 7) % (len(known) or 1)
        return known[turn:] + known[:turn]

    def candidates(self, path: str, values: Iterable[Any]) -> set[Hashable]:
        """Keys of documents among which are all that have one of the values at the path, in any version."""
        if path not in self._places:
            self._places[path] = {}
            for key, history in self._history.items():
                for _, document in history:
                    self._place(path, key, document)
        places = self._places[path]
        return {key for value in values for key in places.get(canonical(value), ())}

    def _forget(self, key: Hashable, document: Any, left: list[tuple[int, Any]]) -> None:
        """Takes a version that nobody can see any more out of the places that no other version of it has."""
        for path, places in self._places.items():
            kept = {canonical(value) for _, each in left if each is not ABSENT for value in column(each, path)}
            for value in column(document, path) if document is not ABSENT else ():
                if canonical(value) not in kept:
                    places[canonical(value)].discard(key)

    def _place(self, path: str, key: Hashable, document: Any) -> None:
        for value in column(document, path) if document is not ABSENT else ():
            self._places[path].setdefault(canonical(value), set()).add(key)

    def write(self, key: Hashable, value: Any, number: int, oldest_reader: int) -> None:
        """Adds a version and forgets those that no reader can ask for any more."""
        history = self._history.setdefault(key, [])
        history.append((number, value))
        for path in self._places:
            self._place(path, key, value)
        while len(history) > 1 and history[1][0] <= oldest_reader:
            self._forget(key, history.pop(0)[1], history)
        if len(history) == 1 and value is ABSENT:
            del self._history[key]
