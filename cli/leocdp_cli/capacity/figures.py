"""The figures that capacity is computed from, and the servers of the tiers.

Measured ones stand in docs/benchmarks.md, with the machine; each says in which row. Estimates are marked: no ArangoDB
server was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Basis = Literal["measured", "estimate", "given"]

SAFETY: Final = 2.0
"""CPU is planned half busy: other machines, rebalances, a server that is lost."""
PEAK: Final = 5.0
"""The busiest seconds of a day have so many times the events of the average."""
EVENT_BYTES: Final = 600
"""Of one event as clients send it: that of the benchmarks."""

MEASURED_PEOPLE: Final = 2_000_000
"""The most that a whole benchmark was run with; what depends on people is an estimate beyond."""
OBSERVER_PER_CPU_SECOND: Final = 15_000
"""Row "one event per request, Kafka with three brokers and acks=all". Batches cost a tenth."""
PROCESSOR_MICROS: Final = 317
"""CPU per event, row "by tenths of the load", the highest: up to two million people stored with 10 events each, and
built-in scores. The store's own work on SQLite is in it. With fewer people it is less."""
LOG_FACTOR: Final = 1.2
"""Bytes in the log per byte of an event; not compressed. Row `log.db`: 702 bytes of 600."""
PERSON_BYTES: Final = 2_700
"""In the embedded store: profile, three identifiers, search, audience. Row `profiles.db`, by the difference between a
million people with 10 and with 2 events; by tables 2,650."""
IDENTIFIERS: Final = 3
"""Of one person, in the benchmarks."""
IDENTIFIER_BYTES: Final = 160
"""Each further one: 56 in its own table (measured), about 100 in profile and search (estimate)."""
STORED_FACTOR: Final = 1.35
"""Bytes in the embedded store per byte of an event, with indexes and deduplication. Row `profiles.db`: 800 of 600."""
ARANGO_FACTOR: Final = 1.2
"""Estimate, against the embedded store: documents with names of attributes, more indexes, room for compaction; the
engine compresses them."""
COMMITTED_PER_SECOND: Final = 3_000
"""Estimate: commits of all processors take turns; a batch of 500 events, about ten requests, in about 160 ms."""
DUMP_FACTOR: Final = 0.2
"""Estimate: a compressed dump against the database."""
CACHED_PERSON_BYTES: Final = 2_200
"""Of one person, what most events and look-ups read: profile and identifiers in the embedded store."""
DISK_USED: Final = 0.8
"""Alerts fire when a disk of the database is fuller."""
LOG_DAYS: Final = 3
"""Unless asked otherwise. So long the log has to hold what comes, so that the last backup but one can be completed
from it."""
LOG_DAYS_AT_MOST: Final = 30
"""What is older goes, also where there is room."""

MEMORY: Final = {"observer": 46, "processor": 880, "admin": 200, "gateway": 40}
"""MiB at the most, row "own memory at the most", the highest of all runs at full load: without the embedded store's
file that processes map, which the system takes back when it wants."""


@dataclass(frozen=True, slots=True)
class Server:
    """What is bought or rented. Decimal gigabytes."""

    cpus: int
    memory_gb: int
    disk_gb: int


SERVERS: Final = {
    "observer": Server(4, 8, 20),
    "database": Server(8, 16, 500),
    "processor": Server(4, 8, 120),
    "admin": Server(4, 8, 40),
}


@dataclass(frozen=True, slots=True)
class Tier:
    """What the manifests of a tier give; tests/deploy holds them against this."""

    name: str
    roles: Mapping[str, int]
    """Servers of each role; every one is of the size in SERVERS."""
    people: int
    """Promised at the most."""
    observer_cpus: float
    """All pods that the autoscaler may start."""
    processor_cpus: float
    database_cpus: float
    """Of the one that leads."""
    cache_gib: float
    """For blocks, of the one that leads."""
    database_gib: float
    """Of the volume that holds all data; a second database server holds a copy."""
    log_gib: float
    """Of one broker, which has a copy of everything."""
    backup_gib: float
    backups: int
    """Kept on the volume."""
    memory: Mapping[str, int]
    """Limit of one pod, MiB."""

    @property
    def servers(self) -> int:
        return sum(self.roles.values())


_MEMORY: Final = {"observer": 768, "processor": 1_536, "admin": 1_024, "gateway": 512}
TIERS: Final = (
    Tier(
        name="tier-5",
        roles={"observer": 2, "database": 1, "processor": 1, "admin": 1},
        people=1_000_000,
        observer_cpus=3,
        processor_cpus=2,
        database_cpus=6,
        cache_gib=4,
        database_gib=280,
        log_gib=11,
        backup_gib=100,
        backups=3,
        memory=_MEMORY,
    ),
    Tier(
        name="tier-10",
        roles={"observer": 4, "database": 2, "processor": 2, "admin": 2},
        people=2_000_000,
        observer_cpus=12,
        processor_cpus=4,
        database_cpus=5,
        cache_gib=3,
        database_gib=280,
        log_gib=22,
        backup_gib=100,
        backups=3,
        memory=_MEMORY,
    ),
)
