"""Benchmark of the whole product: how long from an HTTP request until its event is in the profile store.

Load: all services as ``leocdp run`` starts them, one event per request over keep-alive connections, new and known
people one to four. First closed loop: what the system takes at the most (events applied a second while more wait).
Then open loop at half of that, once to warm up and then in runs; the time of an event counts from when its request was
due until a reader that asks again every few milliseconds sees it. Sender, reader and services share the cores.
A run fails unless every request was answered with 200, and what was sent is what the store has and shows.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from tests.bench.figures import Figure, figure
from tests.bench.open_loop import Load, closed_loop, open_loop, post
from tests.bench.processes import DoesNotAddUp, full, percentile
from tests.bench.traffic import items
from tests.faults.stack import WRITE_KEY, running_stack

RUNS = 3
SECONDS = 8.0
SATURATED = 6.0
CONNECTIONS = 64
LOOK_EVERY = 0.003
PATIENCE = 120.0
MOST_LOOKED_BACK = 5_000


@dataclass(frozen=True)
class Run:
    rate: float
    answers: Sequence[float]
    visible: Sequence[float]
    """Seconds from due to answered, and from due to seen."""
    late: float


class Requests(Iterator[bytes]):
    """One request per event; remembers the message ids in the order of sending."""

    def __init__(self, seed: int) -> None:
        self._items = items(10_000_000, seed)
        self.ids: list[str] = []

    def __next__(self) -> bytes:
        _, item = next(self._items)
        self.ids.append(json.loads(item.body)["messageId"])
        return post(f"/v1/{item.type}", item.body, WRITE_KEY)


class Watcher:
    """Notes when each message is seen first."""

    def __init__(self, reader: SQLiteProfileReader) -> None:
        self._reader = reader
        self.last = -1
        self.seen: dict[str, float] = {}

    async def look(self) -> int:
        """How many are new. Raises DoesNotAddUp when so many are that some may have been passed over."""
        found = await self._reader.recent_events(after=self.last, limit=MOST_LOOKED_BACK)
        now = time.perf_counter()
        for _, event in found:
            self.seen.setdefault(event.message_id, now)
        if len(found) == MOST_LOOKED_BACK:
            raise DoesNotAddUp("more events came at once than the reader shows")
        self.last = found[0][0] if found else self.last
        return len(found)

    async def run(self) -> None:
        while True:
            if not await self.look():
                await asyncio.sleep(LOOK_EVERY)


async def stored(reader: SQLiteProfileReader, wanted: int) -> None:
    """Wait until so many events are applied. Raises DoesNotAddUp when fewer or more are, or anything failed."""
    deadline = time.monotonic() + PATIENCE
    while (counts := await reader.counts()).events < wanted and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    others = counts.duplicates + counts.filtered + counts.dead_letters + counts.rejected
    if counts.events != wanted or others:
        raise DoesNotAddUp(f"{wanted} events were answered with 200; the store says {counts}")


def check(load: Load) -> None:
    if set(load.statuses) != {200}:
        raise DoesNotAddUp(f"answers by status: {dict(load.statuses)}")


async def capacity(port: int, reader: SQLiteProfileReader) -> tuple[float, int]:
    """Events applied a second while the system is given more than it can do, and how many were sent in all."""
    sending = asyncio.create_task(closed_loop(port, Requests(0), seconds=SATURATED, connections=CONNECTIONS))
    await asyncio.sleep(SATURATED / 3)
    before, began = (await reader.counts()).events, time.perf_counter()
    load = await sending
    rate = ((await reader.counts()).events - before) / (time.perf_counter() - began)
    check(load)
    await stored(reader, len(load.due))
    return rate, len(load.due)


async def one_run(port: int, reader: SQLiteProfileReader, rate: float, seed: int, before: int) -> Run:
    requests, watcher = Requests(seed), Watcher(reader)
    newest = await reader.recent_events(limit=1)
    watcher.last = newest[0][0]
    watching = asyncio.create_task(watcher.run())
    load = await open_loop(port, requests, rate=rate, seconds=SECONDS, connections=CONNECTIONS, seed=seed)
    check(load)
    await stored(reader, before + len(load.due))
    watching.cancel()
    await asyncio.wait([watching])
    if not watching.cancelled():
        watching.result()
    while await watcher.look():
        pass
    if watcher.seen.keys() != set(requests.ids):
        raise DoesNotAddUp(f"{len(requests.ids)} events were sent and {len(watcher.seen)} were seen")
    visible = [watcher.seen[one] - due for one, due in zip(requests.ids, load.due, strict=True)]
    return Run(rate, load.seconds, visible, load.late)


async def measure(port: int, path: Path, runs: int) -> tuple[float, list[Run]]:
    reader = SQLiteProfileReader(path)
    await reader.start()
    most, sent = await capacity(port, reader)
    done = []
    for seed in range(1, runs + 2):
        done.append(await one_run(port, reader, most / 2, seed, sent))
        sent += len(done[-1].visible)
    await reader.close()
    return most, done[1:]


def shown(most: float, runs: Sequence[Run], through: str = "") -> list[Figure]:
    late = max(run.late for run in runs) * 1000
    note = (
        f"open loop, {runs[0].rate:,.0f} events/s, half of the {most:,.0f} that the system applied when given more; "
        f"one event per request, {CONNECTIONS} connections, {SECONDS:.0f} s a run; sender at most {late:.0f} ms late"
    )
    figures = []
    for part, target in ((0.5, None), (0.95, 1_000.0), (0.99, None)):
        figures.append(
            figure(
                f"event accepted{through} → visible in the profile store, p{part * 100:.0f}",
                [percentile(run.visible, part) * 1000 for run in runs],
                "ms",
                limits=[percentile(run.answers, part) * 1000 for run in runs],
                limit_of="HTTP answer of the same requests",
                target=target,
                at_most=True,
                absolute=True,
                note=note if part == 0.95 else "",
            )
        )
    return figures


def figures_of(through: str = "", **environment: str) -> Sequence[Figure]:
    """Of the product with these settings; it stores into SQLite."""
    with (
        tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name,
        running_stack(Path(name), LEOCDP_OBSERVER_RATE_LIMIT="0", LEOCDP_LOG_LEVEL="WARNING", **environment) as stack,
    ):
        path = stack.data_dir / "profiles.db"
        most, runs = asyncio.run(measure(stack.ports["observer"], path, 3 * RUNS if full() else RUNS))
    return shown(most, runs, through)


def main() -> Sequence[Figure]:
    return figures_of()


if __name__ == "__main__":
    for one in main():
        print(f"{one.what}: {one.value:,.0f} {one.unit} ({one.low:,.0f}–{one.high:,.0f}); {one.note}", flush=True)
