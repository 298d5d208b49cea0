"""Benchmark of the processor reading from a real Kafka, beside the same processor on the embedded log in the same run.

The load is that of ``processor.py``; runs alternate between the two. Both write to SQLite, so what differs is the log.
Gives nothing where no broker can be started.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from leocdp.ports.event_log import EventLog
from tests.bench.figures import Figure, figure
from tests.bench.observer_kafka import log_of
from tests.bench.processes import free_port, service
from tests.bench.processor import Bench
from tests.bench.traffic import NEW_EVERY
from tests.capabilities import missing
from tests.kafka import kafka_for_tests

PEOPLE = 20_000
EVENTS = 30_000
RUNS = 3


@contextmanager
def bench(folder: Path, url: str) -> Iterator[Bench]:
    """A processor on the log of the URL, the embedded one if there is none."""
    folder.mkdir()
    port = free_port()
    settings = {"LEOCDP_DATA_DIR": str(folder), "LEOCDP_PROCESSOR_PORT": str(port), "LEOCDP_LOG_URL": url}
    # It stands still while a run is appended, which must not cost it its partitions.
    settings["LEOCDP_LOG_SESSION_TIMEOUT"] = "120"
    open_log: Callable[[], EventLog] | None = (lambda: log_of(url)) if url else None
    with service("leocdp_processor", port, core=0, **settings) as pid:
        made = Bench(folder, pid, port, open_log)
        made.process(PEOPLE, 1)
        yield made


def measure(folder: Path, url: str) -> Figure:
    """Raises DoesNotAddUp."""
    with ExitStack() as stack:
        kafka, embedded = (stack.enter_context(bench(folder / name, at)) for name, at in (("k", url), ("e", "")))
        pairs = [(kafka.process(EVENTS, NEW_EVERY), embedded.process(EVENTS, NEW_EVERY)) for _ in range(RUNS)]
    wall = sorted(EVENTS / kafka_wall for (_, kafka_wall), _ in pairs)[RUNS // 2]
    return figure(
        f"processor, Kafka, one core, {PEOPLE:,} people stored",
        [EVENTS / kafka_cpu for (kafka_cpu, _), _ in pairs],
        "events per CPU second",
        limits=[EVENTS / embedded_cpu for _, (embedded_cpu, _) in pairs],
        limit_of="the same, embedded",
        target=0.8,
        note=f"new:known people 1:4, {EVENTS:,} events a run from a filled log; {wall:,.0f} events/s by the clock",
    )


def main() -> Sequence[Figure]:
    if reason := missing("kafka"):
        print(reason)
        return []
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name:
        folder = Path(name)

        def sub(part: str) -> Path:
            path = folder / part
            path.mkdir()
            return path

        with kafka_for_tests(lambda _: None, sub) as kafka:
            return [measure(folder, kafka.url())]


if __name__ == "__main__":
    for one in main():
        print(f"{one.what}: {one.value:,.0f} {one.unit}, {one.ratio or 0:.2f} of embedded\n{one.note}", flush=True)
