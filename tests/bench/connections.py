"""Benchmark of the observer with 1,000 keep-alive connections: latency and memory at 70 % of its capacity.

Load: the observer pinned to one core. First ``wrk`` in a closed loop: what it takes at the most. Then open loop at 70 %
of that over all connections in turn, one event per request, each answered after the log has it: once to warm up, then
in runs. Latency counts from when a request was due. The limit is a raw ASGI function under the same load. A run fails
unless every request was answered with 200, and what was answered is what the observer counted and the log has.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.bench.figures import Figure, figure
from tests.bench.observer import CONNECTIONS as WRK_CONNECTIONS
from tests.bench.observer import (
    WRITE_KEY,
    accepted_at_rest,
    count_stored,
    free_port,
    load,
    publish_source,
    reconcile,
    server,
    write_script,
)
from tests.bench.observer import __file__ as RAW
from tests.bench.open_loop import Load, open_loop, post
from tests.bench.processes import DoesNotAddUp, full, percentile, resident_bytes
from tests.bench.traffic import items

CONNECTIONS = 1_000
PART = 0.7
RUNS = 3
SECONDS = 5.0
SATURATED = 3
MIB = 1 << 20


@dataclass(frozen=True)
class Measured:
    rate: float
    p50: list[float]
    p99: list[float]
    late: float
    memory: list[int]
    """After the warm-up and after each run."""
    answered: int


async def one_run(port: int, rate: float, requests: Sequence[bytes], seconds: float, seed: int) -> Load:
    done = await open_loop(
        port, itertools.cycle(requests), rate=rate, seconds=seconds, connections=CONNECTIONS, seed=seed
    )
    if set(done.statuses) != {200}:
        raise DoesNotAddUp(f"answers by status: {dict(done.statuses)}")
    return done


@contextmanager
def on_last_core() -> Iterator[None]:
    """The sender away from the server's core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def drive(port: int, pid: int, rate: float, requests: Sequence[bytes], runs: int) -> Measured:
    with on_last_core(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        warm = runner.run(one_run(port, rate, requests, SECONDS, 0))
        memory, loads = [resident_bytes(pid)], []
        for seed in range(1, runs + 1):
            loads.append(runner.run(one_run(port, rate, requests, SECONDS, seed)))
            memory.append(resident_bytes(pid))
    return Measured(
        rate,
        [percentile(one.seconds, 0.5) * 1000 for one in loads],
        [percentile(one.seconds, 0.99) * 1000 for one in loads],
        max(one.late for one in loads) * 1000,
        memory,
        sum(len(one.seconds) for one in (warm, *loads)),
    )


def observer(requests: Sequence[bytes], runs: int) -> tuple[float, Measured]:
    """Capacity in requests a second, and what was measured at a part of it."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name:
        folder = Path(name)
        asyncio.run(publish_source(folder))
        settings = {
            "LEOCDP_DATA_DIR": name,
            "LEOCDP_OBSERVER_PORT": str(port),
            "LEOCDP_OBSERVER_RATE_LIMIT": "0",
            "LEOCDP_LOG_LEVEL": "WARNING",
        }
        with server(["-m", "leocdp_observer"], port, **settings) as pid:
            script = write_script(folder, "single")
            load(script, port, pid, 1)
            most = load(script, port, pid, SATURATED)
            before = accepted_at_rest(port)
            capacity = most.requests / most.seconds
            measured = drive(port, pid, PART * capacity, requests, runs)
            counted = accepted_at_rest(port)
        stored = asyncio.run(count_stored(folder))
        reconcile(before + measured.answered, counted, stored, 0)
    return capacity, measured


def raw(rate: float, requests: Sequence[bytes], runs: int) -> Measured:
    port = free_port()
    with server([RAW, "--serve-raw", str(port)], port) as pid:
        return drive(port, pid, rate, requests, runs)


def shown(capacity: float, measured: Measured, limit: Measured) -> list[Figure]:
    load_model = (
        f"open loop, {measured.rate:,.0f} requests/s, {PART:.0%} of the {capacity:,.0f} that wrk got in a closed loop "
        f"over {WRK_CONNECTIONS} connections; {SECONDS:.0f} s a run; sender at most {measured.late:.0f} ms late"
    )
    figures = [
        figure(
            f"observer, {CONNECTIONS:,} keep-alive connections, {name}",
            values,
            "ms",
            limits=limits,
            limit_of="raw ASGI function, same load",
            target=target,
            at_most=True,
            absolute=True,
            note=note,
        )
        for name, values, limits, target, note in (
            ("p50", measured.p50, limit.p50, None, ""),
            ("p99", measured.p99, limit.p99, 100.0, load_model),
        )
    ]
    sizes = [size / MIB for size in measured.memory]
    memory = figure(
        f"observer, {CONNECTIONS:,} connections, memory",
        sizes[-1:],
        "MiB",
        limits=sizes[:1],
        limit_of="after the warm-up",
        target=1.1,
        at_most=True,
        note=f"after {measured.answered:,} requests",
    )
    return [*figures, memory]


def main() -> Sequence[Figure]:
    runs = 4 * RUNS if full() else RUNS
    requests = [post(f"/v1/{item.type}", item.body, WRITE_KEY) for _, item in items(5_000, 0)]
    capacity, measured = observer(requests, runs)
    limit = raw(measured.rate, requests, RUNS)
    return shown(capacity, measured, limit)


if __name__ == "__main__":
    for one in main():
        print(
            f"{one.what}: {one.value:,.1f} {one.unit} ({one.low:,.1f}–{one.high:,.1f}), {one.limit_of} {one.limit:,.1f}"
        )
        print(one.note, flush=True)
