"""The value that an aggregate has: of numbers, tokens or texts (``matching.counted_values``), or of a state of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from leocdp.domain.segments.audience import NodeState
from leocdp.domain.segments.nodes import Aggregate, Fn
from leocdp.domain.segments.sums import rounded, total


def aggregated(fn: Fn, values: Sequence[Any]) -> float | str | None:
    """Of nothing: 0 for ``sum`` and ``distinct``, no value (None) for the others."""
    if fn == "distinct":
        return float(len(set(values)))
    if fn == "most_frequent":
        return most_frequent(Counter(values))
    if fn == "sum":
        return rounded(total(values))
    if not values:
        return None
    if fn == "avg":
        return _average(total(values), len(values))
    return float(min(values) if fn == "min" else max(values))


def accumulated(node: Aggregate, state: NodeState) -> float | str | None:
    """The same of the sums that are kept where the span does not move."""
    match node.fn:
        case "distinct":
            return float(len(state.tally))
        case "most_frequent":
            return most_frequent(state.tally)
        case "min":
            return state.low
        case "max":
            return state.high
        case "sum":
            return rounded(total(state.total))
        case "avg":
            return _average(total(state.total), state.n) if state.n else None


def most_frequent(tally: Mapping[str, int]) -> str | None:
    """A tie goes to the smaller text, by code points."""
    return min(tally, key=lambda text: (-tally[text], text), default=None)


def _average(sum_: float | None, count: int) -> float | None:
    return None if sum_ is None else rounded(sum_ / count)
