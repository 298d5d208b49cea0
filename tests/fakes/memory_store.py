"""A profile store in memory that follows the port's contract: for tests that need many stores, quickly.

It compares everything a commit relies on, writes all of it or nothing, and gives each commit its number. What it
hands out is what it holds: nobody may change a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from leocdp.domain.decisions import (
    Changes,
    CommandOutcome,
    EventWrite,
    ItemOutcome,
    LoadRequest,
    MergeRecord,
    Owner,
    RefusalRecord,
    ReviewPair,
    Snapshot,
    SwitchRecord,
)
from leocdp.domain.events import Outcome
from leocdp.domain.privacy.ledger import Erasure, ErasureReceipt, Spell
from leocdp.domain.profiles.apply import NAMED_TYPES
from leocdp.domain.profiles.digest import DigestedPerson, digest
from leocdp.domain.profiles.listing import stored_labels
from leocdp.domain.profiles.state import Profile, State
from leocdp.domain.segments.audience import Audience, shard_of
from leocdp.domain.segments.subject import EventFact
from leocdp.ports.profile_store import Conflict, PositionKey, PositionMove, RemovedData, StoredOutbox

HORIZON_MS = 30 * 86_400_000


@dataclass
class MemoryStore:
    horizon_ms: int = HORIZON_MS
    sequence: int = 0
    owners: dict[str, Owner] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    known: dict[bytes, int] = field(default_factory=dict)
    events: list[EventWrite] = field(default_factory=list)
    merges: dict[str, MergeRecord] = field(default_factory=dict)
    switches: dict[str, SwitchRecord] = field(default_factory=dict)
    refusals: dict[str, RefusalRecord] = field(default_factory=dict)
    reviews: dict[str, ReviewPair] = field(default_factory=dict)
    review_states: dict[str, str] = field(default_factory=dict)
    commands: dict[str, CommandOutcome] = field(default_factory=dict)
    problems: list[ItemOutcome] = field(default_factory=list)
    outbox: list[StoredOutbox] = field(default_factory=list)
    announced: int = 0
    """How many outbox records there ever were."""
    replayed: dict[str, int] = field(default_factory=dict)
    moves: dict[PositionKey, int] = field(default_factory=dict)
    loads: int = 0
    receipts: dict[str, ErasureReceipt] = field(default_factory=dict)
    ledger: dict[str, set[Spell]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    members: dict[str, dict[str, int]] = field(default_factory=dict)
    """Segment key → profile id → since."""

    # Load

    def load_now(self, request: LoadRequest) -> Snapshot:
        self.loads += 1
        owners = {key: self.owners[key] for key in request.identifiers if key in self.owners}
        merges = {one: self.merges[one] for one in request.merge_ids if one in self.merges}
        trees = request.trees | {merge.source for merge in merges.values()}
        wanted = {owner.leaf for owner in owners.values()} | request.profile_ids | trees
        wanted = {one for one in wanted if one in self.profiles}
        wanted |= {self.root_of(one) for one in wanted}
        tops = {self.root_of(one) for one in trees if one in self.profiles}
        wanted |= {leaf for top in tops for leaf in self.profiles[top].leaf_ids}
        return Snapshot(
            owners=owners,
            profiles={one: replace(self.profiles[one], root=self.root_of(one)) for one in wanted},
            known={key for key in request.dedup_keys if key in self.known},
            merges=merges,
            commands={one for one in request.command_ids if one in self.commands},
            erased={one: tuple(sorted(self.ledger[one])) for one in request.erasures if one in self.ledger},
            erased_until=max((spell.until for spells in self.ledger.values() for spell in spells), default=0),
        )

    def root_of(self, profile_id: str) -> str:
        while (into := self.profiles[profile_id].merged_into) is not None:
            profile_id = into
        return profile_id

    # Commit

    def commit_now(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        self._compare(changes, positions)
        for move in positions:
            self.moves[move.key] = move.new
        self.owners.update((write.key, write.owner) for write in changes.owners)
        for profile in changes.profiles:
            audience = None if profile.merged_into else profile.audience
            self.profiles[profile.id] = replace(profile, revision=profile.revision + 1, audience=audience)
        for write in changes.audiences:
            held = self.profiles[write.profile_id]
            self.profiles[held.id] = replace(held, revision=held.revision + 1, audience=write.audience)
        self._write_members(changes)
        self.events.extend(changes.events)
        self.known.update((write.envelope.dedup_key, now) for write in changes.events)
        self._write_history(changes)
        self.sequence += 1
        for record in changes.outbox:
            self.announced += 1
            self.outbox.append(StoredOutbox(self.announced, record))
        return self.sequence

    def _compare(self, changes: Changes, positions: Sequence[PositionMove]) -> None:
        for move in positions:
            self._expect(self.moves.get(move.key) == move.old, f"position of {move.key}")
        for write in changes.owners:
            self._expect(self.owners.get(write.key) == write.expected, f"owner of {write.key}")
        self._expect(not any(key in self.owners for key in changes.absent), "identifier that nobody had")
        for profile in changes.profiles:
            self._expect(self._revision(profile.id) == profile.revision, f"revision of {profile.id}")
        for one in changes.audiences:
            person = self.profiles.get(one.profile_id)
            fits = person is not None and person.merged_into is None and person.revision == one.revision
            self._expect(fits, f"revision of {one.profile_id}")
        for profile_id, revision in changes.guards.items():
            self._expect(self._revision(profile_id) == revision, f"guard of {profile_id}")
        keys = [write.envelope.dedup_key for write in changes.events]
        self._expect(len(set(keys)) == len(keys) and not any(key in self.known for key in keys), "known event")
        self._expect(not any(command.id in self.commands for command in changes.commands), "answered command")

    def _revision(self, profile_id: str) -> int:
        profile = self.profiles.get(profile_id)
        return profile.revision if profile else 0

    def _expect(self, holds: bool, what: str) -> None:
        if not holds:
            raise Conflict(what)

    def _write_members(self, changes: Changes) -> None:
        gone = {profile.id for profile in changes.profiles if profile.merged_into is not None}
        for write in changes.members:
            held = self.members.setdefault(write.segment_key, {})
            if write.since is None:
                held.pop(write.profile_id, None)
            else:
                held[write.profile_id] = write.since
        self._leave_segments(gone)

    def _leave_segments(self, gone: set[str]) -> None:
        for held in self.members.values():
            for one in gone:
                held.pop(one, None)

    def _write_history(self, changes: Changes) -> None:
        self.merges.update((one.id, one) for one in changes.merges)
        self.switches.update((one.id, one) for one in changes.switches)
        self.refusals.update((one.id, one) for one in changes.refusals)
        for pair in changes.reviews:
            self.reviews.setdefault(pair.id, pair)
        self.review_states.update(changes.review_states)
        self.commands.update((one.id, one) for one in changes.commands)
        self.problems.extend(changes.problems)

    # What tests look at

    def people(self) -> list[DigestedPerson]:
        """Every person, and last the events that have none."""
        events: dict[str, list[str]] = {}
        for write in self.events:
            root = self.root_of(write.leaf) if write.leaf else ""
            events.setdefault(root, []).append(write.envelope.event_id)
        roots = [one for one in self.profiles.values() if one.merged_into is None]
        people = [DigestedPerson(root.folded, events.get(root.id, ())) for root in roots]
        return [*people, DigestedPerson(State(), events.get("", ()))]

    def digest_now(self) -> str:
        return digest(self.people())

    # The port

    async def start(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def load(self, request: LoadRequest) -> Snapshot:
        return self.load_now(request)

    async def commit(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        return self.commit_now(changes, positions, now)

    async def positions(self, log_id: str) -> Mapping[tuple[str, int], int]:
        return {(key.topic, key.partition): at for key, at in self.moves.items() if key.log_id == log_id}

    async def other_logs(self, log_id: str) -> Sequence[str]:
        return sorted({key.log_id for key in self.moves} - {log_id})

    async def held_until(self) -> int | None:
        return None

    async def pending_outbox(self, limit: int) -> Sequence[StoredOutbox]:
        return self.outbox[:limit]

    async def mark_published(self, sequences: Sequence[int]) -> None:
        published = set(sequences)
        self.outbox = [one for one in self.outbox if one.sequence not in published]

    async def dead_letters_to_replay(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        letters = {self._problem_id(n): one for n, one in enumerate(self.problems)}
        return {
            one: letters[one].replay
            for one in ids
            if one in letters and letters[one].outcome is Outcome.DEAD_LETTERED and one not in self.replayed
        }

    async def mark_replayed(self, ids: Sequence[str], at: int) -> None:
        self.replayed.update((one, at) for one in ids)

    @staticmethod
    def _problem_id(number: int) -> str:
        return str(number + 1)

    async def remove_source(self, source_id: str, *, after: str | None, limit: int) -> RemovedData:
        """All in one step, whatever the limit."""
        sources: dict[str, set[str]] = {}
        for write in self.events:
            root = self.root_of(write.leaf) if write.leaf else ""
            sources.setdefault(root, set()).add(write.envelope.source.id)
        only = {root for root, known in sources.items() if root and known == {source_id}}
        gone = {one for one in self.profiles if self.root_of(one) in only}
        kept = {one.leaf for one in self.events if one.leaf and one.envelope.source.id == source_id} - gone
        removed = [one for one in self.events if self._goes(one, source_id, gone)]
        self.events = [one for one in self.events if not self._goes(one, source_id, gone)]
        for write in removed:
            self.known.pop(write.envelope.dedup_key, None)
        self._forget(gone)
        return RemovedData(len(gone), len(removed), len(kept), None)

    @staticmethod
    def _goes(write: EventWrite, source_id: str, gone: set[str]) -> bool:
        return write.leaf in gone if write.leaf else write.envelope.source.id == source_id

    def _forget(self, gone: set[str]) -> None:
        self._leave_segments(gone)
        self.owners = {key: owner for key, owner in self.owners.items() if owner.leaf not in gone}
        self.profiles = {one: profile for one, profile in self.profiles.items() if one not in gone}
        self.merges = {one: record for one, record in self.merges.items() if not {record.into, record.source} & gone}
        self.switches = {
            one: record for one, record in self.switches.items() if not {record.from_leaf, record.to_leaf} & gone
        }
        self.refusals = {one: record for one, record in self.refusals.items() if not {record.owner, record.leaf} & gone}
        self.reviews = {one: pair for one, pair in self.reviews.items() if not {pair.left, pair.right} & gone}
        self.outbox = [one for one in self.outbox if one.record.profile_id not in gone]

    # Segments

    async def people_due(self, shards: Collection[int], now: int, limit: int) -> Sequence[str]:
        due = sorted((held.due, one) for one, held in self._audiences(shards) if held.due is not None)
        return [one for at, one in due if at <= now][:limit]

    async def people_behind(self, shards: Collection[int], generation: int, limit: int) -> Sequence[str]:
        return [one for one, held in self._audiences(shards) if held.generation < generation][:limit]

    def _audiences(self, shards: Collection[int]) -> list[tuple[str, Audience]]:
        roots = [one for one in self.profiles.values() if one.merged_into is None]
        return [(one.id, one.audience or Audience()) for one in roots if shard_of(one.id) in shards]

    async def person_events(
        self, people: Mapping[str, Sequence[str]], *, names: Collection[str], types: Collection[str]
    ) -> Mapping[str, Sequence[EventFact]]:
        root_of = {leaf: root for root, leaves in people.items() for leaf in leaves}
        found: dict[str, list[EventFact]] = {root: [] for root in people}
        for write in self.events:
            event = write.envelope
            wanted = event.type in types or (event.type in NAMED_TYPES and event.name in names)
            if wanted and write.leaf in root_of:
                fact = EventFact(event.timestamp, event.message_id, event.type, event.name, event.properties)
                found[root_of[write.leaf]].append(fact)
        for events in found.values():
            events.sort(key=lambda one: (one.at, one.message_id))
        return found

    async def people_labelled(self, label: str, limit: int) -> Sequence[str]:
        roots = [one for one in self.profiles.values() if one.merged_into is None]
        return [root.id for root in roots if label in stored_labels(root.folded)][:limit]

    # Erasure

    async def identifiers(self, *, after: str | None, limit: int) -> Sequence[tuple[str, str]]:
        return [(key, self.owners[key].leaf) for key in sorted(self.owners) if after is None or key > after][:limit]

    async def switches_of(self, leaf_ids: Sequence[str]) -> Sequence[SwitchRecord]:
        own = set(leaf_ids)
        return [one for one in self.switches.values() if {one.from_leaf, one.to_leaf} & own]

    async def erase(self, erasure: Erasure, mentions: Callable[[str], bool]) -> ErasureReceipt:
        return self.erase_now(erasure, mentions)

    def erase_now(self, erasure: Erasure, mentions: Callable[[str], bool]) -> ErasureReceipt:
        if erasure.id in self.receipts:
            return self.receipts[erasure.id]
        for person in erasure.people:
            self._expect(self._revision(person.root) == person.revision, f"revision of {person.root}")
        gone = {leaf for person in erasure.people for leaf in person.leaves}
        before = self._sizes()
        mine = {(one.envelope.source.id, one.envelope.message_id) for one in self.events if one.leaf in gone}
        self.events = [one for one in self.events if one.leaf not in gone]
        self.problems = [
            one
            for one in self.problems
            if not (one.profile_id in gone or (one.source_id, one.message_id) in mine or mentions(one.payload))
        ]
        self._forget(gone)
        after = self._sizes()
        counts = {name: before[name] - after[name] for name in before}
        receipt = self.receipts[erasure.id] = ErasureReceipt(erasure, counts)
        self.keys.add(erasure.key)
        for one, spells in erasure.ledger.items():
            self.ledger.setdefault(one, set()).update(spells)
        return receipt

    def _sizes(self) -> dict[str, int]:
        history = len(self.merges) + len(self.switches) + len(self.refusals) + len(self.reviews)
        return {
            "profiles": len(self.profiles),
            "events": len(self.events),
            "identifiers": len(self.owners),
            "history": history,
            "problems": len(self.problems),
            "outbox": len(self.outbox),
        }

    async def erasure(self, erasure_id: str) -> ErasureReceipt | None:
        return self.receipts.get(erasure_id)

    async def erasure_keys(self) -> frozenset[str]:
        return frozenset(self.keys)

    async def tidy(self, now: int) -> None:
        self.known = {key: at for key, at in self.known.items() if at > now - self.horizon_ms}
