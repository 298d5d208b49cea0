"""The contract of members of segments: rows, sizes, curves and what people do to them, through the reader."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from leocdp.domain.decisions import Changes, MemberWrite
from leocdp.domain.events import Envelope
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import Audience
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import ProfileStore
from tests.contract.builders import DAY, HOUR, T0, applied, event, merge, person, profile_id, state, together
from tests.contract.profile_backend import ProfileContract, load, load_one, write
from tests.contract.profile_segments import (
    LAN,
    MAI,
    NEW,
    VIP,
    erased,
    members,
    merged,
    parted,
    refused,
    with_audience,
)


async def sizes(reader: ProfileReader) -> dict[str, int]:
    return {key: await reader.member_count(key) for key in (VIP, NEW)}


async def ids_of(reader: ProfileReader, key: str = VIP) -> set[str]:
    return {one for one, _ in await reader.member_ids(key, after=None, limit=1_000)}


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
