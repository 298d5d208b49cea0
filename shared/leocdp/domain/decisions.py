"""What a decision is made from and what it consists of: the values between load, decide and commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from leocdp.domain.events import Address, Envelope, Outcome
from leocdp.domain.privacy.ledger import Spell
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import Audience


class SnapshotIncomplete(Exception):
    """A command needs the whole tree of a person that grew inside the same batch, beyond what was loaded.

    No defect of the item: treated like a conflict. In a smaller batch, at the latest alone, it cannot happen.
    """


Cause = Literal["event", "time", "command", "merge", "unmerge", "edit", "backfill", "replay", "import"]


@dataclass(frozen=True, slots=True)
class Command:
    """An action of a person, as it came through the log."""

    id: str
    kind: str
    """``merge``, ``unmerge``, ``consent``, ``label``, ``identifier_state``, ``lift_cannot_link``,
    ``review``, ``replay``, ``remove_source``, ``erase``, ``list_add``, ``list_remove``, ``list_drop``."""
    actor: str
    at: int
    content: Mapping[str, Any]
    address: Address


class Owner(Struct, frozen=True):
    """Who claims an identifier: the leaf and the identifier's state (``active``, ``former``, ``shared``)."""

    leaf: str
    state: str = "active"


@dataclass(frozen=True, slots=True)
class MergeRecord:
    """One pointer from a root to the survivor, as history."""

    id: str
    at: int
    by: Literal["event", "user"]
    actor: str
    into: str
    source: str
    """The profile that was merged away (``from`` in the API)."""
    message_id: str | None = None
    identifier: str | None = None
    """Key of the identifier that connected the two."""
    undone_at: int | None = None
    undone_by: str | None = None
    counted: bool = True


@dataclass(slots=True)
class Snapshot:
    """All that a batch can see of the store. Loaded in a constant number of round trips.

    ``owners`` has every identifier key of the batch that somebody owns. ``profiles`` has the leaf of each
    owner, the root of each such leaf, every profile a command refers to with its root, and for an un-merge
    all leaves of the tree. Asking for a profile that is not here is a defect, not an absence.
    """

    owners: dict[str, Owner] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    known: set[bytes] = field(default_factory=set)
    """Deduplication keys of the batch that are stored already."""
    merges: dict[str, MergeRecord] = field(default_factory=dict)
    commands: set[str] = field(default_factory=set)
    """Ids of commands of the batch that already have an outcome."""
    erased: dict[str, tuple[Spell, ...]] = field(default_factory=dict)
    """Of the hashes that were asked for: those in the ledger of erasures. For a decision they are replaced by the keys
    of the identifiers that they are of."""
    erased_until: int = 0
    """The latest end of any spell in the ledger, 0 while it is empty: younger items need not ask."""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What to load for a batch."""

    identifiers: frozenset[str] = frozenset()
    dedup_keys: frozenset[bytes] = frozenset()
    profile_ids: frozenset[str] = frozenset()
    trees: frozenset[str] = frozenset()
    """Profiles whose whole tree (all leaves under the same root) is wanted. Unknown ids are left out."""
    merge_ids: frozenset[str] = frozenset()
    """Merges that commands want undone: their records, and the whole tree that ``MergeRecord.source`` is in now."""
    command_ids: frozenset[str] = frozenset()
    erasures: frozenset[str] = frozenset()
    """Hashes of identifiers to look for in the ledger of erasures."""


class EventWrite(Struct, frozen=True):
    """An applied event and the leaf it belongs to; None when no identifier was usable."""

    envelope: Envelope
    leaf: str | None


class OwnerWrite(Struct, frozen=True):
    """A claim (``expected`` None: the insert fails when somebody else was faster) or a move or change of state."""

    key: str
    owner: Owner
    expected: Owner | None = None


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """A device that went from one person to another, once per device and day; written whole by ``id``."""

    id: str
    at: int
    identifier: str
    from_leaf: str
    to_leaf: str
    message_id: str
    count: int
    kind: Literal["device", "verified"] = "device"


@dataclass(frozen=True, slots=True)
class RefusalRecord:
    """An identifier that did not join the event's person; written whole by ``id`` (once per pair, reason and day)."""

    id: str
    at: int
    identifier: str
    owner: str
    """Leaf that has the identifier; empty when nobody does (a limit or cap stopped the claim)."""
    leaf: str | None
    """Leaf of the event that was refused it."""
    reason: str
    message_id: str


@dataclass(frozen=True, slots=True)
class ReviewPair:
    """Two profiles that a person should look at. Inserted once; an existing row with this id is left as it is."""

    id: str
    at: int
    left: str
    right: str
    reason: str
    identifier: str | None
    message_id: str | None


class AudienceWrite(Struct, frozen=True):
    """The segment side of a person alone, everything else of the row as it is; ``revision`` is the one it was read
    with (another one is a conflict), and grows by one."""

    profile_id: str
    revision: int
    audience: Audience


class MemberWrite(Struct, frozen=True):
    """A row of the members of one version of a segment (``audience.member_key``). Idempotent."""

    segment_key: str
    profile_id: str
    since: int | None
    """ms; None: not a member (any more)."""


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """A fact for other systems, published with a stable id: at least once, deduplicable."""

    id: str
    topic: str
    kind: str
    profile_id: str
    all_ids: tuple[str, ...]
    version: int
    cause: Cause
    occurred_at: int
    changed: tuple[str, ...] = ()
    segment: str = ""
    """Of ``segment_entered`` and ``segment_left``: which."""
    segment_version: int = 0


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of an item that is not simply an applied event; kept in the bounded table of problem events.

    ``payload`` is the item as it came (JSON text, cut at 64 KiB).
    """

    outcome: Outcome | Literal["rejected"]
    reason: str
    at: int
    address: Address
    source_id: str | None
    message_id: str | None
    type: str | None = None
    name: str | None = None
    error: str = ""
    payload: str = ""
    profile_id: str | None = None
    replay: bytes = b""
    """Dead letters only: the record to append again on replay (contracts.log_records)."""


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """The answer to a command."""

    id: str
    kind: str
    state: Literal["applied", "refused"]
    at: int
    actor: str
    result: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(slots=True)
class Changes:
    """Everything one decision wants written, in one transaction with the positions."""

    events: list[EventWrite] = field(default_factory=list)
    owners: list[OwnerWrite] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    """New (revision 0: the insert fails on an existing id) or changed (expected revision = ``revision``)."""
    guards: dict[str, int] = field(default_factory=dict)
    """Profile id → revision that was relied on without being changed."""
    absent: frozenset[str] = frozenset()
    """Identifier keys that the decision relied on nobody having, without claiming them."""
    merges: list[MergeRecord] = field(default_factory=list)
    """New ones, and existing ones with ``undone_at`` set: written whole by id."""
    switches: list[SwitchRecord] = field(default_factory=list)
    refusals: list[RefusalRecord] = field(default_factory=list)
    reviews: list[ReviewPair] = field(default_factory=list)
    audiences: list[AudienceWrite] = field(default_factory=list)
    """Of people who are not among ``profiles`` (those carry theirs)."""
    members: list[MemberWrite] = field(default_factory=list)
    """In order; the last word on a (segment, person) stands. A profile that is merged away or erased leaves the rows
    of all segments, which stores see to themselves."""
    review_states: dict[str, str] = field(default_factory=dict)
    """Review id → ``open`` or ``rejected``, by a person."""
    outbox: list[OutboxRecord] = field(default_factory=list)
    problems: list[ItemOutcome] = field(default_factory=list)
    """Duplicates, filtered and dead-lettered items, and what the edge rejected."""
    commands: list[CommandOutcome] = field(default_factory=list)
    dropped_identifiers: dict[tuple[str, str], int] = field(default_factory=dict)
    """(kind, reason) → how many candidate identifiers were not usable: for the metrics."""
    names_changed: set[str] = field(default_factory=set)
    """Roots whose name or identifiers changed, so that the search index writes only those."""
