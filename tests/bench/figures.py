"""What a benchmark reports.

A benchmark is a module of this folder with ``main() -> Sequence[Figure]``; ``make bench`` runs each in a process of
its own and prints all figures as one table. A benchmark warms up, runs several times and gives median and spread; it
measures a limit in the same run; and it reconciles (sent = accepted = stored) or raises.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    what: str
    """``observer, one event per request, embedded``."""
    value: float
    """Median over the runs."""
    unit: str
    low: float
    high: float
    runs: int
    limit: float | None = None
    """What the machine gives at the most, measured in the same run, in the same unit."""
    limit_of: str = ""
    """``raw ASGI function``, ``plain SQLite upsert`` …"""
    target: float | None = None
    """Least ratio to the limit where there is one, else least value; with ``at_most`` the most."""
    at_most: bool = False
    absolute: bool = False
    """The target is for the value itself, also where a limit stands beside it."""
    note: str = ""
    """Load model, sizes: what one needs to read the figure."""

    @property
    def ratio(self) -> float | None:
        return self.value / self.limit if self.limit else None

    @property
    def meets(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        judged = self.value if self.ratio is None or self.absolute else self.ratio
        return judged <= self.target if self.at_most else judged >= self.target


def figure(
    what: str,
    values: Sequence[float],
    unit: str,
    *,
    limits: Sequence[float] = (),
    limit_of: str = "",
    target: float | None = None,
    at_most: bool = False,
    absolute: bool = False,
    note: str = "",
) -> Figure:
    """A figure from the values of several runs. Raises ValueError without any."""
    if not values:
        raise ValueError(f"{what}: no run")
    return Figure(
        what=what,
        value=statistics.median(values),
        unit=unit,
        low=min(values),
        high=max(values),
        runs=len(values),
        limit=statistics.median(limits) if limits else None,
        limit_of=limit_of,
        target=target,
        at_most=at_most,
        absolute=absolute,
        note=note,
    )
