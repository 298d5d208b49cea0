"""Faults: what is to go wrong, with which requests, how often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.doubles.arangodb.log import Entry

Matches = Callable[[Entry], bool]
Kind = Literal["drop_before", "drop_after", "answer_before", "answer_after", "lose_transaction", "wait"]
"""``drop_…``: the connection ends without an answer, before or after the request has done its work. ``answer_…``: this
error instead of the answer, before or after the work. ``lose_transaction``: the one that the request names is aborted
first, as after its idle time. ``wait``: nothing happens until :meth:`Fault.release`, or for ``seconds``."""


@dataclass(eq=False, slots=True)
class Fault:
    kind: Kind
    matches: Matches
    skip: int = 0
    """Requests that match and are let through first."""
    times: int | None = 1
    """How many it hits; None: until it is removed."""
    every: int = 1
    """1: each one; n: every n-th after those skipped."""
    status: int = 503
    number: int = 503
    """Of an answer: HTTP status and error number."""
    seconds: float | None = None
    seen: int = 0
    hits: int = 0
    _go: threading.Event = field(default_factory=threading.Event)
    _reached: threading.Event = field(default_factory=threading.Event)

    def strikes(self, entry: Entry) -> bool:
        """Counts the request if it matches, and says whether it is hit."""
        if not self.matches(entry):
            return False
        self.seen += 1
        due = self.seen > self.skip and (self.seen - self.skip) % self.every == 0
        if not due or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def hold(self) -> None:
        self._reached.set()
        self._go.wait(self.seconds)

    def reached(self, seconds: float = 30.0) -> bool:
        """Waits until a request has arrived at this point."""
        return self._reached.wait(seconds)

    def release(self) -> None:
        self._go.set()


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._armed.append(fault)
        return fault

    def clear(self) -> None:
        """Removes all, and lets go what waits."""
        with self._lock:
            gone, self._armed = self._armed, []
        for fault in gone:
            fault.release()

    def striking(self, entry: Entry) -> list[Fault]:
        with self._lock:
            return [each for each in self._armed if each.strikes(entry)]


def operation(*names: str, collection: str | None = None) -> Matches:
    """Requests with one of these operations (``document.insert`` or all of ``document``), on this collection."""

    def matches(entry: Entry) -> bool:
        named = any(entry.operation == each or entry.operation.startswith(f"{each}.") for each in names)
        return named and collection in (None, *entry.collections)

    return matches


def anything(entry: Entry) -> bool:
    return True
