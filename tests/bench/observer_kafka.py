"""Benchmark of the observer in front of a real Kafka, beside a raw ASGI function in the same run; and of reading it.

The load is that of ``observer.py``. Client, broker and observer share the machine; figures are per CPU second of the
observer, so that the others disturb them little. Gives nothing where no broker can be started.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from leocdp.adapters.kafka.connection import Connection, parse_url
from leocdp.adapters.kafka.event_log import KafkaEventLog
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.log_records import decode_accepted
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.config_view import publish_entry
from scripts.kafka import Cluster
from tests.bench import observer
from tests.bench.figures import Figure, figure
from tests.bench.processes import START_SECONDS, ready, wait_for
from tests.capabilities import missing
from tests.kafka import Kafka, kafka_for_tests, running_cluster


def log_of(url: str) -> KafkaEventLog:
    _, servers, namespace = parse_url(url)
    return KafkaEventLog(Connection(servers, namespace))


async def publish_source(url: str) -> None:
    log = log_of(url)
    await log.start()
    source = {"id": "bench", "name": "bench", "kind": "server", "write_key": observer.WRITE_KEY}
    await publish_entry(log, ConfigEntry(kind="source", id="bench", version=1, at=0, data=source))
    await log.close()


async def read_all(url: str) -> tuple[int, float]:
    """(items that are stored, bytes per CPU second of reading them as a member of a group)."""
    log = log_of(url)
    await log.start()
    left = sum(bound.end for bound in (await log.bounds(EVENTS_ACCEPTED)).values())
    consumer = log.consumer([EVENTS_ACCEPTED], "bench")
    await consumer.start()
    while not await consumer.assignment():
        await asyncio.sleep(0.01)
    values: list[bytes] = []
    began = time.process_time()
    while left > 0:
        records = await consumer.fetch(max_bytes=4 << 20, max_wait=1)
        left -= len(records)
        values += [record.value or b"" for record in records]
    cpu = time.process_time() - began
    await consumer.close()
    await log.close()
    items = sum(len(block.items) for value in values for block in decode_accepted(value).blocks)
    return items, sum(map(len, values)) / max(cpu, 0.01)


def run(kafka: Kafka, script: Path, items: int) -> tuple[observer.Run, float]:
    url, port = kafka.url(), observer.free_port()
    asyncio.run(publish_source(url))
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as folder:
        settings = {**observer.observer_settings(Path(folder), port), "LEOCDP_LOG_URL": url}
        with observer.server(["-m", "leocdp_observer"], port, **settings) as pid:
            wait_for(lambda: ready(port), START_SECONDS, "the observer did not become ready")
            warm = observer.load(script, port, pid, 1)
            measured = observer.load(script, port, pid, observer.SECONDS)
            counted = observer.accepted_at_rest(port)
    stored, read = asyncio.run(read_all(url))
    in_flight = 2 * observer.CONNECTIONS * items
    observer.reconcile((warm.requests + measured.requests) * items, counted, stored, in_flight)
    return measured, read


def measure(kafka: Kafka, kind: str, where: str = "Kafka") -> list[Figure]:
    items = observer.BATCH if kind == "batch" else 1
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as folder:
        script = observer.write_script(Path(folder), kind)
        pairs = [(observer.raw_run(script), run(kafka, script, items)) for _ in range(observer.RUNS)]
    p50, p99 = (statistics.median(getattr(one, name) for _, (one, _) in pairs) for name in ("p50_ms", "p99_ms"))
    written = figure(
        f"observer, one event per request, {where}" if kind == "single" else f"observer, batches of {items}, {where}",
        [one.per_cpu * items for _, (one, _) in pairs],
        "events per CPU second",
        limits=[one.per_cpu * items for one, _ in pairs],
        limit_of="raw ASGI function",
        target=observer.TARGETS[kind],
        note=f"closed loop, {observer.CONNECTIONS} connections, p50 {p50:.1f} ms, p99 {p99:.1f} ms",
    )
    read = figure(f"reading that from {where} ({kind})", [each / 1e6 for _, (_, each) in pairs], "MB per CPU second")
    return [written, read]


def main() -> Sequence[Figure]:
    if reason := missing("kafka"):
        print(reason)
        return []
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as folder:

        def sub(name: str) -> Path:
            path = Path(folder) / name
            path.mkdir()
            return path

        with kafka_for_tests(lambda _: None, sub) as kafka:
            figures = [each for kind in observer.TARGETS for each in measure(kafka, kind)]
        # As it is deployed: every partition three times, and two have to acknowledge.
        with running_cluster(Cluster.make(sub("three"), 3)) as cluster:
            where = "Kafka with three brokers and acks=all"
            return figures + measure(Kafka(cluster.servers, cluster), "single", where)[:1]


if __name__ == "__main__":
    for one in main():
        print(f"{one.what}: {one.value:,.0f} {one.unit}, {one.ratio or 0:.2f} ({one.note})", flush=True)
