"""The figures that capacity is computed from, and the servers of the tiers.

Measured ones stand in docs/benchmarks.md, with the machine. Estimates are marked: no ArangoDB server was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Basis = Literal["measured", "estimate", "given"]

SAFETY: Final = 2.0
"""CPU is planned half busy: other machines, rebalances, a server that is lost."""
PEAK: Final = 5.0
"""The busiest seconds of a day have so many times the events of the average."""
EVENT_BYTES: Final = 600
"""Of one event as clients send it: that of the benchmarks."""

OBSERVER_PER_CPU_SECOND: Final = 15_000
"""Single events with three brokers that all acknowledge. Batches cost a tenth."""
PROCESSOR_MICROS: Final = 260
"""CPU per event with a million people stored and built-in scores; the store's own work on SQLite is in it."""
LOG_FACTOR: Final = 1.2
"""Bytes in the log per byte of an event; not compressed."""
PERSON_BYTES: Final = 2_700
"""In the embedded store: profile, three identifiers, search, audience."""
STORED_FACTOR: Final = 1.35
"""Bytes in the embedded store per byte of an event, with indexes and deduplication."""
ARANGO_FACTOR: Final = 1.2
"""Estimate, against the embedded store: documents with names of attributes, more indexes, room for compaction; the
engine compresses them."""
COMMITTED_PER_SECOND: Final = 3_000
"""Estimate: commits of all processors take turns; a batch of 500 events, about ten requests, in about 160 ms."""
DUMP_FACTOR: Final = 0.2
"""Estimate: a compressed dump against the database."""
DISK_USED: Final = 0.8
"""Alerts fire when a disk of the database is fuller."""
LOG_DAYS: Final = 3
"""So long the log has to hold what comes, so that the last backup but one can be completed from it."""
LOG_DAYS_AT_MOST: Final = 30
"""What is older goes, also where there is room."""

MEMORY_AT_A_MILLION: Final = {"observer": 65, "processor": 910, "admin": 540, "gateway": 60}
"""MiB at the most, at a million people, from Kafka at full load; the processor less the gibibyte of the embedded store's
file that it maps."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What the manifests of a tier give; tests/deploy holds them against this."""

    name: str
    servers: int
    people: int
    """Promised at the most."""
    observer_cpus: float
    """All pods that the autoscaler may start."""
    processor_cpus: float
    database_gib: float
    """Of the volume that holds all data; a second database server holds a copy."""
    log_gib: float
    """Of one broker, which has a copy of everything."""
    backup_gib: float
    backups: int
    """Kept on the volume."""
    memory: dict[str, int]
    """Limit of one pod, MiB."""


_MEMORY: Final = {"observer": 768, "processor": 1_536, "admin": 1_024, "gateway": 512}
TIERS: Final = (
    Tier("tier-5", 5, 1_000_000, 3, 2, 280, 11, 100, 3, _MEMORY),
    Tier("tier-10", 10, 2_000_000, 12, 4, 280, 22, 100, 3, _MEMORY),
)
