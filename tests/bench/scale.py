"""Benchmark at the sizes of the tiers: a million people and more with ten events each, through the whole product.

``make bench ARGS="scale --people 1000000 --events 10"`` for other sizes, or ``python -m tests.bench.scale [PEOPLE
[EVENTS_PER_PERSON]] [--kafka] [--halfway]`` for one of the two logs; both print progress.
Load: all four services run as ``leocdp run`` starts them. Events go into the log (embedded, or a real Kafka) in ten
portions; each is worked off before the next. One event of as many as a person has is of somebody new, the others of
anybody known, all equally often, so that the first portion meets a small store and the last a full one. Then look-ups
through the gateway and pages of admin, one after the other, and the memory that every process has used at the most. Its
own is what stands against the limit of its pod: files that are mapped can be dropped, and with ArangoDB there are none.
The limit of the cost per event is that of the first portion in the same run: a flat cost is 1.
``--halfway`` asks all of it also when half of the people are there, which makes one run show two sizes.
A run fails unless events sent, stored and counted, people and identifiers are as many as were sent.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.ports.event_log import EventLog
from leocdp_cli.capacity.figures import TIERS
from tests.bench.figures import Figure, figure
from tests.bench.observer_kafka import log_of
from tests.bench.processes import DoesNotAddUp, cpu_seconds, full, percentile
from tests.bench.processor import append, applied, pending
from tests.bench.traffic import BEGAN, PER_MS, anonymous_id, records
from tests.capabilities import missing
from tests.faults.stack import SERVICES, Stack, running_stack
from tests.kafka import kafka_for_tests

SMALL, LARGE = 20_000, 1_000_000
PER_PERSON = 10
PORTIONS = 10
CHUNK = 50_000
LOOKUPS = 300
PAGES = 20
PATIENCE = 7_200.0
PRO_CONDITION = {"event": "Order Completed", "count": {"is": "gte", "value": 2}}


@dataclass
class Load:
    """What has been put into the log, and what it has cost the processor, portion by portion."""

    stack: Stack
    open_log: Callable[[], EventLog]
    per_person: int
    sent: int = 0
    people: int = 0
    micros: list[float] = field(default_factory=list)
    """CPU of the processor per event."""
    own: dict[str, int] = field(default_factory=dict)
    """Bytes of memory that were a service's own when they were most, seen whenever the load was looked at."""
    per_second: list[float] = field(default_factory=list)

    def portion(self, count: int) -> None:
        pid = self.stack.pid("processor")
        if pid is None:
            raise DoesNotAddUp("the processor has ended")
        began, used = time.perf_counter(), cpu_seconds(pid)
        for begin in range(0, count, CHUNK):
            self._put(min(CHUNK, count - begin))
        with closing(self.store()) as store:
            deadline = time.monotonic() + PATIENCE
            while applied(store) < self.sent or pending(store):
                if time.monotonic() > deadline or self.stack.pid("processor") != pid:
                    raise DoesNotAddUp(f"the processor stands at {applied(store):,} of {self.sent:,}")
                self.look_at_memory()
                time.sleep(0.1)
        self.micros.append((cpu_seconds(pid) - used) / count * 1e6)
        self.per_second.append(count / (time.perf_counter() - began))

    def look_at_memory(self) -> None:
        for service in SERVICES:
            pid = self.stack.pid(service)
            if pid is not None:
                self.own[service] = max(self.own.get(service, 0), memory(pid, "RssAnon"))

    def _put(self, count: int) -> None:
        at = BEGAN + self.sent // PER_MS
        fresh = records(count, self.sent, received_at=at, first_person=self.people, new_every=self.per_person)
        asyncio.run(append(self.open_log, list(fresh)))
        self.sent += count
        self.people += -(-count // self.per_person)

    def store(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.stack.data_dir / 'profiles.db'}?mode=ro", uri=True)

    def reconcile(self) -> None:
        with closing(self.store()) as store:
            events = store.execute("SELECT count(*), count(leaf) FROM events").fetchone()
            people = store.execute("SELECT count(*) FROM profiles WHERE root IS NULL").fetchone()[0]
            keys = store.execute("SELECT count(*) FROM identifiers").fetchone()[0]
        if (*events, people, keys) != (self.sent, self.sent, self.people, 3 * self.people):
            raise DoesNotAddUp(
                f"sent {self.sent} of {self.people} people, stored {events} of {people} with {keys} keys"
            )


def milliseconds(ask: Callable[[int], httpx.Response], times: int) -> list[float]:
    took = []
    for number in range(times):
        began = time.perf_counter()
        answer = ask(number)
        took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise DoesNotAddUp(f"{answer.request.url}: {answer.status_code} {answer.text[:200]}")
    return took


@contextmanager
def logged_in(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.gateway, follow_redirects=True, timeout=120) as browser:
        browser.get("/login")
        browser.post("/login", data={"email": "owner@example.vn", "password": "correct horse battery"})
        yield browser


def answers(stack: Stack, people: int) -> Iterator[tuple[str, list[float], float]]:
    """(what, milliseconds of each, the most that p95 may be)"""
    random = Random(people)
    somebody = [random.randrange(people) for _ in range(LOOKUPS)]
    with stack.api() as api, logged_in(stack) as browser:
        api.timeout = httpx.Timeout(120)
        ids: list[str] = []

        def look_up(number: int) -> httpx.Response:
            answer = api.get(f"/profiles/anonymous_id:{anonymous_id(somebody[number])}")
            ids.append(answer.json().get("id", ""))
            return answer

        def preview(_: int) -> httpx.Response:
            return api.post("/segments/preview", json={"condition": PRO_CONDITION})

        def page(path: str, **query: Any) -> Callable[[int], httpx.Response]:
            return lambda _: browser.get(path, params=query)

        yield "look-up by identifier over HTTP", milliseconds(look_up, LOOKUPS), 50
        yield "page of a person", milliseconds(lambda number: browser.get(f"/profiles/{ids[number]}"), PAGES), 500
        yield "first page of the people", milliseconds(page("/profiles"), PAGES), 500
        email = f"person{somebody[0]:08d}@example.vn"
        yield "search by e-mail address", milliseconds(page("/profiles", q=email), PAGES), 500
        yield "search by a common name", milliseconds(page("/profiles", q="Nguyen Thi Lan"), PAGES), 500
        yield "home page", milliseconds(page("/"), PAGES), 1_000
        yield "preview of a segment, first answer", milliseconds(preview, 5), 1_000


def memory(pid: int, what: str) -> int:
    """Bytes: ``VmHWM`` is all that a process had in memory at the most, ``RssAnon`` what is its own now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) * 1024


def memory_figures(load: Load, what: str) -> Iterator[Figure]:
    load.look_at_memory()
    for service, own in load.own.items():
        pid = load.stack.pid(service)
        if pid is not None:
            yield figure(
                f"{service}, {what}: own memory at the most",
                [own / 2**20],
                "MiB",
                target=TIERS[0].memory[service],
                at_most=True,
                note=f"the limit of its pod; {memory(pid, 'VmHWM') / 2**20:,.0f} MiB with mapped files",
            )


def figures_of(load: Load, what: str) -> Iterator[Figure]:
    shown = " ".join(f"{one:.0f}" for one in load.micros)
    yield figure(
        f"processor, {what}: cost of an event in the last tenth",
        load.micros[-1:],
        "µs of CPU",
        limits=load.micros[:1],
        limit_of="in the first tenth",
        target=1.5,
        at_most=True,
        note=f"by tenths {shown}; {load.per_second[0]:,.0f} events/s by the clock in the first, "
        f"{load.per_second[-1]:,.0f} in the last, the writing of the log included",
    )
    for name, took, most in answers(load.stack, load.people):
        yield figure(
            f"{name}, {what}, p95",
            [percentile(took, 0.95)],
            "ms",
            target=most,
            at_most=True,
            note=f"p50 {percentile(took, 0.5):.1f} ms, one after the other, {len(took)} times",
        )
    yield from memory_figures(load, what)
    for name in ("profiles.db", "log.db"):
        path = load.stack.data_dir / name
        if path.exists() and load.sent:
            size = sum(part.stat().st_size for part in load.stack.data_dir.glob(f"{name}*"))
            note = f"{size / load.sent:,.0f} bytes per event, {size / load.people:,.0f} per person"
            yield figure(f"{name}, {what}", [size / 2**30], "GiB", note=note)


def show(found: Sequence[Figure]) -> None:
    """At once: a run of hours may end badly later."""
    for one in found:
        print(f"{one.what}: {one.value:,.1f} {one.unit}{f' ({one.note})' if one.note else ''}", flush=True)


def measure(people: int, per_person: int, *, url: str = "", halfway: bool = False) -> list[Figure]:
    """``url``: of a Kafka; the embedded log without one. Raises DoesNotAddUp."""
    how = f"people with {per_person} events{' through Kafka' if url else ''}"
    what, found = f"{people:,} {how}", []
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name, ExitStack() as stack:
        settings = {"LEOCDP_LOG_LEVEL": "WARNING", **({"LEOCDP_LOG_URL": url} if url else {})}
        running = stack.enter_context(running_stack(Path(name), **settings))
        embedded = running.data_dir / "log.db"
        load = Load(running, (lambda: log_of(url)) if url else (lambda: SQLiteEventLog(embedded)), per_person)
        for number in range(PORTIONS):
            load.portion(people * per_person // PORTIONS)
            print(
                f"  {what}: portion {number + 1} of {PORTIONS}, {load.micros[-1]:.0f} µs of CPU per event, "
                f"{load.per_second[-1]:,.0f} events/s",
                flush=True,
            )
            if number + 1 == PORTIONS or (halfway and number + 1 == PORTIONS // 2):
                load.reconcile()
                now = list(figures_of(load, f"{load.people:,} {how}"))
                show(now)
                found += now
        return found


def through_kafka(people: int, per_person: int, *, halfway: bool = False) -> list[Figure]:
    """Nothing where no broker can be started."""
    if missing("kafka"):
        return []
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name:
        folder = Path(name)

        def make(prefix: str) -> Path:
            made = folder / prefix
            made.mkdir()
            return made

        with kafka_for_tests(lambda _: None, make) as broker:
            return measure(people, per_person, url=broker.url(), halfway=halfway)


def main() -> Sequence[Figure]:
    people = int(os.environ.get("LEOCDP_BENCH_PEOPLE") or (LARGE if full() else SMALL))
    per_person = int(os.environ.get("LEOCDP_BENCH_EVENTS") or PER_PERSON)
    return [*measure(people, per_person), *through_kafka(people, per_person)]


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:] if word.isdigit()]
    people, per_person = (*sizes, *(SMALL, PER_PERSON)[len(sizes) :])
    run = through_kafka if "--kafka" in sys.argv else measure
    run(people, per_person, halfway="--halfway" in sys.argv)
