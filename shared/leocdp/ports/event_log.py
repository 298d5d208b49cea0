"""The event log: an ordered, partitioned, durable sequence of records that several processes share.

Kafka's words are used for every adapter: topic, partition, offset, group, position, lag.

Contract, for each adapter (``tests/contract/event_log.py`` holds every line of it):

* ``append`` returns **after** the log has the records durably; a caller may answer 200 then and not before.
  Records of one call that go to one partition get consecutive offsets in the order given. When it raises,
  the caller must assume that any of them may or may not be in the log (readers deduplicate).
* Offsets of a partition start at 0, grow by one per record and are never reused. Retention removes from the
  beginning; a compacted topic keeps at least the newest record of each key, and a record with ``value`` None
  is a tombstone.
* Every consumer sees the records of a partition in offset order. A reader that waits wakes within 50 ms of an
  append by any process of the same machine.
* A log has an identity (``log_id``): positions of one log mean nothing in another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from leocdp.kit.errors import LeoError

MAX_RECORD_BYTES = 1_048_576
"""The largest value a log takes; the observer aims at 256 KiB a record."""


class LogError(LeoError):
    """Base of all that an event log raises.

    LogError
    ├── LogUnavailable      retryable: full disk, lock not to be had in time, broker away
    ├── RecordTooLarge      permanent: split it
    ├── UnknownTopic        permanent: not in the topic table
    └── LogCorrupt          permanent: the file is not ours or damaged; the message says what to do
    """

    code = "log_error"


class LogUnavailable(LogError):
    code = "log_unavailable"
    retryable = True


class RecordTooLarge(LogError):
    code = "record_too_large"


class UnknownTopic(LogError):
    code = "unknown_topic"


class LogCorrupt(LogError):
    code = "log_corrupt"


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Bounds(NamedTuple):
    """First offset that still exists, and the offset that the next record will get."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class NewRecord:
    topic: str
    partition: int
    value: bytes | None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    topic: str
    partition: int
    offset: int
    timestamp: int
    """When the log took it, ms since 1970 UTC."""
    key: bytes | None
    value: bytes | None

    @property
    def topic_partition(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)


class Consumer(Protocol):
    """A member of a consumer group. Partitions of its topics are assigned to it, all of them if it is alone.

    It never remembers for the caller where to read: on assignment the caller seeks to the positions of its own
    store, because effects and positions live there in one transaction.
    """

    @property
    def generation(self) -> int:
        """Grows with each change of the assignment, also when it comes back to what it was before.

        Records that ``fetch`` returns belong to the generation that this is when it returns. After a change the
        caller drops what it has fetched before and seeks again: others may have moved on with its partitions.
        """

    async def start(self) -> None:
        """Join the group. Raises LogUnavailable."""

    async def assignment(self) -> frozenset[TopicPartition]:
        """Partitions that are assigned now. A partition that is new here starts at its beginning until ``seek``."""

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read the given partitions from the given offsets on. Unassigned ones are ignored."""

    async def fetch(self, *, max_bytes: int, max_wait: float) -> Sequence[Record]:
        """The next records over all assigned, unpaused partitions, as soon as there is one; empty after ``max_wait`` s.

        About ``max_bytes`` at the most (at least one record). Fair: a busy partition starves no other.
        """

    async def pause(self, partitions: frozenset[TopicPartition]) -> None: ...

    async def resume(self, partitions: frozenset[TopicPartition]) -> None: ...

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Make positions visible to others (for lag only). Best effort; never needed for correctness."""

    async def close(self) -> None:
        """Leave the group. Idempotent."""


class EventLog(Protocol):
    @property
    def log_id(self) -> str:
        """Identity of this log, made when it was created. Available after ``start``."""

    async def start(self) -> None:
        """Open; create what is missing when allowed. Raises LogUnavailable, LogCorrupt."""

    async def close(self) -> None:
        """Flush and close. Idempotent."""

    async def append(self, records: Sequence[NewRecord]) -> Sequence[int]:
        """Append durably; returns the offset of each record. Raises LogUnavailable, RecordTooLarge, UnknownTopic."""

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises UnknownTopic."""

    async def bounds(self, topic: str) -> Mapping[int, Bounds]:
        """Per partition. Raises UnknownTopic."""

    def follow(self, topic: str, positions: Mapping[int, int] | None = None) -> AsyncIterator[Sequence[Record]]:
        """All partitions of a topic without a group, from ``positions`` (default: the beginning), for ever.

        Yields an **empty** sequence each time it has caught up with the end, and then waits; so a reader of the
        compacted configuration topic knows when it has read everything. Stops when the iterator is closed.
        """

    async def read(self, topic: str, partition: int, offset: int, *, max_records: int = 100) -> Sequence[Record]:
        """Records from an offset on, at once; for replay and inspection. Empty at the end."""

    def consumer(self, topics: Sequence[str], group: str) -> Consumer: ...

    async def group_positions(self, group: str) -> Mapping[TopicPartition, int]:
        """What the group last made visible by ``Consumer.commit``."""
