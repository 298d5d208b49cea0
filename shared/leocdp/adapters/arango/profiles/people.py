"""Profiles in a commit: compare revisions, and work out the documents of profiles and searches as they become.

Nothing is read or written here; :class:`People` is filled by :func:`plan_people`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from leocdp.adapters.arango.profiles.keys import profile_key, sorted_name
from leocdp.adapters.arango.profiles.searching import search_document
from leocdp.adapters.arango.profiles.trees import Member, follow, roots_to_read
from leocdp.adapters.arango.segments.shards import audience_columns, clock_columns
from leocdp.domain.decisions import AudienceWrite, Changes
from leocdp.domain.profiles.listing import display_name, fold, status_of, stored_labels
from leocdp.domain.profiles.search_text import SearchText, search_text
from leocdp.domain.profiles.state import Profile, State
from leocdp.ports.profile_store import Conflict

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """A stored profile without its states, as a commit compares it."""

    id: str
    rev: str
    num: int
    revision: int
    merged_into: str | None
    root: str
    status: int
    first_seen: int
    last_seen: int
    sorted_name: str


@dataclass(slots=True)
class People:
    """What is to be written, and what that means for counts."""

    new: list[Document] = field(default_factory=list)
    changed: list[Document] = field(default_factory=list)
    """With the ``_rev`` that they must have."""
    audiences: list[Document] = field(default_factory=list)
    """The segment side alone, with ``_rev``."""
    repointed: list[Document] = field(default_factory=list)
    """Pointers and roots only, of members of the trees that changed; with their ``_rev`` too."""
    found: list[Document] = field(default_factory=list)
    """Documents of searches."""
    lost: list[str] = field(default_factory=list)
    """People that searches find no more."""
    grown: Counter[str] = field(default_factory=Counter)
    created: list[int] = field(default_factory=list)
    """``created_at`` of the new profiles."""
    identified: int = 0
    """People that became identified, not counting those that united with somebody who already was."""


MembersOf = Callable[[Sequence[str]], Mapping[str, Member]]
"""Everybody under the given roots, the roots included."""


def ids_to_read(changes: Changes) -> list[str]:
    """Profiles whose heads a commit needs: those it writes or relies on, and those that pointers go to."""
    ids = {profile.id for profile in changes.profiles} | changes.guards.keys()
    ids |= {write.profile_id for write in changes.audiences}
    return sorted(ids | {profile.merged_into for profile in changes.profiles if profile.merged_into})


def plan_people(changes: Changes, heads: Mapping[str, Head], first_num: int, members_of: MembersOf) -> People:
    """Raises Conflict. New profiles are numbered from ``first_num`` on."""
    _refuse_outdated(changes, heads)
    planner = _Planner(heads, changes.names_changed)
    for num, profile in enumerate((one for one in changes.profiles if one.revision == 0), first_num):
        planner.insert(profile, num)
    for profile in changes.profiles:
        if profile.revision != 0:
            planner.update(profile)
    planner.repoint(members_of)
    people = planner.finish()
    people.audiences = [_audience_document(write, heads[write.profile_id]) for write in changes.audiences]
    return people


def _refuse_outdated(changes: Changes, heads: Mapping[str, Head]) -> None:
    for profile in changes.profiles:
        head = heads.get(profile.id)
        if (head.revision if head else 0) != profile.revision:
            raise Conflict(f"Profile {profile.id} has another revision than {profile.revision}.")
    for write in changes.audiences:
        head = heads.get(write.profile_id)
        if head is None or head.merged_into is not None or head.revision != write.revision:
            raise Conflict(f"Profile {write.profile_id} has another revision than {write.revision}.")
    for one, revision in changes.guards.items():
        head = heads.get(one)
        if (head.revision if head else 0) != revision:
            raise Conflict(f"A profile that was relied on has another revision than {revision}.")


class _Planner:
    def __init__(self, heads: Mapping[str, Head], renamed: set[str]) -> None:
        self._heads = heads
        self._renamed = renamed
        self._documents: dict[str, Document] = {}
        self._texts: dict[str, SearchText | None] = {}
        self._pointers: dict[str, str | None] = {}
        self._risen: set[str] = set()
        """Roots that are identified now and were not, or not there, before."""
        self._people = People()

    def insert(self, profile: Profile, num: int) -> None:
        state = profile.folded
        name = _folded_name(state)
        document = _document(profile, num, _listed(profile, state, sorted_name(name)))
        self._documents[profile_key(profile.id)] = document
        self._people.created.append(profile.created_at)
        self._people.grown.update(profiles=1, people=1, identified=document["status"])
        if document["status"]:
            self._risen.add(profile.id)
        if profile.merged_into:
            self._pointers[profile.id] = profile.merged_into
        else:
            self._texts[profile.id] = search_text(state, name)

    def update(self, profile: Profile) -> None:
        head = self._heads[profile.id]
        if profile.merged_into != head.merged_into:
            self._pointers[profile.id] = profile.merged_into
        if profile.merged_into is None:
            columns = self._listed_now(profile, head)
            self._note_status(head, columns["status"])
        else:
            columns = {
                "status": head.status,
                "first_seen": head.first_seen,
                "last_seen": head.last_seen,
                "sorted_name": head.sorted_name,
                "labels": [],
            }
        document = _document(profile, head.num, columns)
        self._documents[profile.id] = {**document, "_rev": head.rev, "root": head.root}

    def _listed_now(self, profile: Profile, head: Head) -> Document:
        """The columns of a root; the name and the search text only where they may have changed."""
        state = profile.folded
        if head.merged_into is None and profile.id not in self._renamed:
            return _listed(profile, state, head.sorted_name)
        name = _folded_name(state)
        self._texts[profile.id] = search_text(state, name)
        return _listed(profile, state, sorted_name(name))

    def _note_status(self, head: Head, status: int) -> None:
        """``head.status`` is also the last status of a profile that was merged away, which is not counted there."""
        if head.merged_into is not None:
            self._people.grown["identified"] += status
        elif status != head.status:
            self._people.grown["identified"] += status - head.status
            if status:
                self._risen.add(head.id)

    def repoint(self, members_of: MembersOf) -> None:
        """Roots that were merged away leave lists and searches; those that an un-merge gives back are in again."""
        if not self._pointers:
            return
        stored = {one: head.root for one, head in self._heads.items()}
        members = dict(members_of(roots_to_read(self._pointers, stored)))
        for one in self._pointers:
            members.setdefault(one, Member("", None, one))
        roots = follow(self._pointers, members, self._root_outside)
        for one, root in roots.items():
            self._set_root(one, root, members[one])
        for one, target in self._pointers.items():
            head = self._heads.get(one)
            if target is None:
                self._people.grown["people"] += 1
            elif head is None or head.merged_into is None:
                self._leave(one, head, roots[one])

    def _root_outside(self, one: str) -> str | None:
        head = self._heads.get(one)
        if head is not None:
            return head.root
        return one if one in self._documents else None

    def _set_root(self, one: str, root: str, member: Member) -> None:
        pointer = self._pointers.get(one, member.merged_into)
        if one in self._documents:
            self._documents[one]["root"] = root
        elif (pointer, root) != (member.merged_into, member.root):
            self._people.repointed.append({"_key": one, "_rev": member.rev, "merged_into": pointer, "root": root})

    def _leave(self, one: str, head: Head | None, root: str) -> None:
        self._texts[one] = None
        self._people.grown["people"] -= 1
        if head.status if head is not None else one in self._risen:
            self._people.grown["identified"] -= 1
            # Who was identified before is not newly identified as somebody else.
            self._risen.discard(root if head is not None else one)

    def finish(self) -> People:
        people = self._people
        people.identified = len(self._risen)
        for one, document in self._documents.items():
            (people.changed if one in self._heads else people.new).append(document)
        for one, text in self._texts.items():
            if text is not None and not text.empty:
                people.found.append(search_document(one, text))
            elif one in self._heads:
                people.lost.append(one)
        return people


def _listed(profile: Profile, state: State, name: str) -> Document:
    """The columns that lists need, of a root."""
    return {
        "status": 1 if status_of(state) == "identified" else 0,
        "first_seen": profile.created_at if state.first_seen is None else state.first_seen,
        "last_seen": profile.created_at if state.last_seen is None else state.last_seen,
        "sorted_name": name,
        "labels": list(stored_labels(state)),
    }


def _document(profile: Profile, num: int, columns: Document) -> Document:
    merged = profile.merged_into is not None
    audience = None if merged else profile.audience
    return {
        "_key": profile.id,
        "num": num,
        "revision": profile.revision + 1,
        "created_at": profile.created_at,
        "merged_into": profile.merged_into,
        "root": profile.id,
        **columns,
        "listed": None if merged else columns["status"],
        "labels": [] if merged else columns["labels"],
        "state": msgspec.Raw(msgspec.json.encode(profile.state)),
        "person": None if profile.person is None else msgspec.Raw(msgspec.json.encode(profile.person)),
        "audience": None if audience is None else msgspec.Raw(msgspec.json.encode(audience)),
        **audience_columns(profile.id, audience, merged=merged),
    }


def _audience_document(write: AudienceWrite, head: Head) -> Document:
    return {
        "_key": write.profile_id,
        "_rev": head.rev,
        "revision": write.revision + 1,
        "audience": msgspec.Raw(msgspec.json.encode(write.audience)),
        **clock_columns(write.audience),
    }


def _folded_name(state: State) -> str:
    return fold(display_name(state.traits))
