"""The record of a batch: what happened to identities, for the history, the review queue and other systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Literal

from leocdp.domain.decisions import (
    Cause,
    Command,
    MergeRecord,
    RefusalRecord,
    ReviewPair,
    SwitchRecord,
)
from leocdp.domain.events import Envelope

DAY_MS: Final = 86_400_000

NoteKind = Literal[
    "profile_changed",
    "profiles_merged",
    "profile_unmerged",
    "identifier_switched",
    "identifier_refused",
    "identifier_shared",
    "identifier_moved",
    "consent_changed",
    "labels_changed",
]


def stable_id(prefix: str, *parts: str) -> str:
    """The same parts always make the same id: ``prefix`` + 24 hex digits."""
    return prefix + blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Origin:
    """The item of the log that made something happen."""

    id: str
    """Address of the event, or id of the command: unique in the log."""
    at: int
    """When it arrived: the time of the history."""
    occurred_at: int
    """When it happened: the time that tells destinations how old the news is."""
    actor: str
    """Id of the source or of the user."""
    by: Literal["event", "user"]
    message_id: str | None
    cause: Cause


def of_event(event: Envelope) -> Origin:
    topic, partition, offset, item = event.address
    origin_id = f"{topic}/{partition}/{offset}/{item}"
    return Origin(origin_id, event.received_at, event.timestamp, event.source.id, "event", event.message_id, "event")


def of_command(command: Command) -> Origin:
    return Origin(command.id, command.at, command.at, command.actor, "user", None, "command")


@dataclass(frozen=True, slots=True)
class Note:
    """A fact about a person, for other systems: ids, version and names only, never values."""

    origin: Origin
    kind: NoteKind
    profile_id: str
    all_ids: tuple[str, ...]
    version: int
    cause: Cause
    changed: tuple[str, ...] = ()


@dataclass(slots=True)
class Change:
    """What of one person changed in this batch: the first item that did, and the traits."""

    origin: Origin
    traits: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Journal:
    """Collects records by id, so that what is kept once a day or once a pair is written once in a batch too."""

    merges: dict[str, MergeRecord] = field(default_factory=dict)
    switches: dict[str, SwitchRecord] = field(default_factory=dict)
    refusals: dict[str, RefusalRecord] = field(default_factory=dict)
    reviews: dict[str, ReviewPair] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    changes: dict[str, Change] = field(default_factory=dict)
    """Profile that was a root at the time → what changed."""
    renamed: set[str] = field(default_factory=set)
    """Profiles whose person's name or identifiers changed."""
    imports: dict[str, Origin] = field(default_factory=dict)
    """Profile that came into an imported list or left it → by what. Only segments ask."""

    def changed(self, root: str, origin: Origin, traits: Iterable[str]) -> None:
        change = self.changes.get(root)
        if change is None:
            change = self.changes[root] = Change(origin)
        change.traits.update(traits)

    def merged(self, origin: Origin, into: str, lost: str, identifier: str | None, counts: bool) -> MergeRecord:
        record = MergeRecord(
            id=stable_id("mrg_", into, lost, origin.id),
            at=origin.at,
            by=origin.by,
            actor=origin.actor,
            into=into,
            source=lost,
            message_id=origin.message_id,
            identifier=identifier,
            counted=counts,
        )
        self.merges[record.id] = record
        return record

    def switched(self, record: SwitchRecord) -> None:
        self.switches[record.id] = record

    def refused(self, origin: Origin, key: str, owner: str, leaf: str, reason: str) -> bool:
        """Record a refusal; False when this batch has the same one already."""
        day = str(origin.at // DAY_MS)
        refusal_id = stable_id("ref_", key, owner, leaf, reason, day)
        known = refusal_id in self.refusals
        self.refusals[refusal_id] = RefusalRecord(
            refusal_id, origin.at, key, owner, leaf, reason, origin.message_id or ""
        )
        return not known

    def review(self, origin: Origin, one: str, other: str, reason: str, key: str | None) -> None:
        left, right = sorted((one, other))
        review_id = stable_id("rev_", left, right, reason)
        if review_id not in self.reviews:
            self.reviews[review_id] = ReviewPair(review_id, origin.at, left, right, reason, key, origin.message_id)
