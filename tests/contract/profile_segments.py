"""The contract of the segment side of a store: audiences, members, timers, and the events that conditions ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import pytest
from msgspec import structs

from leocdp.domain.decisions import AudienceWrite, Changes, MemberWrite
from leocdp.domain.events import Envelope
from leocdp.domain.privacy.ledger import ErasedPerson, Erasure
from leocdp.domain.profiles.listing import labels_of
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import SHARDS, Audience, Match, NodeState, Points, list_label, sample_of, shard_of
from leocdp.domain.segments.subject import EventFact
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import Conflict, ProfileStore
from tests.contract.builders import (
    DAY,
    HOUR,
    T0,
    applied,
    changed,
    event,
    merge,
    person,
    profile_id,
    state,
    together,
    unmerge,
)
from tests.contract.profile_backend import ProfileContract, load, load_one, write

LAN, MAI = "email:lan@x.vn", "email:mai@x.vn"
EVERY = range(SHARDS)
VIP, NEW = "sgm_vip:1", "sgm_new:3"


def full_audience() -> Audience:
    """One in which every field says something."""
    kept = [Match(T0, "m-1", 12.5, 1, "SP-1"), Match(T0 + 1, "m-2")]
    node = NodeState(2, kept, True, [1e-20, 12.5], -1.0, 3.5, {"đỏ": 2})
    return Audience(
        generation=T0,
        due=T0 + HOUR,
        nodes={"count:Product Viewed": node, "empty": NodeState()},
        members={VIP: T0 - 5},
        announced={"sgm_vip": T0 - 5},
        computed={"orders": 3, "spent": 99.5, "colours": ["đỏ", "xanh"], "last": None},
        scores={"lead": {"view": Points(2.5, T0, 3)}},
        stage="prospect",
        read_at=T0 + 7,
    )


def with_audience(number: int, *keys: str, audience: Audience) -> Changes:
    """A new person with a segment side."""
    changes = person(number, *keys)
    return replace(changes, profiles=[replace(changes.profiles[0], audience=audience)])


def members(*writes: tuple[str, int, int | None]) -> Changes:
    """(segment key, number of the person, since)"""
    return Changes(members=[MemberWrite(key, profile_id(number), since) for key, number, since in writes])


def in_shard(profile: str) -> frozenset[int]:
    return frozenset({shard_of(profile)})


async def merged(store: ProfileStore) -> None:
    """The second person, who was stored before, into the first."""
    both = await load(store, profile_id(1), profile_id(2))
    await write(store, merge(both[profile_id(1)], both[profile_id(2)], state(LAN, MAI, total=2)))


async def parted(store: ProfileStore) -> None:
    both = await load(store, profile_id(1), profile_id(2))
    changes = merge(both[profile_id(1)], both[profile_id(2)], state(LAN))
    await write(store, unmerge(both[profile_id(1)], both[profile_id(2)], changes.merges[0]))


async def erased(store: ProfileStore, number: int) -> None:
    root = await load_one(store, profile_id(number))
    gone = ErasedPerson(root.id, root.revision, root.leaf_ids)
    await store.erase(Erasure(f"cmd-{number}", T0, "key-1", (gone,), {}), lambda _: False)


async def sizes(reader: ProfileReader) -> dict[str, int]:
    return {key: await reader.member_count(key) for key in (VIP, NEW)}


async def ids_of(reader: ProfileReader, key: str = VIP) -> set[str]:
    return {one for one, _ in await reader.member_ids(key, after=None, limit=1_000)}


class ProfileSegmentsContract(ProfileContract):
    """What can be seen through the store itself."""

    # Audiences

    async def test_an_audience_comes_back_as_it_was_stored(self, store: ProfileStore) -> None:
        await write(store, with_audience(1, LAN, audience=full_audience()))
        found = await load_one(store, profile_id(1))
        assert (found.audience, found.revision) == (full_audience(), 1)

    async def test_a_person_without_one_has_none(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN))
        assert (await load_one(store, profile_id(1))).audience is None

    async def test_an_audience_travels_with_a_changed_profile(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN))
        await write(store, changed(await load_one(store, profile_id(1)), state(LAN, total=2), audience=full_audience()))
        found = await load_one(store, profile_id(1))
        assert (found.audience, found.state.total) == (full_audience(), 2)
        await write(store, changed(found, audience=replace_audience(found, due=None)))
        again = await load_one(store, profile_id(1))
        assert again.audience == replace_audience(found, due=None)
        assert await store.people_due(EVERY, T0 + DAY, 10) == []

    async def test_an_audience_is_written_alone_under_the_same_revision(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN))
        await write(store, Changes(audiences=[AudienceWrite(profile_id(1), 1, full_audience())]))
        found = await load_one(store, profile_id(1))
        assert (found.audience, found.revision, found.state) == (full_audience(), 2, state(LAN))
        await refused(store, Changes(audiences=[AudienceWrite(profile_id(1), 1, Audience())]))
        await refused(store, changed(replace(found, revision=1)))
        assert (await load_one(store, profile_id(1))).audience == full_audience()

    async def test_an_audience_of_nobody_is_a_conflict(self, store: ProfileStore) -> None:
        await refused(store, Changes(audiences=[AudienceWrite(profile_id(1), 1, Audience())]))
        await refused(store, Changes(audiences=[AudienceWrite(profile_id(1), 0, Audience())]))

    async def test_an_audience_of_a_merged_profile_is_a_conflict(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN), person(2, MAI))
        await merged(store)
        revision = (await load_one(store, profile_id(2))).revision
        await refused(store, Changes(audiences=[AudienceWrite(profile_id(2), revision, Audience())]))

    async def test_a_refused_audience_writes_nothing(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN), person(2, MAI))
        both = [AudienceWrite(profile_id(1), 1, full_audience()), AudienceWrite(profile_id(2), 7, full_audience())]
        await refused(store, together(Changes(audiences=both), members((VIP, 1, T0))))
        assert (await load_one(store, profile_id(1))).audience is None

    async def test_a_root_of_several_leaves_has_one(self, store: ProfileStore) -> None:
        await write(store, with_audience(1, LAN, audience=full_audience()), person(2, MAI))
        await merged(store)
        both = await load(store, profile_id(1), profile_id(2))
        assert (both[profile_id(1)].audience, both[profile_id(2)].audience) == (full_audience(), None)

    async def test_a_profile_that_is_merged_away_loses_its_audience(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN), with_audience(2, MAI, audience=full_audience()))
        await merged(store)
        assert (await load_one(store, profile_id(2))).audience is None
        assert await store.people_due(EVERY, T0 + DAY, 10) == []
        assert list(await store.people_behind(EVERY, 1, 10)) == [profile_id(1)]
        await parted(store)
        assert set(await store.people_behind(EVERY, 1, 10)) == {profile_id(1), profile_id(2)}

    # Timers

    async def test_people_are_due_from_their_time_on_earliest_first(self, store: ProfileStore) -> None:
        for number, due in {1: T0 + 30, 2: T0 + 10, 3: T0 + 20, 4: None}.items():
            await write(store, with_audience(number, audience=Audience(generation=1, due=due)))
        assert list(await store.people_due(EVERY, T0 + 9, 10)) == []
        assert list(await store.people_due(EVERY, T0 + 10, 10)) == [profile_id(2)]
        assert list(await store.people_due(EVERY, T0 + DAY, 10)) == [profile_id(number) for number in (2, 3, 1)]
        assert list(await store.people_due(EVERY, T0 + DAY, 2)) == [profile_id(number) for number in (2, 3)]

    async def test_people_are_due_in_their_shard_only(self, store: ProfileStore) -> None:
        for number in range(40):
            await write(store, with_audience(number, audience=Audience(due=T0)))
        mine = frozenset({1, 5, 9, *range(20, 40)})
        expected = {one for one in map(profile_id, range(40)) if shard_of(one) in mine}
        assert 0 < len(expected) < 40
        assert set(await store.people_due(mine, T0, 100)) == expected
        assert set(await store.people_behind(mine, 1, 100)) == expected
        assert list(await store.people_due(frozenset(), T0, 100)) == []
        assert list(await store.people_behind(frozenset(), 1, 100)) == []

    async def test_a_shard_that_is_far_behind_the_limit_is_found(self, store: ProfileStore) -> None:
        """People of other shards do not use up the page."""
        numbers = range(120)
        await write(store, together(*(with_audience(n, audience=Audience(due=T0 + n)) for n in numbers)))
        last = profile_id(119)
        assert last in await store.people_due(in_shard(last), T0 + DAY, 5)
        assert last in await store.people_behind(in_shard(last), 1, 5)

    async def test_people_are_behind_until_their_generation_is_reached(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN), with_audience(2, audience=Audience(generation=T0)))
        assert list(await store.people_behind(EVERY, 0, 10)) == []
        assert list(await store.people_behind(EVERY, 1, 10)) == [profile_id(1)]
        assert list(await store.people_behind(EVERY, T0, 10)) == [profile_id(1)]
        assert set(await store.people_behind(EVERY, T0 + 1, 10)) == {profile_id(1), profile_id(2)}
        assert len(await store.people_behind(EVERY, T0 + 1, 1)) == 1
        await write(store, Changes(audiences=[AudienceWrite(profile_id(1), 1, Audience(generation=T0 + 1))]))
        assert list(await store.people_behind(EVERY, T0 + 1, 10)) == [profile_id(2)]

    async def test_erased_people_are_neither_due_nor_behind(self, store: ProfileStore) -> None:
        await write(store, with_audience(1, LAN, audience=Audience(due=T0)))
        await erased(store, 1)
        assert list(await store.people_due(EVERY, T0, 10)) == list(await store.people_behind(EVERY, 1, 10)) == []

    async def test_people_of_an_imported_list_are_found_and_their_label_is_not_shown(self, store: ProfileStore) -> None:
        label = list_label("lst_1")
        await write(store, person(1, LAN, labels=[label, "vip"]), person(2, MAI, labels=["vip"]))
        assert await store.people_labelled(label, 10) == [profile_id(1)]
        assert await store.people_labelled(list_label("lst_2"), 10) == []
        assert len(await store.people_labelled("vip", 1)) == 1
        assert labels_of((await load_one(store, profile_id(1))).state) == ("vip",)

    # Events

    async def test_events_of_people_come_by_name_and_by_type(self, store: ProfileStore) -> None:
        written = {
            "m-1": ("track", "Order Completed", {"total": 5, "items": [{"id": "đ"}]}),
            "m-2": ("track", "Product Viewed", {}),
            "m-3": ("page", "Order Completed", {}),
            "m-4": ("screen", "Order Completed", {}),
            "m-5": ("group", "Order Completed", {}),
            "m-6": ("page", None, {}),
            "m-7": ("identify", None, {}),
        }
        events = [
            event(one, T0 + at, type=kind, name=name, properties=properties)
            for at, (one, (kind, name, properties)) in enumerate(written.items())
        ]
        await write(store, together(person(1, LAN), applied(profile_id(1), *reversed(events))))
        people = {profile_id(1): [profile_id(1)]}

        async def found(names: Iterable[str] = (), types: Iterable[str] = ()) -> list[str]:
            answer = await store.person_events(people, names=set(names), types=set(types))
            return [one.message_id for one in answer[profile_id(1)]]

        assert await found({"Order Completed"}) == ["m-1", "m-3", "m-4"]
        assert await found({"Order Completed", "Product Viewed"}) == ["m-1", "m-2", "m-3", "m-4"]
        assert await found(types={"page", "identify"}) == ["m-3", "m-6", "m-7"]
        assert await found({"Order Completed"}, {"page"}) == ["m-1", "m-3", "m-4", "m-6"]
        assert await found({"order completed", "none"}, {"alias"}) == await found() == []
        first = (await store.person_events(people, names={"Order Completed"}, types=set()))[profile_id(1)][0]
        assert first == EventFact(T0, "m-1", "track", "Order Completed", {"total": 5, "items": [{"id": "đ"}]})

    async def test_events_of_one_time_come_in_the_order_of_their_messages(self, store: ProfileStore) -> None:
        shuffled = ["m-b", "m-a", "m-é", "m-c", "m-B"]
        await write(store, together(person(1), applied(profile_id(1), *map(event, shuffled))))
        found = await store.person_events({profile_id(1): [profile_id(1)]}, names={"Product Viewed"}, types=set())
        assert [one.message_id for one in found[profile_id(1)]] == sorted(shuffled)

    async def test_events_of_all_leaves_are_one_story_and_nobody_is_left_out(self, store: ProfileStore) -> None:
        for number, at in ((1, T0 + 5), (2, T0 + 1), (3, T0)):
            await write(store, together(person(number), applied(profile_id(number), event(f"m-{number}", at))))
        people = {profile_id(1): [profile_id(1), profile_id(2)], profile_id(9): [profile_id(9)]}
        found = await store.person_events(people, names={"Product Viewed"}, types=set())
        assert {one: [each.message_id for each in events] for one, events in found.items()} == {
            profile_id(1): ["m-2", "m-1"],
            profile_id(9): [],
        }
        assert dict(await store.person_events({}, names={"Product Viewed"}, types=set())) == {}

    async def test_events_of_many_people_are_read_at_once(self, store: ProfileStore) -> None:
        events = [applied(profile_id(n), event(f"m-{n}")) for n in range(3_000)]
        await write(store, together(*(person(n) for n in range(3_000)), *events))
        people = {profile_id(n): [profile_id(n), profile_id(10_000 + n)] for n in range(3_000)}
        names = {"Product Viewed", *(f"name {n}" for n in range(2_000))}
        found = await store.person_events(people, names=names, types={f"type {n}" for n in range(500)})
        assert sum(map(len, found.values())) == 3_000


def replace_audience(profile: Profile, *, due: int | None) -> Audience:
    assert profile.audience is not None
    return structs.replace(profile.audience, due=due)


class SegmentMembersContract(ProfileContract):
    """Members and their numbers, through the reader."""

    # Members

    async def test_members_come_and_go(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, LAN), person(2, MAI), person(3))
        await write(store, members((VIP, 1, T0), (VIP, 2, T0 + 1), (NEW, 2, T0 + 2)))
        assert await sizes(reader) == {VIP: 2, NEW: 1}
        assert dict(await reader.member_ids(VIP, after=None, limit=10)) == {profile_id(1): T0, profile_id(2): T0 + 1}
        await write(store, members((VIP, 1, None), (VIP, 3, T0 + 3)))
        assert await sizes(reader) == {VIP: 2, NEW: 1}
        assert await ids_of(reader) == {profile_id(2), profile_id(3)}

    async def test_a_new_person_may_be_a_member_in_the_same_commit(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, together(person(1, LAN), members((VIP, 1, T0))))
        assert await ids_of(reader) == {profile_id(1)}

    async def test_writing_a_member_again_changes_no_count(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1), members((VIP, 1, T0)), members((VIP, 1, T0)), members((VIP, 1, T0 + 9)))
        await write(store, members((NEW, 1, None)))
        assert await sizes(reader) == {VIP: 1, NEW: 0}
        assert list(await reader.member_ids(VIP, after=None, limit=10)) == [(profile_id(1), T0 + 9)]
        await write(store, members((VIP, 1, None)), members((VIP, 1, None)))
        assert await sizes(reader) == {VIP: 0, NEW: 0}

    async def test_the_last_word_of_a_commit_stands(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1), person(2))
        await write(store, members((VIP, 1, T0), (VIP, 2, T0), (VIP, 1, None), (VIP, 2, None), (VIP, 2, T0 + 5)))
        assert list(await reader.member_ids(VIP, after=None, limit=10)) == [(profile_id(2), T0 + 5)]
        assert await reader.member_count(VIP) == 1

    async def test_a_conflict_leaves_the_members_as_they_are(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, together(person(1), members((VIP, 1, T0))))
        await refused(store, together(members((VIP, 1, None), (NEW, 1, T0)), Changes(guards={profile_id(1): 9})))
        assert await sizes(reader) == {VIP: 1, NEW: 0}
        await write(store, members((NEW, 1, T0)))
        assert await sizes(reader) == {VIP: 1, NEW: 1}

    async def test_versions_of_a_segment_have_members_of_their_own(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, person(1), person(2), members(("sgm_a:1", 1, T0), ("sgm_a:2", 2, T0), ("sgm_a:11", 2, T0)))
        assert [await ids_of(reader, key) for key in ("sgm_a:1", "sgm_a:2", "sgm_a")] == [
            {profile_id(1)},
            {profile_id(2)},
            set(),
        ]

    # What people do to members

    async def test_a_profile_that_is_merged_away_leaves_all_segments(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, person(1, LAN), person(2, MAI))
        await write(store, members((VIP, 1, T0), (VIP, 2, T0), (NEW, 2, T0)))
        await merged(store)
        assert await sizes(reader) == {VIP: 1, NEW: 0}
        assert await ids_of(reader) == {profile_id(1)}
        await parted(store)
        assert await sizes(reader) == {VIP: 1, NEW: 0}

    async def test_a_profile_is_merged_away_and_its_survivor_enters_in_one_commit(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, person(1, LAN), person(2, MAI), members((VIP, 2, T0)))
        both = await load(store, profile_id(1), profile_id(2))
        united = merge(both[profile_id(1)], both[profile_id(2)], state(LAN, MAI))
        await write(store, together(united, members((VIP, 1, T0), (VIP, 2, T0 + 1), (NEW, 2, T0))))
        assert await sizes(reader) == {VIP: 1, NEW: 0}
        assert await ids_of(reader) == {profile_id(1)}

    async def test_a_new_profile_that_is_merged_at_once_is_no_member(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, person(1, LAN))
        root = await load_one(store, profile_id(1))
        created = Profile(profile_id(2), T0, state(MAI))
        await write(store, together(merge(root, created, state(LAN, MAI)), members((VIP, 2, T0))))
        assert await reader.member_count(VIP) == 0

    async def test_erased_people_leave_all_segments(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, LAN), person(2, MAI))
        await write(store, members((VIP, 1, T0), (VIP, 2, T0), (NEW, 2, T0)))
        await erased(store, 2)
        assert await sizes(reader) == {VIP: 1, NEW: 0}
        assert [await ids_of(reader, key) for key in (VIP, NEW)] == [{profile_id(1)}, set()]
        await write(store, members((NEW, 1, T0)))
        assert await sizes(reader) == {VIP: 1, NEW: 1}

    async def test_people_of_a_removed_source_leave_all_segments(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        for number, source in ((1, "src-a"), (2, "src-b")):
            one = event(f"m-{number}", source=source)
            await write(store, together(person(number), applied(profile_id(number), one), members((VIP, number, T0))))
        following: str | None = None
        while True:
            step = await store.remove_source("src-b", after=following, limit=10)
            if (following := step.next) is None:
                break
        assert await reader.member_count(VIP) == 1
        assert await ids_of(reader) == {profile_id(1)}

    # Reading members

    async def test_members_are_read_in_pages(self, store: ProfileStore, reader: ProfileReader) -> None:
        numbers = range(25)
        await write(store, together(*(person(n, f"user_id:u-{n}", name=f"An {n}") for n in numbers)))
        await write(store, members(*((VIP, n, T0 + n) for n in numbers if n % 5)))
        seen: list[tuple[str, str, int]] = []
        cursor: str | None = None
        while True:
            page = await reader.members(VIP, limit=7, cursor=cursor)
            assert len(page.data) <= 7
            seen += [(one.person.id, one.person.name, one.since) for one in page.data]
            if (cursor := page.next) is None:
                break
        assert len(seen) == 20
        assert set(seen) == {(profile_id(n), f"An {n}", T0 + n) for n in numbers if n % 5}
        one_by_one: list[tuple[str, int]] = []
        after: str | None = None
        while found := await reader.member_ids(VIP, after=after, limit=3):
            one_by_one += found
            after = found[-1][0]
        assert [(one, since) for one, _, since in seen] == one_by_one

    async def test_a_stream_goes_on_after_somebody_who_has_left(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, together(*(person(n) for n in range(9)), members(*((VIP, n, T0) for n in range(9)))))
        everybody = [one for one, _ in await reader.member_ids(VIP, after=None, limit=10)]
        gone = everybody[3]
        await write(store, Changes(members=[MemberWrite(VIP, gone, None)]))
        assert [one for one, _ in await reader.member_ids(VIP, after=gone, limit=10)] == everybody[4:]
        [number] = [n for n in range(9) if profile_id(n) == gone]
        await erased(store, number)
        assert [one for one, _ in await reader.member_ids(VIP, after=gone, limit=10)] == everybody[4:]

    async def test_an_unknown_segment_has_no_members(self, reader: ProfileReader) -> None:
        page = await reader.members("sgm_none:1")
        assert (list(page.data), page.next) == ([], None)
        assert list(await reader.member_ids("sgm_none:1", after=None, limit=10)) == []
        assert list(await reader.member_ids("sgm_none:1", after=profile_id(1), limit=10)) == []
        assert await reader.member_count("sgm_none:1") == 0
        assert dict(await reader.overlap(["sgm_none:1"])) == {}

    @pytest.mark.parametrize("bucket", ["hour", "day"])
    async def test_the_curve_of_a_segment(self, store: ProfileStore, reader: ProfileReader, bucket: str) -> None:
        span = HOUR if bucket == "hour" else DAY
        start = T0 // DAY * DAY
        await write(store, together(*(person(n) for n in range(6))))
        await write(store, members(*((VIP, n, start) for n in range(4))), now=start)
        await write(store, members((VIP, 0, None)), now=start + 2 * span)
        await write(store, members((VIP, 4, start), (VIP, 5, start)), now=start + 2 * span + 9)
        await write(store, members((VIP, 1, None), (VIP, 1, start)), now=start + 3 * span)
        await write(store, members((VIP, 1, None)), now=start + 5 * span)
        curve = await reader.member_series(VIP, since=start + span, bucket="hour" if bucket == "hour" else "day")
        assert [((one.at - start) // span, one.count) for one in curve] == [(1, 4), (2, 5), (5, 4)]
        assert [one.count for one in await reader.member_series(VIP, since=start + 9 * span, bucket="day")] == [4]
        assert [one.count for one in await reader.member_series("sgm_none:1", since=start, bucket="day")] == [0]

    async def test_an_erased_person_leaves_no_trace_in_the_curve(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, person(1, LAN), person(2, MAI))
        await write(store, members((VIP, 1, T0), (VIP, 2, T0)), now=T0)
        await erased(store, 2)
        curve = await reader.member_series(VIP, since=T0 - 2 * HOUR, bucket="hour")
        assert [one.count for one in curve] == [0, 1]

    async def test_overlap_says_who_is_in_exactly_which(self, store: ProfileStore, reader: ProfileReader) -> None:
        third = "sgm_x:1"
        await write(store, together(*(person(n) for n in range(8))))
        rows = {VIP: (1, 2, 3, 4), NEW: (3, 4, 5), third: (4, 6)}
        await write(store, members(*((key, n, T0) for key, numbers in rows.items() for n in numbers)))
        assert dict(await reader.overlap([VIP, NEW, third])) == {
            frozenset({VIP}): 2,
            frozenset({VIP, NEW}): 1,
            frozenset({VIP, NEW, third}): 1,
            frozenset({NEW}): 1,
            frozenset({third}): 1,
        }
        assert dict(await reader.overlap([VIP])) == {frozenset({VIP}): 4}
        assert dict(await reader.overlap([])) == {}

    # Progress and explanations

    async def test_people_who_are_behind_are_counted(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, together(*(person(n, f"user_id:u-{n}") for n in range(5))))
        await write(store, with_audience(7, audience=Audience(generation=T0)))
        assert [await reader.people_behind(generation) for generation in (0, 1, T0, T0 + 1)] == [0, 5, 5, 6]
        assert await reader.people_behind(T0, most=3) == 3
        two = await load(store, profile_id(0), profile_id(1))
        await write(store, merge(two[profile_id(0)], two[profile_id(1)], state("user_id:u-0", "user_id:u-1")))
        assert await reader.people_behind(T0) == 4

    async def test_event_facts_are_those_of_the_store(self, store: ProfileStore, reader: ProfileReader) -> None:
        events: Collection[Envelope] = [event(f"m-{n}", T0 - n, properties={"n": n}) for n in range(5)]
        other = event("m-page", type="page", name=None)
        await write(
            store, together(person(1), person(2), applied(profile_id(1), *events), applied(profile_id(2), other))
        )
        leaves = [profile_id(1), profile_id(2)]
        facts = await reader.event_facts(leaves, names={"Product Viewed"}, types={"page"})
        people = {profile_id(1): leaves}
        stored = await store.person_events(people, names={"Product Viewed"}, types={"page"})
        assert list(facts) == list(stored[profile_id(1)])
        assert [one.message_id for one in facts] == ["m-4", "m-3", "m-2", "m-1", "m-0", "m-page"]
        assert list(await reader.event_facts([], names={"Product Viewed"}, types=set())) == []


def test_shards_and_samples_belong_to_ids() -> None:
    """What stores may keep in a column: it never changes."""
    assert [shard_of(profile_id(n)) for n in range(3)] == [sample_of(profile_id(n)) % SHARDS for n in range(3)]


async def refused(store: ProfileStore, changes: Changes) -> None:
    with pytest.raises(Conflict):
        await store.commit(changes, [], T0)
