"""The contract of erasure: what ``ports.profile_store.ProfileStore.erase`` deletes, keeps and remembers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from leocdp.domain.decisions import Changes, LoadRequest, RefusalRecord, ReviewPair, SwitchRecord
from leocdp.domain.events import Outcome
from leocdp.domain.privacy.ledger import ErasedPerson, Erasure, ErasureReceipt, Spell
from leocdp.ports.profile_reader import EventQuery, ProfileQuery, ProfileReader
from leocdp.ports.profile_store import Conflict, ProfileStore
from tests.contract.builders import (
    T0,
    announcement,
    applied,
    event,
    merge,
    person,
    problem,
    profile_id,
    state,
    together,
)
from tests.contract.profile_backend import Backend, ProfileContract, load, look_up, write

LAN, MAI, TWO = "email:lan@x.vn", "email:mai@x.vn", "user_id:two"
NOTHING = {"profiles": 0, "events": 0, "identifiers": 0, "history": 0, "problems": 0, "outbox": 0}


def no_mention(payload: str) -> bool:
    return False


def erasure(
    *people: ErasedPerson, id: str = "cmd-erase", ledger: dict[str, tuple[Spell, ...]] | None = None
) -> Erasure:
    return Erasure(id, T0 + 99, "key-1", people, ledger or {})


async def of(store: ProfileStore, *roots: str) -> list[ErasedPerson]:
    """People as a decision finds them."""
    found = await load(store, *roots)
    return [ErasedPerson(one, found[one].revision, found[one].leaf_ids) for one in roots]


async def two_people(store: ProfileStore) -> None:
    """1 and 2 are one person with an event each, 3 is another one with an event."""
    await write(store, person(1, LAN, name="Lan"), person(2, MAI), person(3, TWO, name="Two"))
    await write(store, *(applied(profile_id(number), event(f"m-{number}", T0 + number)) for number in (1, 2, 3)))
    found = await load(store, profile_id(1), profile_id(2))
    await write(store, merge(found[profile_id(1)], found[profile_id(2)], state(LAN, MAI, name="Lan", total=2)))


async def known(store: ProfileStore, messages: Iterable[str]) -> int:
    keys = frozenset(event(one).dedup_key for one in messages)
    return len((await store.load(LoadRequest(dedup_keys=keys))).known)


class ErasureStoreContract(ProfileContract):
    """What can be seen through the store itself."""

    async def test_a_person_goes_as_a_whole_and_nobody_else(self, store: ProfileStore) -> None:
        await two_people(store)
        wanted = erasure(*await of(store, profile_id(1)), ledger={"h": (Spell(0, 5),)})
        receipt = await store.erase(wanted, no_mention)
        counts = {**NOTHING, "profiles": 2, "events": 2, "identifiers": 2, "history": 1}
        assert receipt == ErasureReceipt(wanted, counts)
        snapshot = await look_up(store, LAN, MAI, TWO)
        assert snapshot.owners.keys() == {TWO}
        assert (await load(store, profile_id(1), profile_id(2), profile_id(3))).keys() == {profile_id(3)}
        assert (await store.load(LoadRequest(merge_ids=frozenset({f"mrg-{profile_id(2)}"})))).merges == {}

    async def test_messages_stay_known_so_that_a_second_delivery_is_a_duplicate(self, store: ProfileStore) -> None:
        await two_people(store)
        await store.erase(erasure(*await of(store, profile_id(1))), no_mention)
        assert await known(store, ["m-1", "m-2", "m-3"]) == 3

    async def test_what_was_erased_can_come_again(self, store: ProfileStore) -> None:
        await two_people(store)
        await store.erase(erasure(*await of(store, profile_id(1))), no_mention)
        await write(store, together(person(7, LAN), applied(profile_id(7), event("m-7"))))
        assert (await look_up(store, LAN)).owners[LAN].leaf == profile_id(7)
        await write(store, person(1, MAI))

    async def test_the_same_erasure_again_changes_nothing_and_answers_the_same(
        self, store: ProfileStore, backend: Backend
    ) -> None:
        await two_people(store)
        assert await store.erasure("cmd-erase") is None
        first = await store.erase(erasure(*await of(store, profile_id(1))), no_mention)
        await write(store, person(7, LAN))
        await store.close()
        again = backend.store()
        await again.start()
        try:
            assert await again.erase(erasure(), no_mention) == first
            assert await again.erasure("cmd-erase") == first
            assert await again.erase(erasure(*await of(again, profile_id(7))), no_mention) == first
            assert (await look_up(again, LAN)).owners[LAN].leaf == profile_id(7)
        finally:
            await again.close()

    async def test_several_people_go_together(self, store: ProfileStore) -> None:
        await two_people(store)
        receipt = await store.erase(erasure(*await of(store, profile_id(1), profile_id(3))), no_mention)
        assert [one.root for one in receipt.erasure.people] == [profile_id(1), profile_id(3)]
        assert (receipt.counts["profiles"], receipt.counts["events"]) == (3, 3)
        assert (await look_up(store, LAN, MAI, TWO)).owners == {}

    async def test_a_person_that_has_changed_meanwhile_is_a_conflict(self, store: ProfileStore) -> None:
        await two_people(store)
        [found] = await of(store, profile_id(1))
        outdated = ErasedPerson(found.root, found.revision - 1, found.leaves)
        unknown = ErasedPerson(profile_id(8), 1, (profile_id(8),))
        for one in (outdated, unknown):
            with pytest.raises(Conflict):
                await store.erase(erasure(one, ledger={"h": (Spell(0, 5),)}), no_mention)
        snapshot = await store.load(LoadRequest(frozenset({LAN}), erasures=frozenset({"h"})))
        assert snapshot.owners.keys() == {LAN}
        assert (snapshot.erased, snapshot.erased_until) == ({}, 0)
        assert await store.erasure("cmd-erase") is None

    async def test_the_ledger_is_remembered_and_may_grow(self, store: ProfileStore, backend: Backend) -> None:
        assert await store.erasure_keys() == frozenset()
        await store.erase(erasure(ledger={"h-1": (Spell(0, 5), Spell(7, 9)), "h-2": (Spell(0, 9),)}), no_mention)
        await store.erase(erasure(id="cmd-2", ledger={"h-1": (Spell(7, 9), Spell(8, 20))}), no_mention)
        await store.close()
        again = backend.store()
        await again.start()
        try:
            snapshot = await again.load(LoadRequest(erasures=frozenset({"h-1", "h-2", "h-3"})))
            assert snapshot.erased.keys() == {"h-1", "h-2"}
            assert set(snapshot.erased["h-1"]) == {Spell(0, 5), Spell(7, 9), Spell(8, 20)}
            assert snapshot.erased_until == 20
            assert (await again.load(LoadRequest())).erased_until == 20
            assert await again.erasure_keys() == {"key-1"}
        finally:
            await again.close()

    async def test_waiting_announcements_of_the_person_are_not_published(self, store: ProfileStore) -> None:
        await two_people(store)
        await write(store, Changes(outbox=[announcement(1), announcement(2), announcement(3)]))
        receipt = await store.erase(erasure(*await of(store, profile_id(1))), no_mention)
        assert receipt.counts["outbox"] == 2
        assert [one.record for one in await store.pending_outbox(9)] == [announcement(3)]

    async def test_dead_letters_that_speak_of_the_person_go(self, store: ProfileStore) -> None:
        await two_people(store)
        letters = [
            problem(Outcome.DEAD_LETTERED, 1, payload='{"userId": "lan"}'),
            problem(Outcome.DEAD_LETTERED, 2, payload='{"userId": "two"}'),
        ]
        await write(store, Changes(problems=letters))
        receipt = await store.erase(erasure(*await of(store, profile_id(1))), lambda payload: "lan" in payload)
        assert receipt.counts["problems"] == 1
        replayable = await store.dead_letters_to_replay([str(number) for number in range(1, 9)])
        assert list(replayable.values()) == [b"record-2"]

    async def test_identifiers_are_listed_page_by_page(self, store: ProfileStore) -> None:
        keys = ["user_id:a", "user_id@shop:a", "email:a@x.vn", "social:zalo:1", "anonymous_id:á"]
        await write(store, person(1, *keys[:3]), person(2, *keys[3:]))
        found: list[tuple[str, str]] = []
        while page := await store.identifiers(after=found[-1][0] if found else None, limit=2):
            assert len(page) <= 2
            found += page
        assert sorted(found) == sorted((key, profile_id(1 if key in keys[:3] else 2)) for key in keys)

    async def test_switches_are_those_from_and_to_the_leaves(self, store: ProfileStore) -> None:
        switches = [
            SwitchRecord(f"swi-{n}", T0 + n, "anonymous_id:a", profile_id(n), profile_id(n + 1), f"m-{n}", 1)
            for n in (1, 2, 3)
        ]
        await write(store, Changes(switches=switches))
        found = await store.switches_of([profile_id(2), profile_id(9)])
        assert sorted(found, key=lambda one: one.id) == switches[:2]


class ErasureEffectsContract(ProfileContract):
    """What a reader sees of it."""

    async def test_nothing_of_the_person_is_found_any_more(self, store: ProfileStore, reader: ProfileReader) -> None:
        await two_people(store)
        await write(
            store,
            Changes(
                switches=[SwitchRecord("swi-1", T0, "anonymous_id:a", profile_id(3), profile_id(2), "m-2", 1)],
                refusals=[RefusalRecord("ref-1", T0, LAN, profile_id(1), profile_id(3), "limit", "m-3")],
                reviews=[ReviewPair("rev-1", T0, profile_id(2), profile_id(3), "limit", MAI, "m-1")],
            ),
        )
        receipt = await store.erase(erasure(*await of(store, profile_id(1))), no_mention)
        assert receipt.counts["history"] == 4
        for query in (ProfileQuery("lan"), ProfileQuery("lan@x"), ProfileQuery("mai@x")):
            assert list((await reader.search(query)).data) == []
        assert [hit.id for hit in (await reader.search(ProfileQuery())).data] == [profile_id(3)]
        assert await reader.find(profile_id(2)) is None
        assert (await reader.events([profile_id(1), profile_id(2)], EventQuery())).data == []
        assert await reader.event_by_message(["src-web"], "m-1") is None
        history = await reader.identity_history([profile_id(1), profile_id(2), profile_id(3)])
        assert not [*history.merges, *history.switches, *history.refusals]
        assert list((await reader.reviews()).data) == []
        counts = await reader.counts()
        assert (counts.profiles, counts.people, counts.identified, counts.events) == (1, 1, 1, 1)
        assert sum(bucket.count for bucket in await reader.series("events", since=0, bucket="day")) == 1

    async def test_problem_events_of_the_person_go_with_their_count(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await two_people(store)
        problems = [
            problem(Outcome.DUPLICATE, 1, message_id="m-1", payload="", source_id="src-web"),
            problem(Outcome.DUPLICATE, 2, message_id="m-3", payload="", source_id="src-web"),
            problem(Outcome.DUPLICATE, 3, message_id="m-1", payload="", source_id="src-other"),
            problem(Outcome.FILTERED, 4, profile_id=profile_id(2)),
            problem(Outcome.DEAD_LETTERED, 5, payload="lan@x.vn"),
            problem(Outcome.DEAD_LETTERED, 6),
        ]
        await write(store, Changes(problems=problems))
        receipt = await store.erase(erasure(*await of(store, profile_id(1))), lambda payload: "lan@" in payload)
        assert receipt.counts["problems"] == 3
        left = (await reader.problem_events(limit=9)).data
        assert sorted(one.offset for one in left) == [2, 3, 6]
        assert (await reader.counts()).dead_letters == 1
