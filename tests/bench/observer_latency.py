"""Benchmark of the observer: how long answers take with 1,000 keep-alive connections at 70 % of its capacity.

Load: open loop. Every connection sends at fixed times whether the last answer has come or not, and an answer's time
counts from when its request was due, so a server that falls behind cannot hide it. Capacity is measured first, in the
same run, with the closed loop of the other benchmark.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from base64 import b64encode
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests.bench import observer as closed
from tests.bench.figures import Figure, figure

CONNECTIONS = 1_000
PART = 0.7
SECONDS = 8
WARM_UP = 2
RUNS = 3
MOST_MS = 100.0


@dataclass(frozen=True)
class Result:
    rate: float
    p50_ms: float
    p99_ms: float
    answered: int
    errors: int
    grown_kib: int


class Client(asyncio.Protocol):
    """One connection: remembers when each request was due and checks each answer."""

    def __init__(self, latencies: list[float]) -> None:
        self._latencies = latencies
        self._due: deque[float] = deque()
        self._text = b""
        self.errors = 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes, due: float) -> None:
        assert self.transport is not None
        self._due.append(due)
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._text += data
        while self._due and (end := self._text.find(b"]}")) >= 0:
            answer, self._text = self._text[: end + 2], self._text[end + 2 :]
            self._latencies.append(time.perf_counter() - self._due.popleft())
            self.errors += not answer.startswith(b"HTTP/1.1 200")

    @property
    def waiting(self) -> int:
        return len(self._due)


def request(number: int) -> bytes:
    event = closed.EVENT.replace("@ID@", f"{number:012x}").replace("@N@", str(number)).encode()
    key = b64encode(f"{closed.WRITE_KEY}:".encode()).decode()
    head = (
        f"POST /v1/track HTTP/1.1\r\nHost: edge\r\nAuthorization: Basic {key}\r\nContent-Length: {len(event)}\r\n\r\n"
    )
    return head.encode() + event


async def drive(port: int, rate: float, seconds: float) -> tuple[list[float], int, int]:
    """Latencies in seconds, errors, and requests that got no answer."""
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    clients = [Client(latencies) for _ in range(CONNECTIONS)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    start = time.perf_counter()
    total = int(rate * seconds)
    sent = 0
    while sent < total:
        due = min(total, int((time.perf_counter() - start) * rate) + 1)
        while sent < due:
            clients[sent % CONNECTIONS].send(request(sent), start + sent / rate)
            sent += 1
        await asyncio.sleep(0.001)
    deadline = time.perf_counter() + 10
    while any(client.waiting for client in clients) and time.perf_counter() < deadline:
        await asyncio.sleep(0.05)
    for client in clients:
        if client.transport is not None:
            client.transport.close()
    return latencies, sum(client.errors for client in clients), sum(client.waiting for client in clients)


def drive_in_process(port: int, rate: float, seconds: float, core: int | None, answers: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    import uvloop

    if core is not None:
        os.sched_setaffinity(0, {core})
    answers.put(uvloop.run(drive(port, rate, seconds)))


def load(port: int, rate: float, seconds: float) -> tuple[list[float], int, int]:
    cores = sorted(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    core = cores[-1] if len(cores) > 1 else None
    process = context.Process(target=drive_in_process, args=(port, rate, seconds, core, answers))
    process.start()
    result: tuple[list[float], int, int] = answers.get(timeout=seconds + 60)
    process.join()
    return result


def memory_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0])


def run_once(folder: Path) -> Result:
    script = closed.write_script(folder, "single")
    port = closed.free_port()
    data = folder / "data"
    data.mkdir()
    asyncio.run(closed.publish_source(data))
    with closed.server(["-m", "leocdp_observer"], port, **closed.observer_settings(data, port)) as pid:
        capacity = closed.load(script, port, pid, 3)
        rate = PART * capacity.requests / capacity.seconds
        load(port, rate, WARM_UP)
        before = memory_kib(pid)
        latencies, errors, lost = load(port, rate, SECONDS)
        grown = memory_kib(pid) - before
        counted = closed.accepted_at_rest(port)
    stored = asyncio.run(closed.count_stored(data))
    sent = capacity.requests + int(rate * WARM_UP) + int(rate * SECONDS)
    closed.reconcile(sent - lost, counted, stored, 2 * CONNECTIONS)
    cut = statistics.quantiles(latencies, n=100)
    return Result(rate, cut[49] * 1e3, cut[98] * 1e3, len(latencies), errors + lost, grown)


def main() -> Sequence[Figure]:
    results = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as folder:
            results.append(run_once(Path(folder)))
    if failed := sum(result.errors for result in results):
        raise closed.DoesNotAddUp(f"{failed} requests were not answered with success")
    rate = statistics.median(result.rate for result in results)
    p50 = statistics.median(result.p50_ms for result in results)
    grown = max(result.grown_kib for result in results) / 1024
    return [
        figure(
            "observer, p99 of an answer at 70 % of its capacity, embedded",
            [result.p99_ms for result in results],
            "ms",
            target=MOST_MS,
            at_most=True,
            note=f"open loop, {CONNECTIONS:,} connections, {rate:,.0f} requests/s, p50 {p50:.1f} ms, "
            f"memory grew by {grown:.0f} MiB",
        )
    ]


if __name__ == "__main__":
    for one in main():
        print(f"{one.what}: {one.value:.1f} {one.unit} ({one.note})", file=sys.stdout)
