"""The profile store as the admin service sees it: reading only, beside a processor that writes.

Nothing here scans a collection to draw a number: counts are roll-ups that commits keep. Times are ms UTC.
All methods raise ``StoreUnavailable`` when the store cannot be read (for example: no processor has made it yet), those
that take a cursor ``CursorInvalid``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Generic, Literal, Protocol, TypeVar

from leocdp.domain.decisions import CommandOutcome, MergeRecord, RefusalRecord, SwitchRecord
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.nodes import Node
from leocdp.domain.segments.subject import EventFact

T = TypeVar("T")
ProfileSort = Literal["last_seen", "first_seen", "name"]


class CursorInvalid(ValueError):
    """A cursor that this list has not given out; the text is for its sender."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """``next`` is an opaque keyset cursor, None on the last page."""

    data: Sequence[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileQuery:
    q: str = ""
    """As typed. 3 or more folded characters: exact identifier, then name prefix, then substring, ranked among the
    first 1,000 hits; 1–2 characters: prefix of a word of the name; empty: everyone."""
    status: Literal["", "identified", "anonymous"] = ""
    label: str = ""
    sort: ProfileSort = "last_seen"
    limit: int = 50
    cursor: str | None = None
    contacts: bool = True
    """False: contacts are not searched (a viewer must not probe for them)."""


@dataclass(frozen=True, slots=True)
class ProfileHit:
    """A row of a list of people, already the root."""

    id: str
    status: str
    name: str
    first_seen: int
    last_seen: int
    events: int
    identifiers: Sequence[tuple[str, str]]
    """(kind, value) of kinds of priority 1–5, at most 6."""
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ProfilePage:
    data: Sequence[ProfileHit]
    next: str | None
    total: int | None
    """Hits in all; None where there are more than 1,000."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    name: str = ""
    type: str = ""
    from_: int | None = None
    to: int | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An applied event as stored. ``body`` has properties, traits, context, integrations, consent and flags."""

    id: str
    message_id: str
    type: str
    name: str | None
    timestamp: int
    received_at: int
    original_timestamp: int | None
    sent_at: int | None
    source: str
    protocol: str
    leaf: str | None
    anonymous_id: str | None
    user_id: str | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProblemEvent:
    """An item that was rejected, filtered, a duplicate, or dead-lettered."""

    id: str
    outcome: str
    reason: str
    at: int
    topic: str
    partition: int
    offset: int
    index: int
    source: str | None
    message_id: str | None
    type: str | None
    name: str | None
    error: str
    payload: str
    replayed_at: int | None = None


@dataclass(frozen=True, slots=True)
class ReviewRow:
    id: str
    at: int
    left: str
    right: str
    """Roots now; equal when the two have been merged since."""
    reason: str
    identifier: str | None
    state: Literal["open", "merged", "rejected"]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An event name as received: how often, when first and last, properties with the types seen."""

    type: str
    name: str
    count: int
    first_seen: int
    last_seen: int
    properties: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    profiles: int = 0
    people: int = 0
    identified: int = 0
    events: int = 0
    duplicates: int = 0
    filtered: int = 0
    dead_letters: int = 0
    """Waiting: dead-lettered and not replayed."""
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """A point of a series: start of the bucket (ms) and how many."""

    at: int
    count: int


@dataclass(frozen=True, slots=True)
class IdentityHistory:
    merges: Sequence[MergeRecord]
    switches: Sequence[SwitchRecord]
    refusals: Sequence[RefusalRecord]


@dataclass(frozen=True, slots=True)
class Question:
    """A condition to put to everybody, and what it is asked with."""

    condition: Node
    now: int
    zone: tzinfo
    segments: Mapping[str, int] = field(default_factory=dict)
    """Segment id → its current version, of the segments that conditions may refer to."""
    half_lives: Mapping[str, int | None] = field(default_factory=dict)
    """Score → half-life in ms that stored points decay by; None does not decay."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many people: exactly, or from the sample with the half-width of its 95 % interval."""

    count: int
    exact: bool
    error: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    person: ProfileHit
    since: int


class ProfileReader(Protocol):
    async def start(self) -> None:
        """Open lazily: a store that does not exist yet is no error until something is read."""

    async def close(self) -> None: ...

    async def find(self, ref: Identifier | str) -> Profile | None:
        """The root that an identifier or a profile id (also a merged one) belongs to now, or None."""

    async def leaves(self, root_id: str) -> Sequence[Profile]:
        """All leaves of a person with their own states: for provenance (which leaf has which identifier)."""

    async def search(self, query: ProfileQuery) -> ProfilePage: ...

    async def events(self, leaf_ids: Sequence[str], query: EventQuery) -> Page[StoredEvent]:
        """Newest first by ``timestamp`` over all given leaves."""

    async def identity_history(self, leaf_ids: Sequence[str], limit: int = 500) -> IdentityHistory:
        """Of the given leaves, newest first; undone merges included."""

    async def event_by_message(self, source_ids: Sequence[str], message_id: str) -> StoredEvent | None:
        """The applied event with this message id, from any of the sources (within the deduplication horizon)."""

    async def problem_by_message(self, source_ids: Sequence[str], message_id: str) -> ProblemEvent | None: ...

    async def recent_events(
        self, *, after: int | None = None, source: str = "", name: str = "", limit: int = 50
    ) -> Sequence[tuple[int, StoredEvent]]:
        """Applied events by storage sequence, newest first; with ``after``, only later ones. At most a bounded number
        of rows is looked at, so a filter that matches nothing is still quick."""

    async def problem_events(
        self,
        *,
        outcome: str = "",
        reason: str = "",
        source: str = "",
        after: int | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[ProblemEvent]:
        """Newest first; with ``after`` (the numeric id of a problem event), only later ones."""

    async def catalogue(self) -> Sequence[CatalogueEntry]: ...

    async def reviews(self, *, state: str = "open", limit: int = 50, cursor: str | None = None) -> Page[ReviewRow]: ...

    async def command(self, command_id: str) -> CommandOutcome | None: ...

    async def counts(self) -> Counts: ...

    async def series(
        self,
        metric: Literal["events", "profiles", "identified"],
        *,
        since: int,
        bucket: Literal["hour", "day"],
        key: str = "",
    ) -> Sequence[Bucket]:
        """Roll-ups kept by commits, per hour UTC; events by ``timestamp``, profiles by creation.

        ``key`` narrows events to ``source:<id>`` or ``name:<event>``.
        """

    async def top(
        self, metric: Literal["name", "source"], *, since: int, limit: int = 10
    ) -> Sequence[tuple[str, int]]: ...

    async def last_event_at(self, source_id: str) -> int | None: ...

    async def positions(self) -> Mapping[tuple[str, int], int]:
        """(topic, partition) → next offset the processor will read."""

    async def digest(self) -> str:
        """SHA-256 over all people (identifiers, traits, counters, consents, event ids): no ids of ours, no order."""

    # Segments

    async def size_of(self, question: Question, *, sample: bool) -> Size:
        """How many people satisfy a condition: what ``domain.segments.evaluate`` says of each, found by the store's
        own query language where it can say the same, and by ``evaluate`` on those that it cannot exclude.

        With ``sample`` people whose ``audience.sample_of`` is below 16 stand for all, unless the workspace is small
        (20,000 people): then, and without ``sample``, the count is exact.
        """

    async def matching(self, question: Question, *, limit: int) -> Sequence[ProfileHit]:
        """Some people who satisfy a condition, from the sample first: to look at."""

    async def members(self, segment_key: str, *, limit: int = 50, cursor: str | None = None) -> Page[Member]:
        """Members of one version of a segment in a fixed order."""

    async def member_ids(self, segment_key: str, *, after: str | None, limit: int) -> Sequence[tuple[str, int]]:
        """(profile id, since) in a fixed order of the store's own, for streams: ``after`` is the last id before."""

    async def member_count(self, segment_key: str) -> int:
        """Kept by commits; counts nothing."""

    async def member_series(self, segment_key: str, *, since: int, bucket: Literal["hour", "day"]) -> Sequence[Bucket]:
        """Size at the end of each bucket in which it changed; the first one is the size at ``since``."""

    async def overlap(self, segment_keys: Sequence[str]) -> Mapping[frozenset[str], int]:
        """How many people are in exactly which of the segments (at most 5); those without people are left out."""

    async def people_behind(self, generation: int, *, most: int = 1_000_000) -> int:
        """Roots whose audience is of an earlier generation, counted up to ``most``: the progress of a build."""

    async def event_facts(
        self, leaf_ids: Sequence[str], *, names: Collection[str], types: Collection[str]
    ) -> Sequence[EventFact]:
        """Of one person, as ``ProfileStore.person_events`` gives them: for explanations."""
