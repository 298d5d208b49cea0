"""The contract of the segment side of a store: audiences, members, timers, and the events that conditions ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from msgspec import structs

from leocdp.domain.decisions import AudienceWrite, Changes, MemberWrite
from leocdp.domain.privacy.ledger import ErasedPerson, Erasure
from leocdp.domain.profiles.listing import labels_of
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import SHARDS, Audience, Match, NodeState, Points, list_label, shard_of
from leocdp.domain.segments.subject import EventFact
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


async def refused(store: ProfileStore, changes: Changes) -> None:
    with pytest.raises(Conflict):
        await store.commit(changes, [], T0)
