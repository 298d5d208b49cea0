"""Metrics: a closed catalogue of names, and a registry per process that only takes names from it.

``docs/metrics.md`` is generated from :func:`catalogue`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from leocdp.kit import metric_catalogue
from leocdp.kit.metric_catalogue import MetricSpec


def catalogue() -> Sequence[MetricSpec]:
    """All metrics there are, in the order of the catalogue."""
    return [value for value in vars(metric_catalogue).values() if isinstance(value, MetricSpec)]


Labels = frozenset[tuple[str, str]]
Figures = Mapping[str, Mapping[Labels, float]]
"""Name of a series → its labels → its value. Histograms have ``_bucket``, ``_sum`` and ``_count``; ``_created`` is when
a series began, in seconds."""


def read_exposition(text: str) -> Figures:
    """What another service of ours exposes. Raises ValueError for what is no exposition."""
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith("leocdp_"):
                found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


@dataclass(frozen=True, slots=True)
class Exposition:
    """What ``/metrics`` answers."""

    body: bytes
    content_type: str = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one process. Collectors are made on first use; there is no global registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Counter | Gauge | Histogram] = {}

    def inc(self, spec: MetricSpec, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = self._get(spec, "counter")
        assert isinstance(counter, Counter)
        (counter.labels(**labels) if labels else counter).inc(amount)

    def set(self, spec: MetricSpec, value: float, **labels: str) -> None:
        """Set a gauge."""
        gauge = self._get(spec, "gauge")
        assert isinstance(gauge, Gauge)
        (gauge.labels(**labels) if labels else gauge).set(value)

    def observe(self, spec: MetricSpec, value: float, **labels: str) -> None:
        """Add an observation to a histogram (seconds, bytes or items, as its name says)."""
        histogram = self._get(spec, "histogram")
        assert isinstance(histogram, Histogram)
        (histogram.labels(**labels) if labels else histogram).observe(value)

    def expose(self) -> Exposition:
        return Exposition(generate_latest(self.registry))

    def _get(self, spec: MetricSpec, kind: Literal["counter", "gauge", "histogram"]) -> Counter | Gauge | Histogram:
        if spec.kind != kind:
            raise TypeError(f"{spec.name} is a {spec.kind}, not a {kind}")
        made = self._made.get(spec.name)
        if made is None:
            made = self._made[spec.name] = self._make(spec)
        return made

    def _make(self, spec: MetricSpec) -> Counter | Gauge | Histogram:
        if spec.kind == "counter":
            return Counter(spec.name, spec.help, spec.labels, registry=self.registry)
        if spec.kind == "gauge":
            return Gauge(spec.name, spec.help, spec.labels, registry=self.registry)
        return Histogram(spec.name, spec.help, spec.labels, registry=self.registry, buckets=spec.buckets)
