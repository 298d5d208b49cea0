"""Counting on the hot path: plain additions, which are moved to the metrics when somebody looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from leocdp.kit import metric_catalogue as m
from leocdp.kit.metrics import Exposition, Metrics


class Tally(Metrics):
    """The observer's metrics. A labelled counter of the client library costs as much as parsing an event does."""

    def __init__(self) -> None:
        super().__init__()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._items: Counter[tuple[str, str]] = Counter()
        self._gauges: list[Callable[[], None]] = []

    def answered(self, protocol: str, status: int) -> None:
        self._requests[protocol, status] += 1

    def accepted(self, count: int) -> None:
        self._items["accepted", ""] += count

    def rejected(self, reason: str, count: int = 1) -> None:
        self._items["rejected", reason] += count

    def append_took(self, seconds: float) -> None:
        self.observe(m.OBSERVER_APPEND_SECONDS, seconds)

    def gauge(self, spec: m.MetricSpec, read: Callable[[], float], **labels: str) -> None:
        """Read a value each time the metrics are asked for."""
        self._gauges.append(lambda: self.set(spec, read(), **labels))

    def expose(self) -> Exposition:
        for (protocol, status), count in self._requests.items():
            self.inc(m.OBSERVER_REQUESTS, count, protocol=protocol, status=str(status))
        for (outcome, reason), count in self._items.items():
            self.inc(m.OBSERVER_ITEMS, count, outcome=outcome, reason=reason)
        self._requests.clear()
        self._items.clear()
        for read in self._gauges:
            read()
        return super().expose()
