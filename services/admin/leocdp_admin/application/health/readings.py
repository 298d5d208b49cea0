"""What admin saw of the installation at one moment. Times are ms UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from leocdp.contracts.topics import COMMANDS, EVENTS_ACCEPTED, EVENTS_REJECTED
from leocdp.kit.metrics import Figures
from leocdp.ports.profile_reader import Counts

Service = Literal["observer", "processor", "gateway"]
TopicPartition = tuple[str, int]

READ_TOPICS = (EVENTS_ACCEPTED, EVENTS_REJECTED, COMMANDS)
"""What processors read; the lag counts all of it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One instance of a service, at one of its addresses."""

    service: str
    address: str
    at: int
    """When it answered; for one that did not, when it was asked."""
    instance: str = ""
    version: str = ""
    reachable: bool = False
    late: bool = False
    """Of one that is not reachable: it took too long, where others refuse."""
    ready: bool = False
    reasons: Sequence[str] = ()
    """Why it is not ready, or not reachable."""
    figures: Figures = field(default_factory=dict)
    """Its metrics."""


@dataclass(frozen=True, slots=True)
class Stored:
    positions: Mapping[TopicPartition, int]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Disk:
    """Where the files of the embedded engine are."""

    free: int
    """Bytes."""
    size: int


@dataclass(frozen=True, slots=True)
class Reading:
    at: int
    targets: Sequence[Target] = ()
    begins: Mapping[TopicPartition, int] | None = None
    ends: Mapping[TopicPartition, int] | None = None
    """None: the log could not be read; ``log_problem`` says why."""
    stored: Stored | None = None
    """None: the profile store could not be read; ``store_problem`` says why."""
    log_problem: str = ""
    store_problem: str = ""
    disk: Disk | None = None
    """Only where an engine is embedded."""

    def of(self, service: Service) -> Sequence[Target]:
        return [target for target in self.targets if target.service == service]

    def reached(self, service: Service) -> Sequence[Target]:
        return [target for target in self.of(service) if target.reachable]

    def waiting(self) -> Mapping[TopicPartition, int] | None:
        """Records between each partition's end and its stored position; None when either is not known."""
        if self.ends is None or self.begins is None or self.stored is None:
            return None
        positions, begins = self.stored.positions, self.begins
        return {where: max(end - positions.get(where, begins[where]), 0) for where, end in self.ends.items()}

    def values(self, name: str, service: Service) -> Iterator[float]:
        """Of a gauge, over all instances that answered."""
        for target in self.reached(service):
            yield from target.figures.get(name, {}).values()


def lag_of(reading: Reading, topic: str = "") -> int | None:
    """Records that wait, of one topic or of all; None when it cannot be known."""
    waiting = reading.waiting()
    if waiting is None:
        return None
    return sum(count for (of, _), count in waiting.items() if not topic or of == topic)
