"""The people of one batch, in memory: a snapshot that decisions may change without touching the snapshot.

Profiles are copied when they are first changed. The pointers of merges made in this batch lie over those that
were loaded. Every root that is asked for is remembered, so that a decision which relied on a person without
changing it can be guarded by that root's revision: each change to a leaf, an identifier or a pointer also
writes the root above it, so guarding roots is enough.
"""

from __future__ import annotations

from collections.abc import Iterable

from leocdp.domain.decisions import Owner, OwnerWrite, Snapshot, SnapshotIncomplete
from leocdp.domain.identity.kinds import KindRule
from leocdp.domain.identity.limits import holds_reachable, is_reachable
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.joins import copy_state, fold, join_into
from leocdp.domain.profiles.state import IdentifierCell, Person, Profile, State


class WorkingSet:
    """All that a batch knows, and what it has changed so far."""

    def __init__(self, snapshot: Snapshot, rules: IdentityRules) -> None:
        self.rules = rules
        self.owners: dict[str, Owner] = dict(snapshot.owners)
        self.profiles: dict[str, Profile] = dict(snapshot.profiles)
        self._before = snapshot.owners
        self._own: set[str] = set()
        self._relied_on: set[str] = set()
        self._absent: set[str] = set()
        self._into: dict[str, str] = {}
        """Roots that were merged away in this batch → into which."""
        self._redrawn: dict[str, str] = {}
        """Leaves of trees that were divided in this batch → the root they got by that."""
        self._roots: dict[str, str] = {}
        """Answers of :meth:`root_of`, until pointers change."""
        self._states: tuple[str, tuple[State, ...]] = ("", ())
        """The last answer of :meth:`states`, until pointers change: an event asks for the same leaf many times."""
        self._moved: set[str] = set()
        self._kinds: dict[str, KindRule] = {}

    def kind(self, name: str) -> KindRule:
        rule = self._kinds.get(name)
        if rule is None:
            rule = self._kinds[name] = self.rules.kind(name)
        return rule

    # People

    def root_of(self, profile_id: str) -> str:
        """Where the pointers from a profile end now. Raises KeyError for a profile that was not loaded."""
        root = self._roots.get(profile_id)
        return root if root is not None else self._follow(profile_id)

    def _follow(self, profile_id: str) -> str:
        into = self._into
        root = first = self._redrawn.get(profile_id) or self.profiles[profile_id].root
        while root in into:
            root = into[root]
        if first != root:
            into[first] = root
        self._roots[profile_id] = root
        self._relied_on.add(root)
        return root

    def _pointers_changed(self) -> None:
        self._roots.clear()
        self._states = ("", ())

    def person(self, root: str) -> State:
        """What is known of a person, to read."""
        return self.profiles[root].folded

    def edit(self, profile_id: str) -> Profile:
        """A profile that may be changed; it will be written."""
        profile = self.profiles[profile_id]
        if profile_id not in self._own:
            profile = self.profiles[profile_id] = _copy(profile)
            self._own.add(profile_id)
        return profile

    def states(self, leaf: str) -> tuple[State, ...]:
        """The states that everything new about a leaf goes to: its own and, where it is apart, its person's."""
        if self._states[0] == leaf:
            return self._states[1]
        own = self.edit(leaf)
        root_id = self.root_of(leaf)
        root = own if root_id == leaf else self.edit(root_id)
        states = (own.state, root.person.state) if root.person else (own.state,)
        self._states = (leaf, states)
        return states

    def create(self, profile_id: str, created_at: int) -> Profile:
        profile = self.profiles[profile_id] = Profile(profile_id, created_at, State())
        self._own.add(profile_id)
        return profile

    # Identifiers

    def claim(self, key: str, kind: KindRule, leaf: str, cell: IdentifierCell) -> None:
        """Give an identifier that nobody has to a leaf."""
        self._count_reachable(kind, leaf, 1)
        self.owners[key] = Owner(leaf, cell.state)
        self._moved.add(key)
        self.put(key, leaf, cell)

    def move(self, key: str, kind: KindRule, leaf: str, cell: IdentifierCell) -> None:
        """Take an identifier from the leaf that has it and give it to another."""
        old = self.owners[key].leaf
        for state in self.states(old):
            state.identifiers.pop(key, None)
        self._count_reachable(kind, old, -1)
        self.claim(key, kind, leaf, cell)

    def put(self, key: str, leaf: str, cell: IdentifierCell) -> None:
        """Write the cell of an identifier that the leaf has; a change of state goes to the owner's row as well."""
        for state in self.states(leaf):
            state.identifiers[key] = cell
        if self.owners[key].state != cell.state:
            self.owners[key] = Owner(leaf, cell.state)
            self._moved.add(key)

    def learn_owner(self, key: str, leaves: Iterable[Profile]) -> bool:
        """Find an identifier that was not asked for at load among leaves that were; False when none has it."""
        for leaf in leaves if key not in self.owners else ():
            cell = leaf.state.identifiers.get(key)
            if cell is not None:
                self.owners[key] = Owner(leaf.id, cell.state)
                self._before = {**self._before, key: self.owners[key]}
        return key in self.owners

    def find(self, key: str) -> tuple[str, IdentifierCell]:
        """The leaf that has an identifier, and its cell."""
        leaf = self.owners[key].leaf
        return leaf, self.profiles[leaf].state.identifiers[key]

    def cell(self, key: str) -> IdentifierCell:
        return self.find(key)[1]

    def _count_reachable(self, kind: KindRule, leaf: str, step: int) -> None:
        """Keep ``Person.counted_merges``: leaves with a contact or stronger kind, beyond the first of them.

        Called while the leaf is without the identifier that comes or goes.
        """
        root = self.profiles[self.root_of(leaf)]
        if root.person is None or not is_reachable(kind) or holds_reachable(self.profiles[leaf].state, self.kind):
            return
        if holds_reachable(root.person.state, self.kind):
            root = self.edit(root.id)
            assert root.person is not None
            root.person.counted_merges += step

    # Trees

    def unite(self, one: str, other: str) -> tuple[str, str, bool]:
        """Set one pointer between two roots: (survivor, the root merged away, whether the merge counts).

        The smaller id survives: a total order that no late event can change.
        """
        survivor, lost = self.edit(min(one, other)), self.edit(max(one, other))
        counts = holds_reachable(survivor.folded, self.kind) and holds_reachable(lost.folded, self.kind)
        survivor.person = Person(
            _united(survivor, lost),
            tuple(sorted((*survivor.leaf_ids, *lost.leaf_ids))),
            survivor.counted_merges + lost.counted_merges + counts,
        )
        lost.person, lost.merged_into = None, survivor.id
        self._into[lost.id] = survivor.id
        self._pointers_changed()
        return survivor.id, lost.id, counts

    def leaves(self, root: str) -> list[Profile]:
        """All profiles under a root. Raises SnapshotIncomplete when some were not loaded."""
        wanted = self.profiles[root].leaf_ids
        if any(leaf not in self.profiles for leaf in wanted):
            raise SnapshotIncomplete(f"the tree under {root} is not loaded as a whole")
        return [self.profiles[leaf] for leaf in wanted]

    def divide(self, top: str) -> str:
        """Clear the pointer of ``top`` and fold the two sides again; returns the root that it stood under."""
        rest = self.root_of(top)
        tree = self.leaves(rest)
        self.edit(top).merged_into = None
        below = _subtree(top, tree)
        self._refold(top, sorted(below))
        self._refold(rest, sorted(leaf.id for leaf in tree if leaf.id not in below))
        self._pointers_changed()
        return rest

    def _refold(self, root: str, leaf_ids: list[str]) -> None:
        for leaf in leaf_ids:
            self._into.pop(leaf, None)
            self._redrawn[leaf] = root
        states = [self.profiles[leaf].state for leaf in leaf_ids]
        counted = sum(holds_reachable(state, self.kind) for state in states)
        person = Person(fold(states), tuple(leaf_ids), max(0, counted - 1)) if len(leaf_ids) > 1 else None
        self.edit(root).person = person

    # What to write

    def changed_profiles(self) -> list[Profile]:
        for profile_id in self._own:
            self.profiles[profile_id].root = self.root_of(profile_id)
        return [self.profiles[profile_id] for profile_id in sorted(self._own)]

    def nobody_has(self, key: str) -> None:
        """A decision relies on it, and may not claim the identifier."""
        self._absent.add(key)

    def absent(self) -> frozenset[str]:
        return frozenset(self._absent - self._moved)

    def guards(self) -> dict[str, int]:
        return {root: self.profiles[root].revision for root in sorted(self._relied_on - self._own)}

    def owner_writes(self) -> list[OwnerWrite]:
        """Claims, moves and changes of state that differ from what was loaded."""
        before = self._before
        writes = (OwnerWrite(key, self.owners[key], before.get(key)) for key in sorted(self._moved))
        return [write for write in writes if write.owner != write.expected]


def _copy(profile: Profile) -> Profile:
    person = profile.person
    return Profile(
        profile.id,
        profile.created_at,
        copy_state(profile.state),
        profile.revision,
        profile.merged_into,
        profile.root,
        person and Person(copy_state(person.state), person.leaf_ids, person.counted_merges),
        profile.audience,
    )


def _united(survivor: Profile, lost: Profile) -> State:
    """The join of two folds, made from the larger one; a lone root's own state is copied, it stays the leaf's."""
    large, small = sorted((survivor, lost), key=lambda root: len(root.folded.identifiers), reverse=True)
    base = large.person.state if large.person else copy_state(large.state)
    return join_into(base, small.folded)


def _subtree(top: str, tree: Iterable[Profile]) -> set[str]:
    """Ids of the profiles whose pointers lead to ``top``, itself included."""
    children: dict[str | None, list[str]] = {}
    for profile in tree:
        children.setdefault(profile.merged_into, []).append(profile.id)
    found, waiting = {top}, [top]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.add(child)
            waiting.append(child)
    return found
