"""What waits to be appended: calls, their parts per partition, and batches that are built from them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from leocdp.ports.event_log import LogError, NewRecord, TopicPartition

RECORD_OVERHEAD: Final = 64
"""Bytes that a record is counted with besides its key and value."""


class Call:
    """One ``append``: done when each of its parts is, failed with the first that fails or when its time is over."""

    __slots__ = ("future", "offsets", "parts", "unsettled")

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int) -> None:
        self.future: asyncio.Future[Sequence[int]] = loop.create_future()
        self.offsets = [-1] * count
        self.parts: list[Part] = []
        self.unsettled = 0

    @property
    def over(self) -> bool:
        return self.future.done()

    def part_stored(self) -> None:
        self.unsettled -= 1
        if not self.unsettled and not self.future.done():
            self.future.set_result(self.offsets)

    def fail(self, error: LogError) -> None:
        if not self.future.done():
            # A copy for each caller: an exception that several raise collects all their tracebacks.
            self.future.set_exception(type(error)(*error.args))
            self.future.exception()  # A caller that has given up must not make the loop complain.


@dataclass(slots=True, eq=False)
class Part:
    """The records of one call for one partition."""

    call: Call
    size: int = 0
    records: list[NewRecord] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Where in the call each of the records stands."""
    taken: int = 0
    """How many stand in batches already."""
    stored: int = 0
    batch: Batch | None = None
    """The last batch that holds some of it."""
    settled: bool = False


class Slice(NamedTuple):
    part: Part
    first: int
    length: int


class Lane:
    """One partition: calls stand in line, and one batch at a time is under way, so that the order stays."""

    __slots__ = ("batch", "key", "topic", "waiting")

    def __init__(self, key: TopicPartition, topic: str) -> None:
        self.key = key
        self.topic = topic
        """The name of the topic in the cluster."""
        self.waiting: deque[Part] = deque()
        self.batch: Batch | None = None

    def next_batch(self, builder: Any) -> Batch:
        """Fill the driver's ``builder`` with what waits, as far as it fits; empty when nothing does.

        Parts of calls that are over by now are left out and listed in ``dropped``.
        """
        batch = Batch(self, builder)
        while self.waiting:
            part = self.waiting[0]
            if part.call.over:
                batch.dropped.append(part)
            elif not _fill(batch, part):
                break
            self.waiting.popleft()
        return batch


def _fill(batch: Batch, part: Part) -> bool:
    """Put the rest of a part into the batch; False when some of it did not fit."""
    first = part.taken
    for record in part.records[first:]:
        if batch.builder.append(timestamp=None, key=record.key, value=record.value) is None:
            break
        part.taken += 1
    if part.taken > first:
        part.batch = batch
        batch.slices.append(Slice(part, first, part.taken - first))
    return part.taken == len(part.records)


@dataclass(slots=True, eq=False)
class Batch:
    """What travels together to one partition."""

    lane: Lane
    builder: Any
    slices: list[Slice] = field(default_factory=list)
    dropped: list[Part] = field(default_factory=list)

    def stored_at(self, base: int) -> list[Part]:
        """Note the offsets; returns the parts that are complete with this batch."""
        complete = []
        for part, first, length in self.slices:
            for place in part.places[first : first + length]:
                part.call.offsets[place] = base
                base += 1
            part.stored += length
            if part.stored == len(part.records):
                complete.append(part)
        return complete
