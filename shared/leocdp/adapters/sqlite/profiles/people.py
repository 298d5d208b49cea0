"""Profiles in a commit: compare revisions, write states and pointers, keep the columns that lists are sorted by.

``write_people`` compares the heads of everything the commit touches, refuses what no longer fits, and then writes by
row number.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from leocdp.adapters.sqlite.profiles.codec import AUDIENCES, PERSONS, STATES, PackedId, pack_id, pack_optional
from leocdp.adapters.sqlite.profiles.heads import Head, Heads
from leocdp.adapters.sqlite.profiles.search_index import write_search
from leocdp.adapters.sqlite.profiles.trees import repoint
from leocdp.domain.decisions import AudienceWrite, Changes
from leocdp.domain.profiles.listing import display_name, fold, status_of, stored_labels
from leocdp.domain.profiles.search_text import SearchText, search_text
from leocdp.domain.profiles.state import Profile, State
from leocdp.domain.segments.audience import Audience, sample_of
from leocdp.ports.profile_store import Conflict

_PLACES: Final = ", ".join("?" * 17)
NAMELESS: Final = "\U0010ffff"
"""Stands where a name would: people without one come last when sorted by name."""


@dataclass(slots=True)
class Written:
    """What the writing of profiles means for counters and roll-ups."""

    grown: Counter[str] = field(default_factory=Counter)
    created: list[int] = field(default_factory=list)
    """``created_at`` of the new profiles."""
    identified: int = 0
    """People that became identified, not counting those that united with somebody who already was."""
    merged: set[PackedId] = field(default_factory=set)
    """Roots that were merged away, also such as were new."""


class Listed(NamedTuple):
    """Columns of a root that lists need."""

    status: int
    first_seen: int
    last_seen: int
    name: str
    labels: str | None


def write_people(connection: sqlite3.Connection, changes: Changes, next_num: int, known: Heads) -> Written:
    """Inside a transaction. Raises Conflict. New profiles are numbered from ``next_num`` on."""
    profiles = {pack_id(profile.id): profile for profile in changes.profiles}
    guards = {pack_id(one): revision for one, revision in changes.guards.items()}
    audiences = {pack_id(write.profile_id): write for write in changes.audiences}
    heads = known.read(profiles.keys() | guards.keys() | audiences.keys())
    _refuse_outdated(profiles, guards, heads)
    _refuse_outdated_audiences(audiences, heads)
    writer = _PeopleWriter(connection, heads, changes.names_changed)
    writer.insert({one: profile for one, profile in profiles.items() if profile.revision == 0}, next_num)
    writer.update({one: profile for one, profile in profiles.items() if profile.revision != 0})
    writer.update_audiences(audiences)
    writer.finish()
    return writer.written


def listed(state: State, created_at: int, name: str) -> Listed:
    labels = stored_labels(state)
    return Listed(
        1 if status_of(state) == "identified" else 0,
        created_at if state.first_seen is None else state.first_seen,
        created_at if state.last_seen is None else state.last_seen,
        name,
        json.dumps(labels, ensure_ascii=False) if labels else None,
    )


def folded_name(state: State) -> str:
    return fold(display_name(state.traits))


def _refuse_outdated(
    profiles: Mapping[PackedId, Profile], guards: Mapping[PackedId, int], heads: Mapping[PackedId, Head]
) -> None:
    for one, profile in profiles.items():
        head = heads.get(one)
        if (head.revision if head else 0) != profile.revision:
            raise Conflict(f"Profile {profile.id} has another revision than {profile.revision}.")
    for one, revision in guards.items():
        head = heads.get(one)
        if (head.revision if head else 0) != revision:
            raise Conflict(f"A profile that was relied on has another revision than {revision}.")


def _refuse_outdated_audiences(audiences: Mapping[PackedId, AudienceWrite], heads: Mapping[PackedId, Head]) -> None:
    for one, write in audiences.items():
        head = heads.get(one)
        if head is None or head.revision != write.revision or head.root is not None:
            raise Conflict(f"Profile {write.profile_id} is no person of revision {write.revision}.")


class _PeopleWriter:
    def __init__(self, connection: sqlite3.Connection, heads: Mapping[PackedId, Head], renamed: set[str]) -> None:
        self._connection = connection
        self._heads = heads
        self._renamed = renamed
        self._nums = {one: head.num for one, head in heads.items()}
        self._new: set[int] = set()
        self._labels: list[tuple[int, str | None, str | None]] = []
        self._texts: dict[int, SearchText | None] = {}
        self._repointed: dict[PackedId, PackedId | None] = {}
        self._risen: set[PackedId] = set()
        """Roots that are identified now and were not, or not there, before."""
        self._clocks: list[tuple[int, int | None, int]] = []
        self.written = Written()

    def insert(self, profiles: Mapping[PackedId, Profile], next_num: int) -> None:
        rows: list[tuple[Any, ...]] = []
        for num, (one, profile) in enumerate(profiles.items(), next_num):
            self._nums[one] = num
            self._new.add(num)
            state = profile.folded
            name = folded_name(state)
            columns = listed(state, profile.created_at, name or NAMELESS)
            root = one if profile.merged_into else None
            if profile.merged_into:
                self._repointed[one] = pack_id(profile.merged_into)
            else:
                self._texts[num] = search_text(state, name)
                if columns.labels is not None:
                    self._labels.append((num, None, columns.labels))
            rows.append(
                (
                    num,
                    one,
                    1,
                    pack_optional(profile.merged_into),
                    root,
                    profile.created_at,
                    *columns,
                    sample_of(profile.id),
                    *_clock(profile),
                    *_blobs(profile),
                )
            )
            self.written.created.append(profile.created_at)
            self.written.grown["people"] += 1
            self.written.grown["identified"] += columns.status
            if columns.status:
                self._risen.add(one)
        self.written.grown["profiles"] += len(rows)
        self._connection.executemany(f"INSERT INTO profiles VALUES ({_PLACES})", rows)  # noqa: S608 - marks only

    def update(self, profiles: Mapping[PackedId, Profile]) -> None:
        states: list[tuple[Any, ...]] = []
        leaves: list[tuple[Any, ...]] = []
        columns: list[tuple[Any, ...]] = []
        for one, profile in profiles.items():
            head = self._heads[one]
            merged_into = pack_optional(profile.merged_into)
            self._note_clock(head, _clock(profile))
            if merged_into != head.merged_into:
                self._repointed[one] = merged_into
            if merged_into is not None:
                leaves.append((profile.revision + 1, *_blobs(profile), head.num))
                continue
            now = self._listed_now(profile, head, head.merged_into is not None)
            states.append((profile.revision + 1, now.last_seen, *_blobs(profile), head.num))
            if (now.status, now.first_seen, now.name, now.labels) != (
                head.status,
                head.first_seen,
                head.name,
                head.labels,
            ):
                columns.append((now.status, now.first_seen, now.name, now.labels, head.num))
            self._note_status(one, head, now)
        run = self._connection.executemany
        run(
            "UPDATE profiles SET revision = ?, last_seen = ?, state = ?, person = ?, audience = ? WHERE num = ?", states
        )
        run("UPDATE profiles SET revision = ?, state = ?, person = ?, audience = ? WHERE num = ?", leaves)
        run("UPDATE profiles SET status = ?, first_seen = ?, name = ?, labels = ? WHERE num = ?", columns)

    def update_audiences(self, audiences: Mapping[PackedId, AudienceWrite]) -> None:
        rows = []
        for one, write in audiences.items():
            head, audience = self._heads[one], write.audience
            self._note_clock(head, (audience.generation, audience.due))
            rows.append((write.revision + 1, AUDIENCES.encode(audience), head.num))
        self._connection.executemany("UPDATE profiles SET revision = ?, audience = ? WHERE num = ?", rows)

    def _note_clock(self, head: Head, clock: tuple[int, int | None]) -> None:
        """Indexed columns: naming them in an update costs something, even with the values that they have."""
        if clock != (head.generation, head.due):
            self._clocks.append((*clock, head.num))

    def _listed_now(self, profile: Profile, head: Head, returns: bool) -> Listed:
        """The columns of a root; the name and the search text only where they may have changed."""
        state = profile.folded
        if not returns and profile.id not in self._renamed:
            now = listed(state, profile.created_at, head.name)
        else:
            name = folded_name(state)
            self._texts[head.num] = search_text(state, name)
            now = listed(state, profile.created_at, name or NAMELESS)
        before = None if returns else head.labels
        if now.labels != before:
            self._labels.append((head.num, before, now.labels))
        return now

    def _note_status(self, one: PackedId, head: Head, now: Listed) -> None:
        """``head.status`` is also the last status of a profile that was merged away, which is not counted there."""
        if head.root is not None:
            self.written.grown["identified"] += now.status
        elif now.status != head.status:
            self.written.grown["identified"] += now.status - head.status
            if now.status:
                self._risen.add(one)

    def finish(self) -> None:
        if self._repointed:
            self._repoint()
        self._connection.executemany("UPDATE profiles SET generation = ?, due = ? WHERE num = ?", self._clocks)
        self.written.identified = len(self._risen)
        for num, before, after in self._labels:
            self._relabel(num, before, after)
        write_search(self._connection, self._texts, self._new)

    def _repoint(self) -> None:
        """Roots that were merged away leave lists and searches; those that an un-merge gives back are in again."""
        roots = repoint(self._connection, self._repointed)
        for one, target in self._repointed.items():
            head = self._heads.get(one)
            if target is None:
                self.written.grown["people"] += 1
            elif head is None or head.root is None:
                self._leave(one, head, roots[one])

    def _leave(self, one: PackedId, head: Head | None, root: PackedId) -> None:
        num = self._nums[one]
        self.written.merged.add(one)
        self._texts[num] = None
        if head is not None:
            self._labels.append((num, head.labels, None))
        self.written.grown["people"] -= 1
        if head.status if head is not None else one in self._risen:
            self.written.grown["identified"] -= 1
            # Who was identified before is not newly identified as somebody else.
            self._risen.discard(root if head is not None else one)

    def _relabel(self, num: int, before: str | None, after: str | None) -> None:
        had: set[str] = set(json.loads(before)) if before else set()
        has: set[str] = set(json.loads(after)) if after else set()
        self._connection.executemany(
            "DELETE FROM labels WHERE label = ? AND num = ?", [(one, num) for one in had - has]
        )
        self._connection.executemany("INSERT OR IGNORE INTO labels VALUES (?, ?)", [(one, num) for one in has - had])


def _blobs(profile: Profile) -> tuple[bytes, bytes | None, bytes | None]:
    person, audience = profile.person, _audience(profile)
    return (
        STATES.encode(profile.state),
        None if person is None else PERSONS.encode(person),
        None if audience is None else AUDIENCES.encode(audience),
    )


def _clock(profile: Profile) -> tuple[int, int | None]:
    """Columns ``generation`` and ``due``. Nobody's audience is of generation 0."""
    audience = _audience(profile)
    return (0, None) if audience is None else (audience.generation, audience.due)


def _audience(profile: Profile) -> Audience | None:
    """Only roots have one."""
    return None if profile.merged_into is not None else profile.audience
