"""What a profile knows: cells that join, so that order, batching and repetition do not matter.

Every part of :class:`State` is a join (commutative and associative): sums, minima, maxima, unions and
last-writer-wins registers ordered by (event time, message id). A person is the join of the states of
its leaves, which is why an un-merge is exact: join the two sides again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import Struct, field

from leocdp.domain.segments.audience import Audience


class Register(Struct):
    """A value with the time and the id of the message that wrote it. ``value`` None is a tombstone."""

    value: Any
    at: int
    message_id: str
    source: str = ""


class ConsentCell(Struct):
    """The latest word on one purpose by one identifier. At an equal time *denied* wins."""

    granted: bool
    at: int
    source: str = ""


class SwitchInfo(Struct):
    """Today's switches of a device: the day (days since 1970-01-01 UTC), where it came from, how often."""

    day: int
    from_leaf: str
    count: int


class IdentifierCell(Struct):
    """What is known of one identifier of a profile. It moves with the identifier when that is re-pointed."""

    first_seen: int
    last_seen: int
    source: str
    message_id: str
    """Source and message that brought it to the profile first: the provenance shown to people."""
    state: str = "active"
    """``active``, ``former`` (still resolves, not counted) or ``shared`` (known, resolves nobody).
    *Retired* is not stored: of a rolling kind all but the most recently seen are retired."""
    verified: bool = False
    people: dict[str, int] = field(default_factory=dict)
    """Device kinds: root at that time → last time, the different people it was switched between (at most 11)."""
    user_ids: tuple[str, ...] = ()
    """Contact kinds: marks of the different user ids seen beside it (at most 11), see ``cells.user_mark``."""
    hour: int = 0
    hour_count: int = 0
    """Events with this identifier in the hour ``hour`` (hours since 1970): finds ids that everybody sends."""
    switch: SwitchInfo | None = None


class State(Struct):
    """The state of one leaf, or the fold of several."""

    traits: dict[str, Register] = field(default_factory=dict)
    total: int = 0
    by_type: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, int] = field(default_factory=dict)
    first_seen: int | None = None
    last_seen: int | None = None
    firsts: dict[str, Register] = field(default_factory=dict)
    """Named registers where the earliest event wins, such as ``touch``."""
    lasts: dict[str, Register] = field(default_factory=dict)
    """Named registers where the latest event wins, such as ``touch``, ``locale``, ``device``, ``place``."""
    consents: dict[str, dict[str, ConsentCell]] = field(default_factory=dict)
    """purpose → identifier key → the latest word."""
    labels: dict[str, Register] = field(default_factory=dict)
    """label → register of True, or None when it was taken off."""
    identifiers: dict[str, IdentifierCell] = field(default_factory=dict)
    """identifier key → cell. A key belongs to one leaf at a time."""
    cannot_link: dict[str, Register] = field(default_factory=dict)
    """profile id → register of True (kept apart) or None (lifted)."""


@dataclass(slots=True)
class Person:
    """The fold that a root with more than one leaf keeps ready to read."""

    state: State
    leaf_ids: tuple[str, ...]
    """All leaves under the root, the root included, sorted."""
    counted_merges: int = 0
    """Merges that count towards the cap: those of profiles with a contact or a stronger kind."""


@dataclass(slots=True)
class Profile:
    """A profile: always a leaf with its own state, and a root as long as ``merged_into`` is None."""

    id: str
    created_at: int
    state: State
    revision: int = 0
    """The revision that was loaded; 0 is a profile that is not stored yet."""
    merged_into: str | None = None
    root: str = ""
    """Cached: where the pointers end. Equal to ``id`` on roots."""
    person: Person | None = None
    """Only on roots with more than one leaf; a lone root's person is its own state."""
    audience: Audience | None = None
    """Only on roots: what is kept for segments. Shared with the snapshot; copy it before changing it."""

    def __post_init__(self) -> None:
        self.root = self.root or self.id

    @property
    def folded(self) -> State:
        """The person's state, on a root."""
        return self.person.state if self.person else self.state

    @property
    def leaf_ids(self) -> tuple[str, ...]:
        return self.person.leaf_ids if self.person else (self.id,)

    @property
    def counted_merges(self) -> int:
        return self.person.counted_merges if self.person else 0
