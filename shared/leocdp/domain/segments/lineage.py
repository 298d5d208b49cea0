"""Whose audiences a person's audience is made of, after the merges and un-merges of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from leocdp.domain.profiles.state import Profile
from leocdp.domain.scoring.points import join as join_scores
from leocdp.domain.segments.audience import Audience, NodeState, Points
from leocdp.domain.segments.catalogue import Catalogue
from leocdp.domain.segments.node_state import join


class Lineage:
    """``changed``: the profiles of a decision as they are to be written; ``before``: as they were loaded."""

    def __init__(self, changed: Iterable[Profile], before: Mapping[str, Profile]) -> None:
        self._before = before
        self._heirs: dict[str, set[str]] = {}
        """Root before → roots now that have leaves of its tree."""
        self._ancestors: dict[str, set[str]] = {}
        for root in (one for one in changed if one.merged_into is None):
            ancestors = {before[leaf].root for leaf in root.leaf_ids if leaf in before}
            self._ancestors[root.id] = ancestors
            for one in ancestors:
                self._heirs.setdefault(one, set()).add(root.id)

    def audience(self, catalogue: Catalogue, root: str, now: int) -> Audience | None:
        """The audience that the person begins with; None where nothing has ever been kept for them."""
        ancestors = self._ancestors[root]
        if not ancestors:
            return Audience(generation=catalogue.generation)
        if any(len(self._heirs[one]) > 1 for one in ancestors):
            return self._divided(root, now)
        own = self._before[root].audience if root in ancestors else Audience(generation=catalogue.generation)
        for one in sorted(ancestors - {root}):
            own = united(catalogue, own, self._before[one].audience)
        return own

    def merged(self, root: str) -> bool:
        return bool(self._ancestors[root] - {root})

    def _divided(self, root: str, now: int) -> Audience:
        """Nothing of a person is known for either side alone: it is made again from the events, at once. What was told
        of the person was told of both."""
        kept = [found for one in self._ancestors[root] if (found := self._before[one].audience)]
        own = self._before[root] if root in self._ancestors[root] else None
        return Audience(
            due=now,
            members=own.audience.members if own and own.audience else {},
            announced=_earliest(one.announced for one in kept),
        )


def united(catalogue: Catalogue, own: Audience | None, other: Audience | None) -> Audience | None:
    """The audience of a survivor and of somebody who was merged into them.

    The survivor's answers stand until they are asked again. Members are rows of their own, of which a profile that is
    merged away has none any more.
    """
    if own is None and other is None:
        return None
    own, other = own or Audience(), other or Audience()
    scoring = catalogue.scoring
    joined = {} if scoring is None else join_scores(own.scores, other.scores, scoring)
    return Audience(
        generation=min(own.generation, other.generation),
        due=min((one.due for one in (own, other) if one.due is not None), default=None),
        nodes=_united_nodes(catalogue, own.nodes, other.nodes),
        members=own.members,
        announced=_earliest((own.announced, other.announced)),
        computed=own.computed,
        scores=own.scores if scoring is None else cast("dict[str, dict[str, Points]]", joined),
        stage=own.stage,
        read_at=max(own.read_at, other.read_at),
    )


def _united_nodes(
    catalogue: Catalogue, own: Mapping[str, NodeState], other: Mapping[str, NodeState]
) -> dict[str, NodeState]:
    nodes = dict(own)
    for key, state in other.items():
        mine, counted = nodes.get(key), catalogue.nodes.get(key)
        if mine is None:
            nodes[key] = state
        elif counted is not None:
            nodes[key] = join(counted.node, mine, state)
    return nodes


def _earliest(told: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in told:
        for segment, since in one.items():
            found[segment] = min(since, found.get(segment, since))
    return found
