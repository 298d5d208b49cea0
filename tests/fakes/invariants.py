"""What holds in every store after every commit, checked from scratch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from msgspec import structs

from leocdp.domain.identity.limits import holds_reachable
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.joins import fold
from leocdp.domain.profiles.state import Profile
from tests.fakes.memory_store import MemoryStore


def check(store: MemoryStore, rules: IdentityRules) -> None:
    trees = _trees(store)
    _owners_and_cells_agree(store)
    for root, leaves in trees.items():
        _kept_fold_is_the_fold(store.profiles[root], leaves, rules)
    _every_event_counts_once(store, trees)


def _trees(store: MemoryStore) -> dict[str, list[Profile]]:
    """Root → its leaves; pointers go to smaller ids only, so there is no cycle."""
    trees: dict[str, list[Profile]] = {}
    for profile in store.profiles.values():
        if profile.merged_into is not None:
            assert profile.merged_into < profile.id
            assert profile.person is None
        trees.setdefault(store.root_of(profile.id), []).append(profile)
    return trees


def _owners_and_cells_agree(store: MemoryStore) -> None:
    """Each identifier has one owner, and that leaf alone knows it, in the same state."""
    held = [
        (key, leaf.id, cell.state) for leaf in store.profiles.values() for key, cell in leaf.state.identifiers.items()
    ]
    assert sorted(held) == sorted((key, owner.leaf, owner.state) for key, owner in store.owners.items())


def _kept_fold_is_the_fold(root: Profile, leaves: list[Profile], rules: IdentityRules) -> None:
    assert root.leaf_ids == tuple(sorted(leaf.id for leaf in leaves))
    assert (root.person is None) == (len(leaves) == 1)
    assert root.folded == fold(leaf.state for leaf in leaves)
    reachable = sum(holds_reachable(leaf.state, rules.kind) for leaf in leaves)
    assert root.counted_merges == max(0, reachable - 1)


def _every_event_counts_once(store: MemoryStore, trees: dict[str, list[Profile]]) -> None:
    assert len({write.envelope.dedup_key for write in store.events}) == len(store.events)
    stored = Counter(write.leaf for write in store.events if write.leaf)
    counted = {leaf.id: leaf.state.total for leaves in trees.values() for leaf in leaves if leaf.state.total}
    assert counted == dict(stored)


def without_links(store: MemoryStore) -> dict[str, Profile]:
    """All profiles but for their revisions and the cannot-links that an un-merge leaves behind on purpose."""
    found = {}
    for one in store.profiles.values():
        person = one.person and replace(one.person, state=structs.replace(one.person.state, cannot_link={}))
        state = structs.replace(one.state, cannot_link={})
        found[one.id] = replace(one, revision=0, root=store.root_of(one.id), state=state, person=person)
    return found
