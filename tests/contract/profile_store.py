"""The contract of ``ports.profile_store.ProfileStore``: every adapter passes all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from leocdp.domain.decisions import (
    Changes,
    LoadRequest,
    Owner,
    OwnerWrite,
    Snapshot,
)
from leocdp.domain.profiles.state import ConsentCell, IdentifierCell, Profile, Register, State, SwitchInfo
from leocdp.ports.profile_store import Conflict, PositionMove, ProfileStore
from tests.contract.builders import (
    DAY,
    LOG,
    SOURCE,
    T0,
    TOPIC,
    announcement,
    applied,
    changed,
    event,
    merge,
    move,
    person,
    profile_id,
    state,
    together,
    unmerge,
)
from tests.contract.profile_backend import Backend, ProfileContract, load, load_one, look_up, write

LAN, MAI = "email:lan@x.vn", "email:mai@x.vn"


def rich_state() -> State:
    """A state in which every field of every cell says something."""
    cell = IdentifierCell(
        T0,
        T0 + 1,
        SOURCE,
        "m-1",
        state="former",
        verified=True,
        people={profile_id(8): T0},
        user_ids=("user_id:a", "user_id:b"),
        hour=497_222,
        hour_count=3,
        switch=SwitchInfo(20_717, profile_id(9), 2),
    )
    return State(
        traits={
            "name": Register("Nguyễn Văn Đức", T0, "m-1", SOURCE),
            "gone": Register(None, T0 + 5, "m-2", SOURCE),
            "deep": Register({"list": [1, 2.5, None, True, {"x": "y"}], "text": "\U0001f600"}, T0, "m-3"),
        },
        total=7,
        by_type={"track": 5, "page": 2},
        by_name={"Order Completed": 5},
        first_seen=T0 - 5,
        last_seen=T0 + 5,
        firsts={"touch": Register({"source": "google"}, T0, "m-1")},
        lasts={"locale": Register("vi-VN", T0, "m-1", SOURCE)},
        consents={"marketing": {LAN: ConsentCell(False, T0, SOURCE)}},
        labels={"vip": Register(True, T0, "cmd-1"), "old": Register(None, T0, "cmd-2")},
        identifiers={LAN: cell, "social:zalo:z:1": IdentifierCell(T0, T0, SOURCE, "m-1")},
        cannot_link={profile_id(9): Register(True, T0, "cmd-3")},
    )


class ProfileStoreContract(ProfileContract):
    """What can be seen through the store itself."""

    # Load

    async def test_an_empty_store_knows_nothing(self, store: ProfileStore) -> None:
        request = LoadRequest(
            frozenset({LAN}),
            frozenset({b"k" * 16}),
            frozenset({profile_id(1)}),
            frozenset({profile_id(2)}),
            frozenset({"mrg-1"}),
            frozenset({"cmd-1"}),
        )
        assert await store.load(request) == Snapshot()

    async def test_a_profile_is_loaded_as_it_was_stored(self, store: ProfileStore) -> None:
        stored = Profile(profile_id(1), T0, rich_state())
        await write(store, Changes(profiles=[stored]))
        assert await load_one(store, stored.id) == replace(stored, revision=1)

    async def test_numbers_too_large_for_64_bits_do_not_stop_a_commit(self, store: ProfileStore) -> None:
        await write(store, person(1, traits={"big": 10**30}))
        found = (await load_one(store, profile_id(1))).state.traits["big"].value
        assert float(found) == 1e30

    async def test_an_owner_comes_with_its_leaf_and_the_leaf_with_its_root(self, store: ProfileStore) -> None:
        await _merged(store)
        snapshot = await look_up(store, MAI)
        assert snapshot.owners == {MAI: Owner(profile_id(2))}
        assert snapshot.profiles.keys() == {profile_id(1), profile_id(2)}
        assert snapshot.profiles[profile_id(2)].root == profile_id(1)

    async def test_a_chain_of_pointers_ends_at_the_last_root(self, store: ProfileStore) -> None:
        """3 goes into 2, then 2 into 1: the pointers stay single hops, the root of all is 1."""
        await _chain(store)
        third = (await look_up(store, "user_id:three")).profiles[profile_id(3)]
        assert (third.merged_into, third.root) == (profile_id(2), profile_id(1))

    async def test_profiles_are_loaded_by_id_with_their_roots(self, store: ProfileStore) -> None:
        await _merged(store)
        assert (await load(store, profile_id(2), profile_id(7))).keys() == {profile_id(1), profile_id(2)}

    async def test_a_tree_is_all_leaves_under_the_root(self, store: ProfileStore) -> None:
        await _chain(store)
        await write(store, person(4, "user_id:four"))
        snapshot = await store.load(LoadRequest(trees=frozenset({profile_id(2), profile_id(9)})))
        assert snapshot.profiles.keys() == {profile_id(1), profile_id(2), profile_id(3)}

    async def test_a_merge_to_undo_comes_with_the_whole_tree(self, store: ProfileStore) -> None:
        await _chain(store)
        snapshot = await store.load(LoadRequest(merge_ids=frozenset({f"mrg-{profile_id(3)}", "mrg-none"})))
        assert snapshot.merges.keys() == {f"mrg-{profile_id(3)}"}
        assert snapshot.profiles.keys() == {profile_id(1), profile_id(2), profile_id(3)}

    async def test_a_root_of_several_leaves_keeps_its_fold(self, store: ProfileStore) -> None:
        await _merged(store)
        root = await load_one(store, profile_id(1))
        assert root.leaf_ids == (profile_id(1), profile_id(2))
        assert root.counted_merges == 1
        assert root.folded == state(LAN, MAI, total=2)
        assert root.state == state(LAN)

    async def test_a_large_batch_is_loaded_at_once(self, store: ProfileStore) -> None:
        keys = [f"user_id:u-{number}" for number in range(40_000)]
        await write(store, person(1, *keys))
        snapshot = await look_up(store, *keys, "user_id:nobody")
        assert len(snapshot.owners) == 40_000
        assert snapshot.profiles.keys() == {profile_id(1)}

    # Commit

    async def test_commits_are_numbered_one_after_the_other(self, store: ProfileStore, backend: Backend) -> None:
        assert [await store.commit(Changes(), [], T0) for _ in range(3)] == [1, 2, 3]
        await store.close()
        again = backend.store()
        await again.start()
        assert await again.commit(Changes(), [], T0) == 4
        await again.close()

    async def test_a_change_raises_the_revision(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN))
        await write(store, changed(await load_one(store, profile_id(1)), state(LAN, total=2)))
        found = await load_one(store, profile_id(1))
        assert (found.revision, found.state.total) == (2, 2)

    async def test_a_profile_of_another_revision_is_a_conflict(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN))
        loaded = await load_one(store, profile_id(1))
        await write(store, changed(loaded))
        await _refused(store, changed(loaded, state(LAN, total=9)))
        assert (await load_one(store, profile_id(1))).state.total == 1

    async def test_a_new_profile_that_exists_is_a_conflict(self, store: ProfileStore) -> None:
        await write(store, person(1))
        await _refused(store, person(1))

    async def test_a_changed_profile_that_does_not_exist_is_a_conflict(self, store: ProfileStore) -> None:
        await _refused(store, Changes(profiles=[Profile(profile_id(1), T0, State(), revision=1)]))

    async def test_a_guard_holds_at_its_revision_only(self, store: ProfileStore) -> None:
        await write(store, person(1), Changes(guards={profile_id(1): 1}))
        assert (await load_one(store, profile_id(1))).revision == 1
        await _refused(store, Changes(guards={profile_id(1): 2}))
        await _refused(store, Changes(guards={profile_id(2): 1}))

    async def test_a_claim_of_an_owned_identifier_is_a_conflict(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN))
        await _refused(store, person(2, MAI, LAN))
        assert (await look_up(store, MAI)).owners == {}
        assert await load(store, profile_id(2)) == {}

    async def test_an_identifier_moves_from_its_expected_owner(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN), person(2, MAI))
        after = Owner(profile_id(2), "former")
        await write(store, Changes(owners=[OwnerWrite(LAN, after, expected=Owner(profile_id(1)))]))
        assert (await look_up(store, LAN)).owners == {LAN: after}

    @pytest.mark.parametrize("expected", [Owner(profile_id(2)), Owner(profile_id(1), "shared")])
    async def test_a_move_from_an_unexpected_owner_is_a_conflict(self, store: ProfileStore, expected: Owner) -> None:
        await write(store, person(1, LAN), person(2, MAI))
        await _refused(store, Changes(owners=[OwnerWrite(LAN, Owner(profile_id(2)), expected=expected)]))
        assert (await look_up(store, LAN)).owners == {LAN: Owner(profile_id(1))}

    async def test_a_move_of_an_unowned_identifier_is_a_conflict(self, store: ProfileStore) -> None:
        await write(store, person(1))
        await _refused(store, Changes(owners=[OwnerWrite(LAN, Owner(profile_id(1)), expected=Owner(profile_id(1)))]))

    async def test_an_identifier_that_nobody_should_have_is_a_conflict_when_somebody_has_it(
        self, store: ProfileStore
    ) -> None:
        await write(store, Changes(absent=frozenset({LAN})))
        await write(store, together(person(1, LAN), Changes(absent=frozenset({MAI}))))
        await _refused(store, together(person(2), Changes(absent=frozenset({MAI, LAN}))))
        assert await load(store, profile_id(2)) == {}

    async def test_identifiers_differ_by_kind_space_and_every_character(self, store: ProfileStore) -> None:
        keys = ["user_id:a", "user_id@shop:a", "crm_id:a", "user_id:A", "user_id:a ", "social:x:a", "social:x:a:b"]
        for number, key in enumerate(keys):
            await write(store, person(number, key))
        owners = (await look_up(store, *keys, "user_id:á")).owners
        assert owners == {key: Owner(profile_id(number)) for number, key in enumerate(keys)}

    async def test_a_stored_message_is_known(self, store: ProfileStore) -> None:
        first, second = event("m-1"), event("m-2")
        await write(store, together(person(1), applied(profile_id(1), first)))
        keys = frozenset({first.dedup_key, second.dedup_key})
        assert (await store.load(LoadRequest(dedup_keys=keys))).known == {first.dedup_key}

    async def test_a_message_is_known_for_the_horizon_and_no_longer_than_needed(self, store: ProfileStore) -> None:
        old = event("m-1")
        request = LoadRequest(dedup_keys=frozenset({old.dedup_key}))
        await write(store, applied(None, old))
        for day in range(1, 30):
            await write(store, applied(None, event(f"m-1-{day}")), now=T0 + day * DAY)
            await store.tidy(T0 + day * DAY)
            assert (await store.load(request)).known == {old.dedup_key}
            await _refused(store, applied(None, event("m-1")), now=T0 + day * DAY)
        await store.tidy(T0 + 60 * DAY)
        assert (await store.load(request)).known == set()
        await write(store, applied(None, old), now=T0 + 60 * DAY)

    async def test_the_same_message_id_of_another_source_is_another_message(self, store: ProfileStore) -> None:
        await write(store, applied(None, event("m-1", source="src-a")), applied(None, event("m-1", source="src-b")))

    # Positions

    async def test_a_position_moves_from_its_old_value_only(self, store: ProfileStore) -> None:
        await write(store, Changes(), positions=[move(None, 5), move(None, 7, partition=1)])
        await _refused(store, person(1), positions=[move(None, 6)])
        await _refused(store, person(1), positions=[move(4, 6)])
        await _refused(store, person(1), positions=[move(5, 6), move(6, 8, partition=1)])
        await _refused(store, person(1), positions=[move(0, 1, partition=2)])
        assert await store.positions(LOG) == {(TOPIC, 0): 5, (TOPIC, 1): 7}
        assert await load(store, profile_id(1)) == {}
        await write(store, person(1), positions=[move(5, 6)])
        assert await store.positions(LOG) == {(TOPIC, 0): 6, (TOPIC, 1): 7}

    async def test_of_two_commits_that_move_a_position_one_wins(self, store: ProfileStore) -> None:
        tries = [store.commit(person(number), [move(None, 9)], T0) for number in (1, 2)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert [type(result) for result in results if isinstance(result, BaseException)] == [Conflict]
        assert len(await load(store, profile_id(1), profile_id(2))) == 1

    # Merge and un-merge

    async def test_an_unmerge_gives_both_sides_back(self, store: ProfileStore) -> None:
        await _merged(store)
        snapshot = await store.load(LoadRequest(merge_ids=frozenset({f"mrg-{profile_id(2)}"})))
        [record] = snapshot.merges.values()
        await write(store, unmerge(snapshot.profiles[profile_id(1)], snapshot.profiles[profile_id(2)], record))
        after = await load(store, profile_id(1), profile_id(2))
        assert [after[profile_id(one)].root for one in (1, 2)] == [profile_id(1), profile_id(2)]
        assert [after[profile_id(one)].person for one in (1, 2)] == [None, None]
        assert after[profile_id(2)].merged_into is None
        assert (await look_up(store, MAI)).profiles.keys() == {profile_id(2)}

    async def test_an_unmerge_in_the_middle_of_a_chain_takes_its_leaves_along(self, store: ProfileStore) -> None:
        await _chain(store)
        snapshot = await store.load(LoadRequest(merge_ids=frozenset({f"mrg-{profile_id(2)}"})))
        [record] = snapshot.merges.values()
        await write(store, unmerge(snapshot.profiles[profile_id(1)], snapshot.profiles[profile_id(2)], record))
        after = await load(store, profile_id(1), profile_id(2), profile_id(3))
        assert {one: after[profile_id(one)].root for one in (1, 2, 3)} == {
            1: profile_id(1),
            2: profile_id(2),
            3: profile_id(2),
        }

    async def test_several_merges_of_one_commit_find_the_last_root(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN), person(2, MAI), person(3, "user_id:three"))
        people = await load(store, *map(profile_id, (1, 2, 3)))
        first, second, third = (people[profile_id(number)] for number in (1, 2, 3))
        both = [merge(second, third, state(MAI, "user_id:three"))]
        united = both[0].profiles.pop(0)
        both.append(merge(first, united, state(LAN, MAI, "user_id:three")))
        await write(store, together(*both))
        assert (await load_one(store, profile_id(3))).root == profile_id(1)
        snapshot = await store.load(LoadRequest(trees=frozenset({profile_id(1)})))
        assert len(snapshot.profiles) == 3

    async def test_a_new_profile_may_be_merged_in_the_same_commit(self, store: ProfileStore) -> None:
        await write(store, person(1, LAN))
        root = await load_one(store, profile_id(1))
        created = Profile(profile_id(2), T0, state(MAI))
        both = merge(root, created, state(LAN, MAI))
        await write(store, together(both, Changes(owners=[OwnerWrite(MAI, Owner(profile_id(2)))])))
        assert (await look_up(store, MAI)).profiles[profile_id(2)].root == profile_id(1)

    # Outbox and dead letters

    async def test_the_outbox_gives_the_oldest_first_until_they_are_published(self, store: ProfileStore) -> None:
        await write(store, *(Changes(outbox=[announcement(2 * n), announcement(2 * n + 1)]) for n in range(3)))
        first = await store.pending_outbox(4)
        assert [one.record for one in first] == [announcement(number) for number in range(4)]
        assert [one.sequence for one in first] == sorted({one.sequence for one in first})
        await store.mark_published([one.sequence for one in first])
        rest = await store.pending_outbox(10)
        assert [one.record for one in rest] == [announcement(4), announcement(5)]
        await store.mark_published([one.sequence for one in rest])
        await write(store, Changes(outbox=[announcement(6)]))
        [last] = await store.pending_outbox(10)
        assert last.sequence > rest[-1].sequence

    # Life

    async def test_everything_is_there_after_opening_again(self, store: ProfileStore, backend: Backend) -> None:
        await write(store, together(person(1, LAN), applied(profile_id(1), event("m-1"))), positions=[move(None, 3)])
        await store.close()
        again = backend.store()
        await again.start()
        try:
            assert (await look_up(again, LAN)).owners == {LAN: Owner(profile_id(1))}
            assert await again.positions(LOG) == {(TOPIC, 0): 3}
            await _refused(again, applied(None, event("m-1")))
            await write(again, together(person(2, MAI), applied(profile_id(2), event("m-2"))))
        finally:
            await again.close()


async def _refused(
    store: ProfileStore, changes: Changes, positions: Sequence[PositionMove] = (), now: int = T0
) -> None:
    with pytest.raises(Conflict):
        await store.commit(changes, positions, now)


async def _merged(store: ProfileStore) -> None:
    """Two people, the second merged into the first."""
    await write(store, person(1, LAN), person(2, MAI))
    both = await load(store, profile_id(1), profile_id(2))
    await write(store, merge(both[profile_id(1)], both[profile_id(2)], state(LAN, MAI, total=2)))


async def _chain(store: ProfileStore) -> None:
    """Three people: 3 merged into 2, later 2 into 1."""
    await write(store, person(1, LAN), person(2, MAI), person(3, "user_id:three"))
    people = await load(store, *map(profile_id, (1, 2, 3)))
    await write(store, merge(people[profile_id(2)], people[profile_id(3)], state(MAI, "user_id:three", total=2)))
    people = await load(store, *map(profile_id, (1, 2, 3)))
    await write(store, merge(people[profile_id(1)], people[profile_id(2)], state(LAN, MAI, "user_id:three", total=3)))
