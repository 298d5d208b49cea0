"""The contract of ``ports.profile_reader.ProfileReader``: every adapter passes all of it. Here: people and history."""

from __future__ import annotations

import pytest

from leocdp.domain.decisions import (
    Changes,
    RefusalRecord,
    ReviewPair,
    SwitchRecord,
)
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.profiles.digest import DigestedPerson, digest
from leocdp.domain.profiles.state import State
from leocdp.ports.profile_reader import Counts, EventQuery, ProfileQuery, ProfileReader
from leocdp.ports.profile_store import ProfileStore, StoreUnavailable
from tests.contract.builders import (
    SOURCE,
    T0,
    applied,
    event,
    merge,
    person,
    profile_id,
    state,
    unmerge,
)
from tests.contract.profile_backend import Backend, ProfileContract, load, load_one, write

LAN, MAI, PHONE = "email:lan@x.vn", "email:mai@x.vn", "phone:+84901234567"


class ProfileReaderContract(ProfileContract):
    # Life

    async def test_a_store_that_does_not_exist_yet_is_unavailable_until_it_does(self, backend: Backend) -> None:
        reader = backend.reader()
        await reader.start()
        with pytest.raises(StoreUnavailable):
            await reader.counts()
        store = backend.store()
        await store.start()
        assert await reader.counts() == Counts()
        await store.close()
        await reader.close()
        await reader.close()

    async def test_an_empty_store_answers_everything_with_nothing(self, reader: ProfileReader) -> None:
        assert await reader.find(profile_id(1)) is None
        assert await reader.find(Identifier("email", "lan@x.vn")) is None
        assert list(await reader.leaves(profile_id(1))) == []
        for q in ("", "l", "lan"):
            page = await reader.search(ProfileQuery(q))
            assert (list(page.data), page.next, page.total) == ([], None, 0)
        assert list((await reader.events([profile_id(1)], EventQuery())).data) == []
        history = await reader.identity_history([profile_id(1)])
        assert (list(history.merges), list(history.switches), list(history.refusals)) == ([], [], [])
        assert await reader.event_by_message([SOURCE], "m-1") is None
        assert await reader.problem_by_message([SOURCE], "m-1") is None
        assert list(await reader.recent_events()) == []
        assert list((await reader.problem_events()).data) == []
        assert list(await reader.catalogue()) == []
        assert list((await reader.reviews()).data) == []
        assert await reader.command("cmd-1") is None
        assert await reader.counts() == Counts()
        assert list(await reader.series("events", since=0, bucket="hour")) == []
        assert list(await reader.top("name", since=0)) == []
        assert await reader.last_event_at(SOURCE) is None
        assert await reader.positions() == {}
        assert await reader.digest() == digest([])

    # One person

    async def test_a_person_is_found_by_identifier_and_by_every_id_it_had(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await _merged(store)
        await write(store, person(3, "user_id@shop:u-1"))
        root = await load_one(store, profile_id(1))
        for ref in (profile_id(1), profile_id(2), Identifier("email", "lan@x.vn"), Identifier("email", "mai@x.vn")):
            assert await reader.find(ref) == root
        found = await reader.find(Identifier("user_id", "u-1", "shop"))
        assert found is not None
        assert found.id == profile_id(3)
        assert await reader.find(Identifier("user_id", "u-1")) is None
        assert await reader.find("prf_none") is None

    async def test_leaves_are_all_profiles_of_the_person_with_their_own_states(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await _merged(store)
        leaves = await reader.leaves(profile_id(1))
        assert sorted(leaf.id for leaf in leaves) == [profile_id(1), profile_id(2)]
        assert {leaf.id: set(leaf.state.identifiers) for leaf in leaves} == {
            profile_id(1): {LAN},
            profile_id(2): {MAI},
        }

    # Identity

    async def test_history_is_of_the_given_leaves_newest_first(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        switches = [
            SwitchRecord(f"swi-{n}", T0 + n, "anonymous_id:a", profile_id(n), profile_id(n + 1), "m", 1)
            for n in range(4)
        ]
        refusals = [RefusalRecord(f"ref-{n}", T0 + n, MAI, "", profile_id(n), "limit", "m") for n in range(3)]
        await write(store, Changes(switches=switches, refusals=refusals))
        history = await reader.identity_history([profile_id(1), profile_id(2)])
        assert list(history.switches) == [switches[2], switches[1], switches[0]]
        assert list(history.refusals) == [refusals[2], refusals[1]]
        assert list(history.merges) == []
        assert len((await reader.identity_history([profile_id(1), profile_id(2)], limit=1)).switches) == 1

    async def test_undone_merges_stay_in_the_history(self, store: ProfileStore, reader: ProfileReader) -> None:
        await _merged(store)
        people = await load(store, profile_id(1), profile_id(2))
        [record] = (await reader.identity_history([profile_id(1)])).merges
        await write(store, unmerge(people[profile_id(1)], people[profile_id(2)], record, at=T0 + 9))
        for leaf in (profile_id(1), profile_id(2)):
            [undone] = (await reader.identity_history([leaf])).merges
            assert (undone.id, undone.undone_at, undone.undone_by) == (record.id, T0 + 9, "usr-1")

    async def test_reviews_show_the_roots_of_now(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, *(person(n, f"user_id:{n}") for n in range(1, 6)))
        pairs = [
            ReviewPair(f"rev-{n}", T0 + n, profile_id(n), profile_id(n + 1), "limit", MAI, "m") for n in range(1, 5)
        ]
        await write(store, Changes(reviews=pairs), Changes(review_states={"rev-4": "rejected"}))
        people = await load(store, profile_id(1), profile_id(2))
        await write(store, merge(people[profile_id(1)], people[profile_id(2)], state("user_id:1", "user_id:2")))
        rows = (await reader.reviews()).data
        assert [(row.id, row.left, row.right, row.state) for row in rows] == [
            ("rev-3", profile_id(3), profile_id(4), "open"),
            ("rev-2", profile_id(1), profile_id(3), "open"),
        ]
        assert [row.id for row in (await reader.reviews(state="rejected")).data] == ["rev-4"]
        [united] = (await reader.reviews(state="merged")).data
        assert (united.id, united.left, united.right, united.state) == ("rev-1", profile_id(1), profile_id(1), "merged")

    async def test_reviews_have_pages(self, store: ProfileStore, reader: ProfileReader) -> None:
        pairs = [
            ReviewPair(f"rev-{n}", T0 + n // 2, profile_id(n), profile_id(n + 1), "limit", None, None) for n in range(5)
        ]
        await write(store, *(person(n) for n in range(6)), Changes(reviews=pairs))
        found: list[str] = []
        cursor: str | None = None
        for _ in range(3):
            page = await reader.reviews(limit=2, cursor=cursor)
            found += [row.id for row in page.data]
            cursor = page.next
        assert (found, cursor) == (["rev-4", "rev-3", "rev-2", "rev-1", "rev-0"], None)

    # Digest

    async def test_the_digest_is_over_all_people_and_events(self, store: ProfileStore, reader: ProfileReader) -> None:
        await _merged(store)
        events = [event(f"m-{n}", T0 + n) for n in range(4)]
        await write(store, applied(profile_id(1), events[0]), applied(profile_id(2), events[1]))
        await write(store, person(3, PHONE), applied(profile_id(3), events[2]), applied(None, events[3]))
        told = [one.event_id for one in events]
        expected = digest(
            [
                DigestedPerson(state(LAN, MAI, total=2), told[:2]),
                DigestedPerson(state(PHONE), told[2:3]),
                DigestedPerson(State(), told[3:]),
            ]
        )
        assert await reader.digest() == expected


async def _merged(store: ProfileStore) -> None:
    """Two people, the second merged into the first."""
    await write(store, person(1, LAN), person(2, MAI))
    both = await load(store, profile_id(1), profile_id(2))
    await write(store, merge(both[profile_id(1)], both[profile_id(2)], state(LAN, MAI, total=2)))
