"""What a condition refers to, and the order in which segments that refer to each other are asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

from leocdp.domain.segments.nodes import (
    Aggregate,
    All,
    Any_,
    Consent,
    EventCount,
    EventQuery,
    Fact,
    FirstTime,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    Node,
    Not,
    Pick,
    Reachable,
    Regularity,
    Score,
    Sequence_,
    Stage,
    Status,
    Trait,
)


@dataclass(frozen=True, slots=True)
class References:
    """Everything that an answer may depend on but time: a change elsewhere cannot change it."""

    segments: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    scores: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    """First parts of paths, and whole dotted paths: a trait may have the dots in its name."""
    event_names: frozenset[str] = frozenset()
    """``type`` may narrow a name; that is not told here."""
    event_types: frozenset[str] = frozenset()
    """Of queries without a name."""
    uses: frozenset[str] = frozenset()
    """Other kinds of state: label, consent, identifier, status, reachable, place, device, touch_first, touch_last,
    stage."""


_USES: Final = (
    (Label, "label"),
    (Consent, "consent"),
    (HasIdentifier, "identifier"),
    (Status, "status"),
    (Reachable, "reachable"),
    (Stage, "stage"),
)


def references(node: Node) -> References:
    found = list(leaves(node))
    queries = [query for one in found for query in _queries(one)]
    return References(
        segments=frozenset(one.segment for one in found if isinstance(one, InSegment)),
        lists=frozenset(one.list for one in found if isinstance(one, InList)),
        scores=frozenset(one.name for one in found if isinstance(one, Score)),
        traits=frozenset(name for one in found if isinstance(one, Trait) for name in (one.path[0], ".".join(one.path))),
        event_names=frozenset(query.name for query in queries if query.name is not None),
        event_types=frozenset(query.type for query in queries if query.name is None and query.type is not None),
        uses=frozenset(use for one in found for use in _uses(one)),
    )


def leaves(node: Node) -> Iterator[Node]:
    """The conditions of a tree that are no groups, from left to right."""
    if isinstance(node, All | Any_):
        for part in node.parts:
            yield from leaves(part)
    elif isinstance(node, Not):
        yield from leaves(node.part)
    else:
        yield node


def _queries(node: Node) -> Iterator[EventQuery]:
    if isinstance(node, Sequence_):
        yield from (step.query for step in node.steps)
    elif isinstance(node, EventCount | FirstTime | Pick | Aggregate | Regularity):
        yield node.query


def _uses(node: Node) -> Iterator[str]:
    if isinstance(node, Fact):
        yield node.register
    yield from (use for kind, use in _USES if isinstance(node, kind))


# Segments that refer to each other


class Cycle(ValueError):
    """Segments refer to each other in a circle; ``ids`` names it, its first one again at the end."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = tuple(ids)
        super().__init__(" → ".join(self.ids))


def in_order(conditions: Mapping[str, Node]) -> tuple[str, ...]:
    """The ids of segments, each after all that its condition refers to; the same for the same mapping.

    References to segments that are not in the mapping are left out: whether they exist is another question.

    Raises:
        Cycle: there is no such order.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for one in sorted(conditions):
        sorter.add(one, *sorted(references(conditions[one]).segments & conditions.keys()))
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        # graphlib names the circle against the direction of the references.
        raise Cycle(reversed(error.args[1])) from None
