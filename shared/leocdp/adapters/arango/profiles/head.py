"""The one document that every commit changes (``turns``): the numbers given out, the positions, the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

COLLECTION: Final = "ledger"


@dataclass(slots=True)
class Bucket:
    """Deduplication keys of a span of time, in the collection ``messages_<slot>``."""

    slot: int
    begins: int
    ends: int


@dataclass(slots=True)
class StoredPosition:
    log_id: str
    topic: str
    partition: int
    next: int
    sequence: int
    """Of the commit that moved it last."""


@dataclass(slots=True)
class StoredBarrier:
    """As ``ports.barrier.Barrier``."""

    id: str
    since: int
    until: int
    version: str


@dataclass(slots=True)
class Head:
    """Numbers are the last ones given out."""

    sequence: int = 0
    profiles: int = 0
    events: int = 0
    problems: int = 0
    outbox: int = 0
    reviews: int = 0
    names: int = 0
    """Entries of the catalogue of event names."""
    kept_problems: int = 0
    kept_dead: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    """As in ``ports.profile_reader.Counts``."""
    buckets: list[Bucket] = field(default_factory=list)
    """Oldest first; only the last one is written to."""
    retired: list[int] = field(default_factory=list)
    """Slots whose collections are still to be emptied."""
    positions: list[StoredPosition] = field(default_factory=list)
    erased_until: int = 0
    """The latest end of a spell in the ledger of erasures; 0 while it is empty."""
    erasure_keys: list[str] = field(default_factory=list)
    """Fingerprints of the secrets that the ledger was hashed with."""
    recent: list[str] = field(default_factory=list)
    barrier: StoredBarrier | None = None
    """While it stands nothing is committed."""

    def grow(self, counts: Mapping[str, int]) -> None:
        """Add to the counts; they never fall below zero."""
        grown = Counter(self.counts)
        grown.update(counts)
        self.counts = {name: max(count, 0) for name, count in grown.items()}
