"""Benchmark of how soon an accepted event is visible, as in ``visible``, with a real Kafka as the log.

Gives nothing where no broker can be started.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench import visible
from tests.bench.figures import Figure
from tests.capabilities import missing
from tests.kafka import kafka_for_tests


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
            return visible.figures_of(" through Kafka", LEOCDP_LOG_URL=kafka.url())


if __name__ == "__main__":
    for one in main():
        print(f"{one.what}: {one.value:,.0f} {one.unit} ({one.low:,.0f}–{one.high:,.0f}); {one.note}", flush=True)
