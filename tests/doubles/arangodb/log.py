"""Every request that the double has got, in order of arrival."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Entry:
    operation: str
    """Name of the route; ``unknown`` for none."""
    method: str
    path: str
    collections: tuple[str, ...] = ()
    transaction: str | None = None
    query: str | None = None
    bind_vars: dict[str, Any] = field(default_factory=dict)
    items: int = 0
    """Documents in the request; 1 for a single one."""
    status: int | None = None
    """Of the answer; None while there is none, or for ever where the connection was dropped."""
    number: int | None = None


class Log:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    @property
    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def mark(self) -> int:
        """A place to count from."""
        with self._lock:
            return len(self._entries)

    def since(self, mark: int) -> list[Entry]:
        return self.entries[mark:]

    def counted(self, mark: int = 0) -> Counter[str]:
        """Requests since the mark, by operation."""
        return Counter(each.operation for each in self.since(mark))

    def queries(self) -> set[str]:
        """All texts that were sent to be run."""
        return {each.query for each in self.entries if each.query is not None}
