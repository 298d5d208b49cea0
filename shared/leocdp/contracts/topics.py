"""The topic table: every topic there is, with its partitions and retention. Both log adapters are built from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from zlib import crc32

EVENTS_ACCEPTED: Final = "leocdp.events.accepted.v1"
EVENTS_REJECTED: Final = "leocdp.events.rejected.v1"
EVENTS_DEAD_LETTER: Final = "leocdp.events.dead-letter.v1"
COMMANDS: Final = "leocdp.commands.v1"
CONFIG: Final = "leocdp.config.v1"
PROFILES_CHANGED: Final = "leocdp.profiles.changed.v1"
SEGMENTS_MEMBERSHIP: Final = "leocdp.segments.membership.v1"

PROCESSOR_GROUP: Final = "leocdp-processor"

DAY_MS: Final = 86_400_000
GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class TopicSpec:
    name: str
    partitions: int
    retention_ms: int | None = 30 * DAY_MS
    """None keeps for ever. Topics with personal data keep 30 days at most."""
    retention_bytes: int | None = 20 * GIB
    """Of the whole topic; None is no limit. The oldest records go first."""
    compacted: bool = False


TOPICS: Final = (
    TopicSpec(EVENTS_ACCEPTED, 24),
    TopicSpec(EVENTS_REJECTED, 6, retention_ms=14 * DAY_MS, retention_bytes=1 * GIB),
    TopicSpec(EVENTS_DEAD_LETTER, 6, retention_bytes=2 * GIB),
    TopicSpec(COMMANDS, 1, retention_bytes=1 * GIB),
    TopicSpec(CONFIG, 1, retention_ms=None, retention_bytes=None, compacted=True),
    TopicSpec(PROFILES_CHANGED, 24, retention_ms=7 * DAY_MS, retention_bytes=2 * GIB),
    TopicSpec(SEGMENTS_MEMBERSHIP, 24, retention_ms=7 * DAY_MS, retention_bytes=2 * GIB),
)


HEADROOM: Final = 1.25
"""A log takes more than it keeps: what is written to is never removed, and there are indexes."""


def fitted(specs: Sequence[TopicSpec], disk_bytes: int) -> tuple[TopicSpec, ...]:
    """The same topics, each with so much less to keep that all of them fit a disk of this size; 0 is any size.

    In Kafka the disk of one broker: where there are as many copies as brokers each has everything.
    """
    wanted = sum(spec.retention_bytes or 0 for spec in specs) * HEADROOM
    if not disk_bytes or wanted <= disk_bytes:
        return tuple(specs)
    share = disk_bytes / wanted
    return tuple(
        spec if spec.retention_bytes is None else replace(spec, retention_bytes=int(spec.retention_bytes * share))
        for spec in specs
    )


def topic_spec(name: str) -> TopicSpec:
    """Raises KeyError for a topic that is not in the table."""
    for spec in TOPICS:
        if spec.name == name:
            return spec
    raise KeyError(name)


def longest_retention_ms() -> int:
    """After this time no topic that may hold personal data has a record of today any more."""
    return max(spec.retention_ms for spec in TOPICS if spec.retention_ms is not None)


def partition_for(value: str, partitions: int) -> int:
    """The partition that everything about ``value`` goes to: CRC-32, which costs a tenth of a microsecond."""
    try:
        return crc32(value.encode()) % partitions
    except UnicodeEncodeError:
        return crc32(value.encode("utf-8", "surrogatepass")) % partitions
