"""Benchmarks of segments: what they cost events, a window that closes for many people at once, a new segment.

* Events with scores alone, and beside 0, 20 and 200 live segments, a fifth of which each event touches: as in
  ``processor``, CPU seconds of the real process on one core, the outbox included. The figure without segments is the
  limit of the others.
* Everybody looked at something in one second, and the window of an hour closes for all of them in one second: seconds
  from that instant to the commit that takes the last one out.
* A new segment whose events have to be read for everybody: seconds from its definition until nobody is behind.

Each run fails unless the members are those whom the events make.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.times import iso
from leocdp.contracts.topics import EVENTS_ACCEPTED, topic_spec
from leocdp.ports.config_view import publish_entry
from leocdp.ports.event_log import NewRecord
from tests.bench.figures import Figure, figure
from tests.bench.processes import DoesNotAddUp, cpu_seconds, free_port, full, metric, service, wait_for
from tests.bench.processor import Bench, append, pending
from tests.bench.traffic import NAMES, NEW_EVERY

PEOPLE, EVENTS, RUNS = 20_000, 20_000, 3
CROWD, LARGE_CROWD = 100_000, 1_000_000
PER_RECORD = 200
HOUR = 3_600_000
PATIENCE = 3_600.0


def conditions(count: int) -> Iterator[dict[str, Any]]:
    """What marketers ask, each a little different: counts, absences, sums, traits, left baskets."""
    for number in range(count):
        name, few = NAMES[number // 5 % len(NAMES)], 1 + number % 7
        yield (
            {"event": name, "count": {"is": "gte", "value": few}, "within": "30d"},
            {"all": [{"event": name}, {"event": name, "count": {"is": "eq", "value": 0}, "within": f"{few}d"}]},
            {
                "event": name,
                "aggregate": {"fn": "sum", "property": "price"},
                "is": "gt",
                "value": 200_000 * few,
                "within": "90d",
            },
            {"all": [{"trait": "name", "is": "contains", "value": "Lan"}, {"event": name, "within": "14d"}]},
            {"sequence": [{"event": name}, {"event": "Paid", "not": True}], "within": f"{few}h", "since": "3d"},
        )[number % 5]


async def define(folder: Path, wanted: Sequence[tuple[str, dict[str, Any]]], at: int, *, scores: bool = False) -> None:
    log = SQLiteEventLog(folder / "log.db", make_folder=True)
    await log.start()
    if scores:
        await publish_entry(log, ConfigEntry(kind="scoring", id="default", version=1, at=at - 1))
    for number, (id, condition) in enumerate(wanted):
        data = {"id": id, "name": id, "current": {"version": 1, "condition": condition}}
        await publish_entry(log, ConfigEntry(kind="segment", id=id, version=1, at=at + number, data=data))
    await log.close()


def now() -> int:
    return time.time_ns() // 1_000_000


# Events beside segments


def beside(count: int, *, scores: bool = False) -> list[float]:
    """Events per CPU second of each run."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name:
        folder = Path(name)
        wanted = [(f"sgm_{number:016x}", one) for number, one in enumerate(conditions(count))]
        asyncio.run(define(folder, wanted, now() - 1_000, scores=scores))
        settings = {"LEOCDP_DATA_DIR": name, "LEOCDP_PROCESSOR_PORT": str(port)}
        with service("leocdp_processor", port, core=0, **settings) as pid:
            bench = Bench(folder, pid, port, began=now() - 600_000)
            bench.process(PEOPLE, 1)
            used = [bench.process(EVENTS, NEW_EVERY)[0] for _ in range(RUNS)]
            if count and not metric(port, "leocdp_processor_memberships_total", change="entered"):
                raise DoesNotAddUp(f"nobody has entered any of {count} segments")
    return [EVENTS / each for each in used]


def events_beside_segments() -> list[Figure]:
    without = beside(0)
    figures = [figure("processor without segments, embedded, one core", without, "events per CPU second")]
    figures.append(
        figure(
            "processor with scores by the built-in metrics, embedded, one core",
            beside(0, scores=True),
            "events per CPU second",
            limits=without,
            limit_of="without segments",
        )
    )
    for count in (20, 200):
        figures.append(
            figure(
                f"processor beside {count} live segments, embedded, one core",
                beside(count),
                "events per CPU second",
                limits=without,
                limit_of="without segments",
                note=f"{PEOPLE:,} people and more, new:known 1:4, each event touches a fifth of the segments",
            )
        )
    return figures


# Many people at once


class Crowd:
    """A processor whose people all looked at something in one second, nearly an hour ago."""

    def __init__(self, folder: Path, pid: int, port: int, people: int) -> None:
        self._folder = folder
        self._pid = pid
        self._port = port
        self._people = people

    def looks(self, at: int) -> None:
        with closing(sqlite3.connect(f"file:{self._folder / 'profiles.db'}?mode=ro", uri=True)) as store:
            for start in range(0, self._people, 20_000):
                fresh = list(looked(start, min(self._people, start + 20_000), at))
                asyncio.run(append(lambda: SQLiteEventLog(self._folder / "log.db"), fresh))
            wait_for(lambda: self.count(store, "events") >= self._people, PATIENCE, "the processor stands still")
            wait_for(lambda: not pending(store), PATIENCE, "the outbox is not emptied")

    @staticmethod
    def count(store: sqlite3.Connection, name: str) -> int:
        found = store.execute("SELECT n FROM counters WHERE name = ?", (name,)).fetchone()
        return int(found[0]) if found else 0

    def left(self, at: int) -> tuple[float, float]:
        """(seconds from the instant until the last one has left, CPU seconds)."""
        wait_for(lambda: now() >= at, PATIENCE, "")
        cpu = cpu_seconds(self._pid)
        wait_for(lambda: self.moves("left", "time") >= self._people, PATIENCE, "timers stand still")
        return (now() - at) / 1000, cpu_seconds(self._pid) - cpu

    def built(self, id: str) -> tuple[float, float]:
        """The same of a new segment: from its definition until everybody who belongs there has been told of."""
        cpu, began = cpu_seconds(self._pid), time.monotonic()
        condition = {"event": "Looked", "count": {"is": "gte", "value": 1}}
        asyncio.run(define(self._folder, [(id, condition)], now()))
        wait_for(lambda: self.moves("entered", "backfill") >= self._people, PATIENCE, "nobody is brought up")
        return time.monotonic() - began, cpu_seconds(self._pid) - cpu

    def moves(self, change: str, cause: str) -> float:
        return metric(self._port, "leocdp_processor_memberships_total", change=change, cause=cause)


def looked(first: int, end: int, at: int) -> Iterator[NewRecord]:
    partitions = topic_spec(EVENTS_ACCEPTED).partitions
    for start in range(first, end, PER_RECORD):
        items = [
            Item("track", json.dumps({**_person(number), "event": "Looked", "timestamp": iso(at)}).encode())
            for number in range(start, min(end, start + PER_RECORD))
        ]
        block = RequestBlock(now(), "bench", "segment", items, authenticated=True)
        yield NewRecord(EVENTS_ACCEPTED, start // PER_RECORD % partitions, encode(AcceptedRecord(VERSION, [block])))


def _person(number: int) -> dict[str, Any]:
    return {"type": "track", "messageId": f"looked-{number}", "userId": f"user-{number:08d}", "properties": {}}


def crowd(people: int) -> list[Figure]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name:
        folder = Path(name)
        asyncio.run(define(folder, [("sgm_looked", {"event": "Looked", "within": "1h"})], now() - 1_000))
        settings = {"LEOCDP_DATA_DIR": name, "LEOCDP_PROCESSOR_PORT": str(port)}
        with service("leocdp_processor", port, core=0, **settings) as pid:
            one = Crowd(folder, pid, port, people)
            # So much time as it takes until all of them are in.
            at = now() - HOUR + people * 1_000 // 1_500 + 5_000
            one.looks(at)
            if one.moves("entered", "event") != people:
                raise DoesNotAddUp(f"{people} looked, {one.moves('entered', 'event'):.0f} entered")
            seconds, cpu = one.left(at + HOUR)
            built, build_cpu = one.built("sgm_new")
    return [
        figure(
            f"a window closes for {people:,} people in one second: until the last one has left",
            [seconds],
            "s",
            note=f"{people / cpu:,.0f} people per CPU second",
        ),
        figure(
            f"a new segment over {people:,} people, of whom all are in: until the last one is told of",
            [built],
            "s",
            note=f"the events of everybody are read; {people / build_cpu:,.0f} people per CPU second",
        ),
    ]


def main() -> Sequence[Figure]:
    figures = [*events_beside_segments(), *crowd(CROWD)]
    if full():
        figures += crowd(LARGE_CROWD)
    return figures


if __name__ == "__main__":
    for each in main():
        print(f"{each.what}: {each.value:,.1f} {each.unit}  {each.note}", flush=True)
