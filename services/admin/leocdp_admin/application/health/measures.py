"""What Prometheus would compute, from the readings admin keeps: increases, quantiles, slopes. Pure functions.

``history`` is the readings from oldest to newest, at least one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from leocdp.kit.metrics import Labels
from leocdp_admin.application.health.readings import Reading, Service, Target, lag_of

History = Sequence[Reading]


def within(history: History, seconds: float) -> History:
    """Readings of the last so many seconds, and the one before, where the window begins."""
    since = history[-1].at - seconds * 1000
    first = next((place for place, reading in enumerate(history) if reading.at >= since), len(history) - 1)
    begins_before = first > 0 and history[first].at > since
    return history[first - 1 if begins_before else first :]


def span(history: History) -> float:
    """Seconds from the oldest to the newest."""
    return (history[-1].at - history[0].at) / 1000


def increase(history: History, name: str, service: Service) -> Mapping[Labels, float]:
    """By how much a counter rose over all instances, restarts included.

    A series that its instance did not have before began at 0. What an instance counted before admin first saw it is
    not known and not counted, unless the series began within the history: then the instance is a new one.
    """
    found: defaultdict[Labels, float] = defaultdict(float)
    for before, after in _pairs(history, service):
        old = before.figures.get(name, {}) if before else {}
        for labels, value in after.figures.get(name, {}).items():
            if before is not None:
                known = old.get(labels, 0.0)
                found[labels] += value - known if value >= known else value
            elif _began(after, name, labels) * 1000 >= history[0].at:
                found[labels] += value
    return found


def _pairs(history: History, service: Service) -> Iterator[tuple[Target | None, Target]]:
    """Of each instance, what it answered and what it answered next; None before its first answer.

    Behind one address may be several instances, of which now one answers and now another.
    """
    seen: dict[tuple[str, str], Target] = {}
    for reading in history:
        for target in reading.reached(service):
            before = seen.get((target.address, target.instance))
            if before is None or before.at < target.at:
                yield before, target
            seen[target.address, target.instance] = target


def _began(target: Target, name: str, labels: Labels) -> float:
    """When the series began, in seconds; 0 where it is not told."""
    of_all = name.removesuffix("_total").removesuffix("_bucket")
    own = frozenset((label, value) for label, value in labels if label != "le")
    return target.figures.get(f"{of_all}_created", {}).get(own, 0.0)


def total(increases: Mapping[Labels, float], **wanted: str) -> float:
    return sum(value for labels, value in increases.items() if set(wanted.items()) <= labels)


def by_label(increases: Mapping[Labels, float], label: str, **wanted: str) -> Mapping[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for labels, value in increases.items():
        if value > 0 and set(wanted.items()) <= labels:
            found[dict(labels).get(label, "")] += value
    return found


def failed_share(increases: Mapping[Labels, float], **wanted: str) -> float | None:
    """Of requests that were answered 5xx; None when there were none."""
    every = total(increases, **wanted)
    if every <= 0:
        return None
    statuses = by_label(increases, "status", **wanted)
    return sum(value for status, value in statuses.items() if status.startswith("5")) / every


def quantile(share: float, buckets: Mapping[Labels, float]) -> float | None:
    """``histogram_quantile`` of increases of buckets; None when nothing was observed."""
    steps: defaultdict[float, float] = defaultdict(float)
    for labels, value in buckets.items():
        steps[float(dict(labels)["le"])] += value
    bounds = sorted(steps)
    if not bounds or steps[bounds[-1]] <= 0:
        return None
    rank = share * steps[bounds[-1]]
    place = next(place for place, bound in enumerate(bounds) if steps[bound] >= rank)
    lower = bounds[place - 1] if place else 0.0
    if bounds[place] == float("inf"):
        return lower
    below = steps[bounds[place - 1]] if place else 0.0
    here = steps[bounds[place]] - below
    return lower + (bounds[place] - lower) * ((rank - below) / here if here else 1.0)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line through (seconds, value) with the least squares; 0 for one point."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def lags(history: History, topic: str) -> Sequence[tuple[float, float]]:
    """(seconds, records that wait), of readings that know it."""
    return [(reading.at / 1000, lag) for reading in history if (lag := lag_of(reading, topic)) is not None]


def longest_wait(history: History) -> float:
    """Seconds for which the oldest record that now waits has been in the log: at least so long, as far as was seen."""
    now = history[-1]
    waiting = now.waiting() or {}
    oldest = now.at
    for where, count in waiting.items():
        if not count or now.ends is None:
            continue
        position = now.ends[where] - count
        seen = next((r.at for r in history if r.ends is not None and r.ends.get(where, 0) > position), now.at)
        oldest = min(oldest, seen)
    return (now.at - oldest) / 1000
