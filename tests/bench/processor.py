"""Benchmark of the processor: events per second of one core, beside plain SQLite writing the same rows.

Load: the real process, pinned to one core, on an embedded log. It stands still (SIGSTOP) while a run's events are
appended, then works them off: new and known people one to four, everybody equally often, three identifiers each. The
figure is events divided by the CPU seconds of the process from one idle moment to the next, outbox included.
Warm-up: the same process builds the people there are first. After each run SQLite writes the same rows (the limit).
A run fails unless what was sent is what the processor counted and what stands in the store, and nothing else does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.adapters.sqlite.profiles.connection import Tuning
from leocdp.ports.event_log import EventLog, NewRecord
from tests.bench.figures import Figure, figure
from tests.bench.plain_sqlite import PlainSQLite
from tests.bench.processes import DoesNotAddUp, cpu_seconds, free_port, full, metric, resident_bytes, service, wait_for
from tests.bench.traffic import BEGAN, NEW_EVERY, PER_MS, records

RUNS = 3
EVENTS = 40_000
SMALL, LARGE = 100_000, 1_000_000
PATIENCE = 3_600.0
CHUNK = 200
ITEMS = "leocdp_processor_items_total"


@dataclass(frozen=True)
class Run:
    events: int
    cpu: float
    wall: float
    plain: float


class Bench:
    """A processor on a folder of its own, and what has been sent to it."""

    def __init__(
        self,
        folder: Path,
        pid: int,
        port: int,
        open_log: Callable[[], EventLog] | None = None,
        *,
        began: int = BEGAN,
    ) -> None:
        """``began``: when the first event happened (ms)."""
        self._began = began
        self._open_log = open_log or (lambda: SQLiteEventLog(folder / "log.db", make_folder=True))
        self._folder = folder
        self._pid = pid
        self._port = port
        self.people = 0
        self.sent = 0

    def process(self, count: int, new_every: int) -> tuple[float, float]:
        """Send events and wait until all are applied; (CPU seconds, wall seconds)."""
        fresh = records(
            count,
            self.sent,
            received_at=self._began + self.sent // PER_MS,
            first_person=self.people,
            new_every=new_every,
        )
        os.kill(self._pid, signal.SIGSTOP)
        try:
            asyncio.run(append(self._open_log, list(fresh)))
        finally:
            os.kill(self._pid, signal.SIGCONT)
        began, cpu = time.perf_counter(), cpu_seconds(self._pid)
        self.sent += count
        self.people += -(-count // new_every)
        with closing(sqlite3.connect(f"file:{self._folder / 'profiles.db'}?mode=ro", uri=True)) as store:
            wait_for(lambda: applied(store) >= self.sent and not pending(store), PATIENCE, "the processor stands still")
        wall = time.perf_counter() - began
        used = cpu_seconds(self._pid) - cpu
        self._reconcile()
        return used, wall

    def _reconcile(self) -> None:
        with closing(sqlite3.connect(f"file:{self._folder / 'profiles.db'}?mode=ro", uri=True)) as store:
            stored = store.execute("SELECT count(*), count(DISTINCT message_id), count(leaf) FROM events").fetchone()
            people = store.execute("SELECT count(*) FROM profiles WHERE root IS NULL").fetchone()[0]
            keys = store.execute("SELECT count(*) FROM identifiers").fetchone()[0]
        told = {
            "events stored, different, with a person": stored,
            "counted as applied": (metric(self._port, ITEMS, outcome="applied"),) * 3,
            "counted with any outcome": (metric(self._port, ITEMS),) * 3,
        }
        if any(numbers != (self.sent,) * 3 for numbers in told.values()):
            raise DoesNotAddUp(f"sent {self.sent}, {told}")
        if (people, keys) != (self.people, 3 * self.people):
            raise DoesNotAddUp(f"{self.people} people were sent; stored are {people} with {keys} identifiers")


async def append(open_log: Callable[[], EventLog], fresh: Sequence[NewRecord]) -> None:
    log = open_log()
    await log.start()
    for at in range(0, len(fresh), CHUNK):
        await log.append(fresh[at : at + CHUNK])
    await log.close()


def applied(store: sqlite3.Connection) -> int:
    found = store.execute("SELECT n FROM counters WHERE name = 'events'").fetchone()
    return int(found[0]) if found else 0


def pending(store: sqlite3.Connection) -> bool:
    return store.execute("SELECT 1 FROM outbox LIMIT 1").fetchone() is not None


def measure(people: int, events: int, runs: int) -> Figure:
    """Raises DoesNotAddUp."""
    tuning = Tuning()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name:
        folder = Path(name)
        settings = {
            "LEOCDP_DATA_DIR": name,
            "LEOCDP_PROCESSOR_PORT": str(port),
            "LEOCDP_STORE_CACHE_MB": str(tuning.cache_mb),
        }
        with service("leocdp_processor", port, core=0, **settings) as pid:
            bench = Bench(folder, pid, port)
            with closing(PlainSQLite(folder / "plain.db", folder / "profiles.db", tuning)) as plain:
                fill(bench, plain, people)
                done = [one_run(bench, plain, events) for _ in range(runs)]
            memory = resident_bytes(pid)
    return shown(people, done, memory)


def fill(bench: Bench, plain: PlainSQLite, people: int) -> None:
    """Build the people, in both stores, in steps that the memory of this process can hold."""
    while bench.people < people:
        marks = plain.marks()
        bench.process(min(100_000, people - bench.people), 1)
        plain.write(marks)


def one_run(bench: Bench, plain: PlainSQLite, events: int) -> Run:
    marks = plain.marks()
    cpu, wall = bench.process(events, NEW_EVERY)
    return Run(events, cpu, wall, plain.write(marks))


def shown(people: int, runs: Sequence[Run], memory: int) -> Figure:
    wall = sorted(run.events / run.wall for run in runs)[len(runs) // 2]
    micros = sorted(run.cpu / run.events * 1e6 for run in runs)[len(runs) // 2]
    plain = sorted(run.plain / run.events * 1e6 for run in runs)[len(runs) // 2]
    return figure(
        f"processor, embedded, one core, {people:,} people stored",
        [run.events / run.cpu for run in runs],
        "events per CPU second",
        limits=[run.events / run.plain for run in runs],
        limit_of="plain SQLite, same rows",
        target=0.4,
        note=(
            f"new:known people 1:4, 3 identifiers, {runs[0].events:,} events a run from a filled log; "
            f"{micros:.0f} µs of CPU per event beside {plain:.0f} µs, {wall:,.0f} events/s by the clock, "
            f"{memory >> 20} MiB of memory"
        ),
    )


def main() -> Sequence[Figure]:
    figures = [measure(SMALL, EVENTS, RUNS)]
    if full():
        figures.append(measure(LARGE, EVENTS, RUNS))
    return figures


if __name__ == "__main__":
    people, events, runs = (*map(int, sys.argv[1:]), *(SMALL, EVENTS, RUNS)[len(sys.argv) - 1 :])
    one = measure(people, events, runs)
    print(f"{one.what}: {one.value:,.0f} {one.unit}, {one.ratio:.2f} of plain SQLite\n{one.note}", flush=True)
