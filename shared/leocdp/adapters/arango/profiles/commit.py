"""Commit: compare everything that the decision relied on, write all of it, in one transaction with the positions.

After the turn was taken one query reads what is compared and added to; then there is one writing request for each
collection that is concerned, whatever the size of the batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import Any, Final

import msgspec

from leocdp.adapters.arango.database import Document, Transaction
from leocdp.adapters.arango.keys import hashed, number_key
from leocdp.adapters.arango.profiles import aql, messages
from leocdp.adapters.arango.profiles.documents import (
    event_document,
    history_documents,
    outbox_document,
    problem_document,
)
from leocdp.adapters.arango.profiles.figures import Tally
from leocdp.adapters.arango.profiles.head import Head, StoredPosition
from leocdp.adapters.arango.profiles.keys import beginning_of_key
from leocdp.adapters.arango.profiles.people import Head as ProfileHead
from leocdp.adapters.arango.profiles.people import People, ids_to_read, plan_people
from leocdp.adapters.arango.profiles.trees import Member
from leocdp.adapters.arango.segments.members import SIZES, leavers, plan_members, row_key
from leocdp.domain.decisions import Changes, OwnerWrite
from leocdp.domain.profiles.counting import COUNTER_OF, DEAD, HOUR_MS, KEPT_DEAD, KEPT_PROBLEMS
from leocdp.ports.profile_store import Conflict, PositionMove

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how much of what is bounded."""

    horizon_ms: int = 30 * DAY_MS
    problems: int = KEPT_PROBLEMS
    dead_letters: int = KEPT_DEAD


class Commit:
    """One commit. ``write`` may be called again from the beginning, with another transaction."""

    def __init__(
        self,
        changes: Changes,
        positions: Sequence[PositionMove],
        now: int,
        *,
        bounds: Bounds,
        absent: messages.Absent,
        owner: str,
    ) -> None:
        """``owner``: who publishes the outbox records."""
        self._changes = changes
        self._positions = positions
        self._now = now
        self._bounds = bounds
        self._absent = absent
        self._owner = owner
        self.keys = [write.envelope.dedup_key for write in changes.events]
        # Time of the log, not of the clock, so that a rebuilt store draws the same curve.
        received = (write.envelope.received_at for write in changes.events)
        self._latest_hour = max(received, default=now) // HOUR_MS

    def write(self, transaction: Transaction, head: Head) -> int:
        """Returns the sequence number of the commit. Raises Conflict, Failure."""
        head.sequence += 1
        move_positions(head, self._positions)
        tally = Tally(self._changes.events)
        before = head.buckets[-1].begins if head.buckets else None
        bucket, is_new = messages.bucket_for(head, self._now, self._bounds.horizon_ms)
        asked = self.keys if is_new else self._absent.unsure(self.keys, before)
        checked = transaction.first(
            aql.CHECK,
            profiles=ids_to_read(self._changes),
            identifiers=[hashed(key) for key in self._identifiers()],
            messages=[key.hex() for key in asked],
            reviews=[hashed(one) for one in self._changes.review_states],
            figures=tally.keys(self._hours()),
            **self._member_binds(),
        )
        if checked["known"]:
            raise Conflict("A message of the batch was stored by an earlier commit.")
        owners = {row["key"]: row for row in checked["owners"]}
        self._check_absent(owners)
        heads = {row["id"]: msgspec.convert(row, ProfileHead) for row in checked["heads"]}
        people = plan_people(self._changes, heads, head.profiles + 1, lambda roots: _members(transaction, roots))
        self._write_owners(transaction, owners)
        _write_people(transaction, people)
        self._write_members(transaction, checked, tally)
        self._write_events(transaction, head, messages.collection(bucket))
        self._write_history(transaction, head, checked["reviewed"])
        self._write_answers(transaction, head)
        self._count(tally, people, head)
        transaction.insert("figures", tally.documents([*checked["counted"], *checked["sizes"]], head), "replace")
        return head.sequence

    def _member_binds(self) -> Document:
        writes = self._changes.members
        return {
            "members": sorted({row_key(one.segment_key, one.profile_id) for one in writes}),
            "leaving": sorted(leavers(self._changes)),
            "segments": sorted({one.segment_key for one in writes}),
            "sizes": list(SIZES),
            "hours": [0, self._latest_hour],
        }

    def _hours(self) -> list[tuple[str, str, int]]:
        """Roll-ups of people that this commit may count in."""
        created = {profile.created_at // HOUR_MS for profile in self._changes.profiles if profile.revision == 0}
        return [("identified", "", self._latest_hour), *(("profiles", "", hour) for hour in created)]

    def _identifiers(self) -> set[str]:
        """Identifiers whose owners are compared; that a claimed one has none is seen when it is inserted."""
        moved = {write.key for write in self._changes.owners if write.expected is not None}
        return moved | self._changes.absent

    def _check_absent(self, owners: Mapping[str, Any]) -> None:
        """Nobody else can claim one of them before this transaction is over: it has the turn."""
        if any(hashed(key) in owners for key in self._changes.absent):
            raise Conflict("An identifier that nobody had was claimed by another commit.")

    def _write_owners(self, transaction: Transaction, owners: Mapping[str, Mapping[str, Any]]) -> None:
        claims = [_owner_document(write) for write in self._changes.owners if write.expected is None]
        moves = []
        for write in self._changes.owners:
            if write.expected is not None:
                stored = owners.get(hashed(write.key))
                if stored is None or (stored["leaf"], stored["state"]) != (write.expected.leaf, write.expected.state):
                    raise Conflict("An identifier of the batch was moved or changed by another commit.")
                moves.append({**_owner_document(write), "_rev": stored["rev"]})
        transaction.insert("identifiers", claims)
        transaction.replace("identifiers", moves)

    def _write_members(self, transaction: Transaction, checked: Mapping[str, Any], tally: Tally) -> None:
        stored = [*checked["here"], *checked["leaving"]]
        plan = plan_members(self._changes.members, leavers(self._changes), stored, self._latest_hour)
        transaction.insert("members", plan.written, "replace")
        transaction.remove("members", plan.removed)
        for (metric, segment, hour), n in plan.rollups(self._latest_hour):
            tally.count(metric, hour, n, segment)

    def _write_events(self, transaction: Transaction, head: Head, collection: str) -> None:
        events = self._changes.events
        first = head.events + 1
        head.events += len(events)
        transaction.insert("events", [event_document(write, number) for number, write in enumerate(events, first)])
        keys = [{"_key": key.hex(), "event": number_key(number)} for number, key in enumerate(self.keys, first)]
        transaction.insert(collection, keys)

    def _write_history(self, transaction: Transaction, head: Head, reviewed: Collection[str]) -> None:
        changes = self._changes
        transaction.insert("history", history_documents(changes), "replace")
        reviews: dict[str, Document] = {}
        for pair in changes.reviews:
            head.reviews += 1
            stored = {**msgspec.to_builtins(pair), "_key": hashed(pair.id), "num": head.reviews, "state": "open"}
            reviews.setdefault(hashed(pair.id), stored)
        transaction.insert("reviews", list(reviews.values()), "ignore")
        there = {*reviewed, *reviews}
        states = [
            {"_key": hashed(one), "state": state}
            for one, state in changes.review_states.items()
            if hashed(one) in there
        ]
        transaction.patch("reviews", states, check_rev=False)

    def _write_answers(self, transaction: Transaction, head: Head) -> None:
        """Outcomes of commands, problem events, and what other systems are told."""
        changes = self._changes
        outcomes = [
            {"_key": hashed(one.id), "id": one.id, "body": msgspec.to_builtins(one)} for one in changes.commands
        ]
        transaction.insert("commands", outcomes)
        kept = kept_problems(changes.problems, self._bounds)
        transaction.insert("problems", [problem_document(*each) for each in _numbered(kept, head.problems)])
        stored_at = int(time() * 1000)
        numbered = _numbered(changes.outbox, head.outbox)
        transaction.insert("outbox", [outbox_document(*each, self._owner, stored_at) for each in numbered])
        dead = sum(one.outcome == DEAD for one in kept)
        head.problems += len(kept)
        head.kept_dead += dead
        head.kept_problems += len(kept) - dead
        head.outbox += len(changes.outbox)

    def _count(self, tally: Tally, people: People, head: Head) -> None:
        head.profiles += len(people.new)
        head.grow(people.grown)
        head.grow({"events": len(self._changes.events)})
        head.grow(Counter(COUNTER_OF[str(one.outcome)] for one in self._changes.problems))
        for at in people.created:
            tally.count("profiles", at // HOUR_MS)
        if people.identified:
            tally.count("identified", self._latest_hour, people.identified)


def move_positions(head: Head, moves: Sequence[PositionMove]) -> None:
    """Raises Conflict when a position is not at its ``old`` value."""
    stored = {(one.log_id, one.topic, one.partition): one for one in head.positions}
    for move in moves:
        found = stored.get(move.key)
        at = found.next if found else None
        if at != move.old:
            raise Conflict(
                f"The position of {move.key.topic}/{move.key.partition} is {at}, not {move.old}: "
                "another worker has moved it."
            )
        stored[move.key] = StoredPosition(*move.key, move.new, head.sequence)
    head.positions = list(stored.values())


def kept_problems(problems: Sequence[Any], bounds: Bounds) -> list[Any]:
    """Of a flood, the last ones only; dead letters all."""
    others = [one for one in problems if one.outcome != DEAD]
    dropped = {id(one) for one in others[: -bounds.problems]}
    return [one for one in problems if id(one) not in dropped]


def _numbered(items: Sequence[Any], last: int) -> list[tuple[Any, int]]:
    return [(item, number) for number, item in enumerate(items, last + 1)]


def _owner_document(write: OwnerWrite) -> Document:
    return {
        "_key": hashed(write.key),
        "key": write.key,
        "beginning": beginning_of_key(write.key),
        "leaf": write.owner.leaf,
        "state": write.owner.state,
    }


def _members(transaction: Transaction, roots: Sequence[str]) -> Mapping[str, Member]:
    if not roots:
        return {}
    rows = transaction.query(aql.MEMBERS, roots=list(roots))
    return {row["id"]: Member(row["rev"], row["merged_into"], row["root"]) for row in rows}


def _write_people(transaction: Transaction, people: People) -> None:
    transaction.insert("profiles", people.new)
    transaction.replace("profiles", people.changed)
    transaction.patch("profiles", [*people.repointed, *people.audiences])
    transaction.insert("searches", people.found, "replace")
    transaction.remove("searches", people.lost)
