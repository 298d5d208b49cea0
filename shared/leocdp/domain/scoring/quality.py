"""Data quality: the sum of the weights of what is known about a person. It follows from the state, without time."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from leocdp.domain.profiles.state import State
from leocdp.domain.scoring.model import DATA_QUALITY, Field, Scoring
from leocdp.domain.scoring.points import Scores
from leocdp.domain.segments.audience import Points
from leocdp.domain.segments.nodes import Path
from leocdp.domain.segments.states import identifier_kinds
from leocdp.domain.segments.values import found


def with_quality(scores: Scores, state: State, scoring: Scoring) -> Scores:
    """The scores with what the state says now; the same object where that is what they say already."""
    made = quality(state, scoring)
    if made == scores.get(DATA_QUALITY, {}):
        return scores
    rest = {score: metrics for score, metrics in scores.items() if score != DATA_QUALITY}
    return {**rest, DATA_QUALITY: made} if made else rest


def quality(state: State, scoring: Scoring) -> Mapping[str, Points]:
    """Field → its weight, for each field that is known."""
    kinds = identifier_kinds(state)
    known = (one for one in scoring.fields.values() if one.weight and _is_known(one, state, kinds))
    return {one.id: Points(float(one.weight), 0, 1) for one in known}


def _is_known(one: Field, state: State, kinds: AbstractSet[str]) -> bool:
    return not kinds.isdisjoint(one.identifiers) or any(_has_trait(state, path) for path in one.traits)


def _has_trait(state: State, path: Path) -> bool:
    if path[0] not in state.traits and (len(path) == 1 or ".".join(path) not in state.traits):
        return False
    named = {name: state.traits[name].value for name in {path[0], ".".join(path)} if name in state.traits}
    return any(_says_something(value) for value in found(named, path))


def _says_something(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return bool(value) if isinstance(value, list | tuple | Mapping) else value is not None
