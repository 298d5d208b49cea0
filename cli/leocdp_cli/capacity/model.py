"""The arithmetic: what people and events need, line by line, and what a tier has of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from leocdp.contracts.topics import EVENTS_ACCEPTED, GIB, TOPICS, fitted, topic_spec
from leocdp_cli.capacity import figures as f
from leocdp_cli.capacity.figures import Basis, Tier

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of an installation."""

    profiles: int
    events_per_day: int
    event_bytes: int = f.EVENT_BYTES
    days: int = 365
    """For so long events come in before the database may be full: nothing removes them from there."""
    peak: float = f.PEAK
    retention_days: int = f.LOG_DAYS
    """For so long the log must hold what comes."""
    identifiers: int = f.IDENTIFIERS
    """Of one person."""

    @property
    def average(self) -> float:
        """Events per second."""
        return self.events_per_day / DAY_SECONDS

    @property
    def busiest(self) -> float:
        return self.average * self.peak


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is needed. ``need`` and ``have`` in ``unit``; ``role`` is that of the servers which have it."""

    role: str
    what: str
    need: float
    have: float
    unit: str
    basis: Basis

    @property
    def share(self) -> float:
        """Of what there is; above 1 it does not fit."""
        return self.need / self.have

    @property
    def fits(self) -> bool:
        return self.need <= self.have


@dataclass(frozen=True, slots=True)
class Plan:
    """How a demand fares on a tier."""

    tier: Tier
    lines: Sequence[Line]
    log_days: float
    """For how long the log holds what comes, at the most 30."""
    full_after_days: float
    """When the database's disk is four fifths full."""
    cached_people: float
    """Share of the people whose profiles fit the cache of the database; the others are read from its disk."""
    most_events_per_day: int
    """With these people and everything else as asked, before the first line does not fit."""
    first: str
    """The line that does not fit first when events grow."""

    @property
    def fits(self) -> bool:
        return all(line.fits for line in self.lines)


def plan(demand: Demand, tier: Tier) -> Plan:
    found = lines(demand, tier)
    most, first = _most(demand, tier)
    return Plan(
        tier=tier,
        lines=found,
        log_days=log_days(demand, tier),
        full_after_days=_full_after(demand, tier),
        cached_people=cached_people(demand, tier),
        most_events_per_day=most,
        first=first,
    )


def lines(demand: Demand, tier: Tier) -> list[Line]:
    """Every line grows with events or people, or stays: more of either never needs less."""
    observer = demand.busiest / f.OBSERVER_PER_CPU_SECOND * f.SAFETY
    processor = demand.busiest * f.PROCESSOR_MICROS / 1e6 * f.SAFETY
    log = demand.retention_days * daily_log_bytes(demand) / GIB
    database = database_bytes(demand, demand.days) / GIB
    backups = database * f.DUMP_FACTOR * (tier.backups + 1)
    partitions = topic_spec(EVENTS_ACCEPTED).partitions
    basis: Basis = "measured" if demand.profiles <= f.MEASURED_PEOPLE else "estimate"
    return [
        Line("all", "people", demand.profiles, tier.people, "people", "given"),
        Line("observer", "observers", observer, tier.observer_cpus, "CPUs", "measured"),
        Line("log", "partitions, for a processor each", ceil(processor), partitions, "partitions", basis),
        Line("log", "log, days that it must hold", log, log_gib(tier), "GiB", "measured"),
        Line("processor", "processors", processor, tier.processor_cpus, "CPUs", basis),
        Line("database", "CPU of the leader", processor, tier.database_cpus, "CPUs", "estimate"),
        Line(
            "database", "commits, one after the other", demand.busiest, f.COMMITTED_PER_SECOND, "events/s", "estimate"
        ),
        Line("database", "database", database, tier.database_gib * f.DISK_USED, "GiB", "estimate"),
        Line("database", "backups", backups, tier.backup_gib, "GiB", "estimate"),
        *_memory(tier, basis),
    ]


def _memory(tier: Tier, basis: Basis) -> list[Line]:
    """Of the fullest pod; it does not grow with events."""
    role = {"gateway": "admin"}
    return [
        Line(role.get(service, service), f"memory of {service}", used, tier.memory[service], "MiB", basis)
        for service, used in f.MEMORY.items()
    ]


def database_bytes(demand: Demand, days: float) -> float:
    further = max(0, demand.identifiers - f.IDENTIFIERS)
    people = demand.profiles * (f.PERSON_BYTES + further * f.IDENTIFIER_BYTES)
    events = demand.events_per_day * days * demand.event_bytes * f.STORED_FACTOR
    return (people + events) * f.ARANGO_FACTOR


def daily_log_bytes(demand: Demand) -> float:
    """Of one copy, of which each broker has one."""
    return demand.events_per_day * demand.event_bytes * f.LOG_FACTOR


def log_gib(tier: Tier) -> float:
    """What the topic of accepted events may take on one broker."""
    topics = {spec.name: spec for spec in fitted(TOPICS, int(tier.log_gib * GIB))}
    return (topics[EVENTS_ACCEPTED].retention_bytes or 0) / GIB


def log_days(demand: Demand, tier: Tier) -> float:
    daily = daily_log_bytes(demand)
    return min(f.LOG_DAYS_AT_MOST, log_gib(tier) * GIB / daily) if daily else f.LOG_DAYS_AT_MOST


def cached_people(demand: Demand, tier: Tier) -> float:
    further = max(0, demand.identifiers - f.IDENTIFIERS)
    person = (f.CACHED_PERSON_BYTES + further * f.IDENTIFIER_BYTES) * f.ARANGO_FACTOR
    return min(1.0, tier.cache_gib * GIB / (demand.profiles * person))


def _full_after(demand: Demand, tier: Tier) -> float:
    room = tier.database_gib * f.DISK_USED * GIB - database_bytes(demand, 0)
    daily = database_bytes(demand, 1) - database_bytes(demand, 0)
    return max(0.0, room / daily) if daily else float("inf")


def _most(demand: Demand, tier: Tier) -> tuple[int, str]:
    """By halving: every line grows with events."""
    low, high = 0, 10_000_000_000
    while high - low > max(1, low // 1000):
        middle = (low + high) // 2
        if all(line.fits for line in lines(replace(demand, events_per_day=middle), tier)):
            low = middle
        else:
            high = middle
    first = max(lines(replace(demand, events_per_day=high), tier), key=lambda line: line.share)
    return low, first.what
