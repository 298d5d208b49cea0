"""The contract of ``ports.profile_reader.ProfileReader``: every adapter passes all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from leocdp.domain.decisions import (
    Changes,
    Owner,
    OwnerWrite,
    RefusalRecord,
    ReviewPair,
    SwitchRecord,
)
from leocdp.domain.events import Outcome
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.profiles.digest import DigestedPerson, digest
from leocdp.domain.profiles.state import Profile, State
from leocdp.ports.profile_reader import Bucket, Counts, EventQuery, ProfileQuery, ProfileReader, ProfileSort
from leocdp.ports.profile_store import ProfileStore, StoreUnavailable
from tests.contract.builders import (
    DAY,
    HOUR,
    MINUTE,
    SOURCE,
    T0,
    applied,
    changed,
    event,
    merge,
    person,
    problem,
    profile_id,
    state,
    together,
    unmerge,
)
from tests.contract.profile_backend import Backend, ProfileContract, load, load_one, write

LAN, MAI, PHONE = "email:lan@x.vn", "email:mai@x.vn", "phone:+84901234567"
HOUR_0 = T0 - T0 % HOUR
DAY_0 = T0 - T0 % DAY


async def ids(reader: ProfileReader, q: str = "", **fields: object) -> list[str]:
    page = await reader.search(ProfileQuery(q, **fields))  # type: ignore[arg-type]
    return [hit.id for hit in page.data]


async def numbers(reader: ProfileReader, q: str = "", **fields: object) -> list[int]:
    """Hits as the numbers of :func:`profile_id`."""
    known = {profile_id(number): number for number in range(100)}
    return [known[one] for one in await ids(reader, q, **fields)]


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

    # Lists

    @pytest.mark.parametrize(
        ("sort", "expected"), [("last_seen", [2, 3, 1]), ("first_seen", [1, 2, 3]), ("name", [3, 1, 2])]
    )
    async def test_people_are_sorted(
        self, store: ProfileStore, reader: ProfileReader, sort: ProfileSort, expected: list[int]
    ) -> None:
        """Times newest first, names A to Z and last those without one."""
        await write(
            store,
            person(1, LAN, name="Đặng Lan", first_seen=T0 + 3, last_seen=T0 + 3),
            person(2, "anonymous_id:a", first_seen=T0 + 2, last_seen=T0 + 9),
            person(3, MAI, name="An Mai", first_seen=T0 + 1, last_seen=T0 + 5),
        )
        assert await numbers(reader, sort=sort) == expected

    async def test_a_change_moves_a_person_in_every_order(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, name="An"), person(2, name="Bo", last_seen=T0 + 1, first_seen=T0 + 1))
        after = state(name="Chi", first_seen=T0 + 5, last_seen=T0 + 6)
        await write(store, changed(await load_one(store, profile_id(1)), after))
        assert await numbers(reader, sort="last_seen") == [1, 2]
        assert await numbers(reader, sort="first_seen") == [1, 2]
        assert await numbers(reader, sort="name") == [2, 1]
        earlier = state(name="Chi", first_seen=T0 - 5, last_seen=T0 + 6)
        loaded = await load_one(store, profile_id(1))
        await write(store, Changes(profiles=[replace(loaded, state=earlier)]))
        assert await numbers(reader, sort="first_seen") == [2, 1]

    @pytest.mark.parametrize("sort", ["last_seen", "first_seen", "name"])
    @pytest.mark.parametrize("q", ["", "nguyen"])
    async def test_pages_follow_each_other_without_gaps(
        self, store: ProfileStore, reader: ProfileReader, sort: ProfileSort, q: str
    ) -> None:
        people = [
            person(
                n, *([f"user_id:u-{n}"] if n % 2 else []), name=f"Nguyễn {n % 4}", last_seen=T0 + n % 3, first_seen=T0
            )
            for n in range(23)
        ]
        await write(store, together(*people))
        whole = await ids(reader, q, sort=sort)
        assert len(set(whole)) == 23
        paged: list[str] = []
        cursor: str | None = None
        while True:
            page = await reader.search(ProfileQuery(q, sort=sort, limit=5, cursor=cursor))
            assert page.total == 23
            paged += [hit.id for hit in page.data]
            cursor = page.next
            if cursor is None:
                break
            assert len(page.data) == 5
        assert paged == whole

    async def test_a_cursor_of_something_else_is_refused_with_a_reason(self, reader: ProfileReader) -> None:
        for cursor in ("x", "////", "k5AB"):
            with pytest.raises(ValueError, match="cursor"):
                await reader.search(ProfileQuery(cursor=cursor))

    async def test_status_is_identified_with_any_kind_of_priority_1_to_5(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        keys = ["user_id:u", "crm_id:c", LAN, PHONE, "social:zalo:z", "device_id:d", "anonymous_id:a", "push_token:t"]
        await write(store, *(person(number, key, last_seen=T0 - number) for number, key in enumerate(keys)))
        assert await numbers(reader, status="identified") == [0, 1, 2, 3, 4]
        assert await numbers(reader, status="anonymous") == [5, 6, 7]
        page = await reader.search(ProfileQuery(status="anonymous"))
        assert ({hit.status for hit in page.data}, page.total) == ({"anonymous"}, 3)

    async def test_a_person_becomes_identified(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, "anonymous_id:a"))
        assert (await reader.counts()).identified == 0
        after = changed(await load_one(store, profile_id(1)), state("anonymous_id:a", LAN))
        await write(store, together(after, Changes(owners=[OwnerWrite(LAN, Owner(profile_id(1)))])))
        assert await numbers(reader, status="identified") == [1]
        assert (await reader.counts()).identified == 1

    async def test_a_row_shows_name_times_events_identifiers_and_labels(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        given = state(
            LAN,
            PHONE,
            "anonymous_id:a",
            "user_id:u-1",
            traits={"first_name": "Lan", "last_name": "Nguyễn"},
            first_seen=T0 - 5,
            last_seen=T0 + 5,
            total=12,
            labels=["vip", "new"],
        )
        await write(store, Changes(profiles=[Profile(profile_id(1), T0, given)], names_changed={profile_id(1)}))
        [hit] = (await reader.search(ProfileQuery())).data
        assert (hit.id, hit.status, hit.name) == (profile_id(1), "identified", "Lan Nguyễn")
        assert (hit.first_seen, hit.last_seen, hit.events) == (T0 - 5, T0 + 5, 12)
        assert list(hit.identifiers) == [("user_id", "u-1"), ("email", "lan@x.vn"), ("phone", "+84901234567")]
        assert list(hit.labels) == ["new", "vip"]

    async def test_a_row_shows_six_identifiers_at_most(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, "user_id:u", *(f"loyalty_id:{n}" for n in range(5)), LAN, PHONE))
        [hit] = (await reader.search(ProfileQuery())).data
        assert [kind for kind, _ in hit.identifiers] == ["user_id"] + ["loyalty_id"] * 5

    async def test_labels_filter(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, labels=["vip", "new"]), person(2, labels=["new"], last_seen=T0 + 1), person(3))
        assert await numbers(reader, label="new") == [2, 1]
        assert await numbers(reader, label="vip") == [1]
        assert await numbers(reader, label="none") == []
        loaded = await load_one(store, profile_id(1))
        await write(store, Changes(profiles=[replace(loaded, state=state(labels=["gold"]))]))
        assert await numbers(reader, label="new") == [2]
        assert await numbers(reader, label="gold") == [1]
        assert (await reader.search(ProfileQuery(label="gold"))).total == 1

    async def test_the_total_is_exact_up_to_a_thousand(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, together(*(person(n, f"user_id:u-{n}", name=f"An {n}") for n in range(1_000))))
        for q in ("", "an", "an 9", "user_id:u-7"):
            total = (await reader.search(ProfileQuery(q))).total
            assert total == {"": 1_000, "an": 1_000, "an 9": 111, "user_id:u-7": 1}[q]
        await write(store, person(1_000, "user_id:x", name="An Khang"))
        for q in ("", "an", "user"):
            assert (await reader.search(ProfileQuery(q))).total == (None if q != "user" else 0)
        assert (await reader.search(ProfileQuery(status="anonymous"))).total == 0

    # Searches

    async def test_one_or_two_characters_are_the_beginning_of_a_word_of_the_name(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(
            store,
            person(1, "email:xu@x.vn", name="Nguyễn Thị Xuân", last_seen=T0 + 2),
            person(2, name="Xuân Diệu", last_seen=T0 + 1),
            person(3, name="Đỗ Maxu"),
        )
        assert await numbers(reader, "x") == [1, 2]
        assert await numbers(reader, "XU") == [1, 2]
        assert await numbers(reader, "đ") == [2, 3]
        assert await numbers(reader, "do") == [3]
        assert await numbers(reader, "aa") == []

    @pytest.mark.parametrize("q", ["đức", "DUC", "van d", "nguyễn văn", "  Văn   Đức ", "guye", "uc"])
    async def test_names_are_found_without_marks_and_case(
        self, store: ProfileStore, reader: ProfileReader, q: str
    ) -> None:
        await write(store, person(1, name="Nguyễn Văn Đức"), person(2, name="Trần Hoa"))
        assert await numbers(reader, q) == ([] if q == "uc" else [1])

    @pytest.mark.parametrize(
        "q",
        [
            "Lan@X.vn",
            "email:LAN@x.vn",
            "lan@",
            "an@x.v",
            "0901234567",
            "+84 901 234 567",
            "0084901234567",
            "phone:0901234567",
            "901234",
            "0901 234",
            "u-ABC",
            "U-abc",
            "user_id:u-ABC",
            "crm_id@shop:C7",
            "C7x",
            "dev-0001",
            "dev-0",
            "anonymous_id:anon-1",
            "anon-1",
        ],
    )
    async def test_identifiers_are_found_in_any_spelling(
        self, store: ProfileStore, reader: ProfileReader, q: str
    ) -> None:
        keys = [LAN, PHONE, "user_id:u-ABC", "crm_id@shop:C7", "loyalty_id:xC7x", "device_id:dev-0001"]
        await write(store, person(1, *keys, "anonymous_id:anon-1"), person(2, MAI, "phone:+84987000111"))
        assert await numbers(reader, q) == [1]

    async def test_the_middle_of_a_device_id_finds_nobody(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, "anonymous_id:0123456789"))
        assert await numbers(reader, "345") == []

    async def test_a_profile_id_finds_its_person(self, store: ProfileStore, reader: ProfileReader) -> None:
        await _merged(store)
        assert await numbers(reader, profile_id(2)) == [1]

    async def test_better_hits_come_first(self, store: ProfileStore, reader: ProfileReader) -> None:
        """Exact identifier, then the beginning of a word of the name, then anywhere."""
        await write(
            store,
            person(1, "user_id:x-hoa", last_seen=T0 + 9),
            person(2, name="Lê Hoa", last_seen=T0 + 5),
            person(3, "user_id:hoa", last_seen=T0),
            person(4, name="Hoàng Anh", last_seen=T0 + 7),
        )
        assert await numbers(reader, "hoa") == [3, 4, 2, 1]
        assert await numbers(reader, "hoa", sort="first_seen", limit=1) == [3]

    async def test_searches_can_be_narrowed(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, LAN, name="Lan Anh", labels=["vip"]), person(2, name="Lan Chi"))
        assert await numbers(reader, "lan", status="anonymous") == [2]
        assert await numbers(reader, "lan", label="vip") == [1]
        assert (await reader.search(ProfileQuery("lan", status="anonymous"))).total == 1

    @pytest.mark.parametrize(
        "q",
        [
            "lan@x.vn",
            "email:lan@x.vn",
            "lan@",
            "@x.v",
            "0901234567",
            "+84901234567",
            "901234",
            "phone:0901234567",
            "boss@x.vn",
            "boss@",
            "user_id:boss@x.vn",
        ],
    )
    async def test_without_contacts_no_contact_is_probed(
        self, store: ProfileStore, reader: ProfileReader, q: str
    ) -> None:
        """A user id that is an e-mail address is a contact too."""
        await write(store, person(1, LAN, PHONE, "user_id:boss@x.vn", name="Cường"))
        assert await numbers(reader, q) == [1]
        assert await numbers(reader, q, contacts=False) == []

    @pytest.mark.parametrize("q", ["cuong", "Cườ", "u-7", "user_id:u-7", "c", "a-77"])
    async def test_without_contacts_names_and_ids_are_found(
        self, store: ProfileStore, reader: ProfileReader, q: str
    ) -> None:
        await write(store, person(1, LAN, "user_id:u-7", "anonymous_id:a-77", name="Cường"))
        assert await numbers(reader, q, contacts=False) == [1]

    @pytest.mark.parametrize(
        "q", ['"', "a OR b", "%%%", "___", "*", "name:x", "(((", "\x00\x00\x00", "'; --", "\U0001f600" * 3]
    )
    async def test_any_text_can_be_searched(self, store: ProfileStore, reader: ProfileReader, q: str) -> None:
        await write(store, person(1, name="Lan"))
        assert await ids(reader, q) == []

    async def test_searches_follow_changes_of_names_and_identifiers(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, person(1, LAN, "user_id:u-1", name="Lan Anh"))
        after = changed(await load_one(store, profile_id(1)), state("user_id:u-1", MAI, name="Mai Chi"))
        moved = [OwnerWrite(LAN, Owner(profile_id(2)), Owner(profile_id(1))), OwnerWrite(MAI, Owner(profile_id(1)))]
        other = Profile(profile_id(2), T0, state(LAN))
        await write(store, together(after, Changes(owners=moved, profiles=[other], names_changed={other.id})))
        for q, expected in {"lan": [2], "anh": [], "mai": [1], "chi": [1], "lan@x": [2], "u-1": [1]}.items():
            assert await numbers(reader, q) == expected, q

    async def test_a_merge_takes_a_person_out_of_lists_and_an_unmerge_brings_it_back(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, person(1, LAN, name="Lan", labels=["a"]), person(2, MAI, name="Mai", labels=["b"]))
        people = await load(store, profile_id(1), profile_id(2))
        united = state(LAN, MAI, name="Mai", total=2, labels=["a", "b"])
        await write(store, merge(people[profile_id(1)], people[profile_id(2)], united))
        for q in ("", "mai", "mai@x.vn", "lan@x", "m", profile_id(2)):
            assert await numbers(reader, q) == [1], q
        assert await numbers(reader, "lan anh") == []
        assert await numbers(reader, label="b") == [1]
        counts = await reader.counts()
        assert (counts.profiles, counts.people, counts.identified) == (2, 1, 1)

        [record] = (await reader.identity_history([profile_id(2)])).merges
        people = await load(store, profile_id(1), profile_id(2))
        await write(store, unmerge(people[profile_id(1)], people[profile_id(2)], record))
        assert await numbers(reader, sort="name") == [1, 2]
        for q, expected in {"mai": [2], "mai@x.vn": [2], "lan": [1]}.items():
            assert await numbers(reader, q) == expected, q
        assert [await numbers(reader, label=label) for label in "ab"] == [[1], [2]]
        counts = await reader.counts()
        assert (counts.profiles, counts.people, counts.identified) == (2, 2, 2)

    # Events

    async def test_an_event_is_read_as_it_was_written(self, store: ProfileStore, reader: ProfileReader) -> None:
        written = event(
            "m-1",
            T0,
            anonymous_id="a",
            user_id="u",
            group_id="g",
            properties={"price": 9.5, "deep": {"x": [1, None]}},
            traits={"plan": "pro"},
            context={"page": {"url": "https://x.vn/ạ"}},
            integrations={"All": True},
            consent={"marketing": False},
            original_timestamp=T0 + 7,
            sent_at=T0 + 8,
            flags=("clamped",),
        )
        await write(store, applied(profile_id(1), written))
        found = await reader.event_by_message([SOURCE], "m-1")
        assert found is not None
        assert (found.id, found.message_id, found.type, found.name) == (
            written.event_id,
            "m-1",
            "track",
            "Product Viewed",
        )
        assert (found.timestamp, found.received_at) == (T0, T0)
        assert (found.original_timestamp, found.sent_at) == (T0 + 7, T0 + 8)
        assert (found.source, found.protocol, found.leaf) == (SOURCE, "segment", profile_id(1))
        assert (found.anonymous_id, found.user_id) == ("a", "u")
        for part in ("properties", "traits", "context", "integrations", "consent"):
            assert found.body[part] == getattr(written, part)
        assert list(found.body["flags"]) == ["clamped"]

    async def test_a_message_is_found_in_the_given_sources_only(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, applied(profile_id(1), event("m-1", source="src-a")))
        assert await reader.event_by_message(["src-b"], "m-1") is None
        assert await reader.event_by_message([], "m-1") is None
        found = await reader.event_by_message(["src-b", "src-a"], "m-1")
        assert found is not None
        assert found.source == "src-a"

    async def test_a_timeline_is_newest_first_over_all_leaves(self, store: ProfileStore, reader: ProfileReader) -> None:
        events = [event(f"m-{n}", T0 + 99, timestamp=T0 + at) for n, at in enumerate([5, 1, 9, 3, 3])]
        for number, one in enumerate(events):
            await write(store, applied(profile_id(number % 2), one))
        await write(store, applied(profile_id(7), event("m-7")))
        both = [profile_id(0), profile_id(1)]
        page = await reader.events(both, EventQuery())
        assert [one.message_id for one in page.data] == ["m-2", "m-0", "m-4", "m-3", "m-1"]
        assert page.next is None
        assert [one.message_id for one in (await reader.events(both[:1], EventQuery())).data] == ["m-2", "m-0", "m-4"]

    async def test_a_timeline_has_pages_and_filters(self, store: ProfileStore, reader: ProfileReader) -> None:
        events = [
            event(
                f"m-{n}", T0, timestamp=T0 + n // 2, name="Odd" if n % 2 else "Even", type="page" if n % 3 else "track"
            )
            for n in range(20)
        ]
        await write(store, applied(profile_id(1), *events[:10]), applied(profile_id(2), *events[10:]))
        leaves = [profile_id(1), profile_id(2)]

        async def every(**filters: object) -> list[int]:
            found: list[int] = []
            cursor = None
            while True:
                query = EventQuery(limit=3, cursor=cursor, **filters)  # type: ignore[arg-type]
                page = await reader.events(leaves, query)
                found += [int(one.message_id[2:]) for one in page.data]
                cursor = page.next
                if cursor is None:
                    return found

        assert await every() == list(range(19, -1, -1))
        assert await every(name="Odd") == list(range(19, -1, -2))
        assert await every(type="track") == [n for n in range(19, -1, -1) if n % 3 == 0]
        assert await every(from_=T0 + 2, to=T0 + 5) == [9, 8, 7, 6, 5, 4]
        assert await every(name="Odd", type="page", from_=T0 + 8) == [19, 17]

    async def test_a_timeline_of_a_person_of_many_leaves(self, store: ProfileStore, reader: ProfileReader) -> None:
        many = [applied(profile_id(n), event(f"m-{n}", T0 + n)) for n in range(1_200)]
        await write(store, together(*many))
        page = await reader.events([profile_id(n) for n in range(1_200)], EventQuery(limit=2))
        assert [one.message_id for one in page.data] == ["m-1199", "m-1198"]

    async def test_recent_events_come_in_the_order_of_storing(self, store: ProfileStore, reader: ProfileReader) -> None:
        names = ["A", "B", "A", None]
        for n, name in enumerate(names):
            await write(store, applied(None, event(f"m-{n}", T0 - n, name=name, source=f"src-{n % 2}")))
        newest = await reader.recent_events(limit=3)
        assert [one.message_id for _, one in newest] == ["m-3", "m-2", "m-1"]
        sequences = [sequence for sequence, _ in newest]
        assert sequences == sorted(sequences, reverse=True)
        after = await reader.recent_events(after=sequences[2])
        assert [one.message_id for _, one in after] == ["m-3", "m-2"]
        assert [one.message_id for _, one in await reader.recent_events(name="A")] == ["m-2", "m-0"]
        assert [one.message_id for _, one in await reader.recent_events(source="src-1", name="B")] == ["m-1"]

    # Problem events

    async def test_problem_events_have_filters_and_pages(self, store: ProfileStore, reader: ProfileReader) -> None:
        outcomes: list[Outcome | str] = [Outcome.DUPLICATE, Outcome.FILTERED, Outcome.DEAD_LETTERED, "rejected"]
        problems = [
            problem(outcomes[n % 4], n, reason="r-0" if n < 4 else "r-1", source_id=f"src-{n % 2}") for n in range(12)
        ]
        await write(store, Changes(problems=problems[:6]), Changes(problems=problems[6:]))

        async def every(**filters: object) -> list[int]:
            found: list[int] = []
            cursor: str | None = None
            while True:
                page = await reader.problem_events(limit=2, cursor=cursor, **filters)  # type: ignore[arg-type]
                found += [one.offset for one in page.data]
                cursor = page.next
                if cursor is None:
                    return found

        assert sorted(await every()) == list(range(12))
        assert await every(outcome="dead-lettered") == [10, 6, 2]
        assert await every(outcome="rejected", reason="r-1") == [11, 7]
        assert sorted(await every(source="src-1")) == [1, 3, 5, 7, 9, 11]
        last = (await reader.problem_events(limit=1)).data[0]
        await write(store, Changes(problems=[problem(Outcome.FILTERED, 50)]))
        assert await every(after=int(last.id)) == [50]

    async def test_a_problem_event_is_read_as_it_was_written(self, store: ProfileStore, reader: ProfileReader) -> None:
        given = problem(
            Outcome.DEAD_LETTERED, 5, T0 + 9, type="track", name="X", error="boom", payload="{", reason="defect"
        )
        await write(store, Changes(problems=[given]))
        found = await reader.problem_by_message(["src-other", SOURCE], "p-5")
        assert found is not None
        assert (found.outcome, found.reason, found.at, found.error) == ("dead-lettered", "defect", T0 + 9, "boom")
        assert (found.topic, found.partition, found.offset, found.index) == given.address
        assert (found.source, found.message_id, found.type, found.name) == (SOURCE, "p-5", "track", "X")
        assert (found.payload, found.replayed_at) == ("{", None)
        assert await reader.problem_by_message(["src-other"], "p-5") is None

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

    # Figures

    async def test_counts_grow_with_commits(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, together(person(1, LAN), person(2), applied(None, event("m-1"), event("m-2"))))
        problems = [Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.FILTERED, Outcome.DEAD_LETTERED, "rejected"]
        await write(store, Changes(problems=[problem(outcome, n) for n, outcome in enumerate(problems)]))
        assert await reader.counts() == Counts(
            profiles=2, people=2, identified=1, events=2, duplicates=2, filtered=1, dead_letters=1, rejected=1
        )

    async def test_series_are_per_hour_and_day(self, store: ProfileStore, reader: ProfileReader) -> None:
        times = [DAY_0, DAY_0 + MINUTE, DAY_0 + 5 * HOUR, DAY_0 + DAY]
        events = [event(f"m-{n}", at, source=f"src-{n % 2}", name="A" if n < 3 else "B") for n, at in enumerate(times)]
        await write(store, applied(None, *events[:2]), applied(None, *events[2:]))

        async def series(bucket: str, since: int = 0, key: str = "") -> Sequence[Bucket]:
            return list(await reader.series("events", since=since, bucket=bucket, key=key))  # type: ignore[arg-type]

        assert await series("hour") == [Bucket(DAY_0, 2), Bucket(DAY_0 + 5 * HOUR, 1), Bucket(DAY_0 + DAY, 1)]
        assert await series("day") == [Bucket(DAY_0, 3), Bucket(DAY_0 + DAY, 1)]
        assert await series("hour", since=DAY_0 + 5 * HOUR + 1) == [
            Bucket(DAY_0 + 5 * HOUR, 1),
            Bucket(DAY_0 + DAY, 1),
        ]
        assert await series("day", key="source:src-0") == [Bucket(DAY_0, 2)]
        assert await series("day", key="name:B") == [Bucket(DAY_0 + DAY, 1)]
        assert await reader.top("name", since=0) == [("A", 3), ("B", 1)]
        assert await reader.top("source", since=DAY_0 + DAY) == [("src-1", 1)]
        assert await reader.top("name", since=0, limit=1) == [("A", 3)]
        assert await reader.last_event_at("src-0") == DAY_0 + 5 * HOUR
        assert await reader.last_event_at("src-9") is None

    async def test_series_of_people(self, store: ProfileStore, reader: ProfileReader) -> None:
        """A person becomes identified once; uniting with somebody who already was makes nobody newly identified."""
        await write(store, together(person(1, "anonymous_id:a"), applied(profile_id(1), event("m-1"))))
        await write(store, together(person(2, LAN), applied(profile_id(2), event("m-2", T0 + HOUR))))
        people = await load(store, profile_id(1), profile_id(2))
        united = merge(people[profile_id(1)], people[profile_id(2)], state("anonymous_id:a", LAN))
        await write(store, together(united, applied(profile_id(1), event("m-3", T0 + 2 * HOUR))))
        assert list(await reader.series("profiles", since=0, bucket="hour")) == [Bucket(HOUR_0, 2)]
        assert list(await reader.series("identified", since=0, bucket="hour")) == [Bucket(HOUR_0 + HOUR, 1)]
        assert (await reader.counts()).identified == 1

    async def test_the_catalogue_tells_names_and_types_of_properties(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(
            store,
            applied(None, event("m-1", T0 + 5, properties={"price": 1, "tags": ["a"], "ok": True})),
            applied(None, event("m-2", T0, properties={"price": "1", "none": None, "deep": {}})),
            applied(None, event("m-3", T0, name="Home", type="page"), event("m-4", T0, name=None, type="identify")),
        )
        catalogue = {(entry.type, entry.name): entry for entry in await reader.catalogue()}
        assert catalogue.keys() == {("track", "Product Viewed"), ("page", "Home"), ("identify", "")}
        viewed = catalogue["track", "Product Viewed"]
        assert (viewed.count, viewed.first_seen, viewed.last_seen) == (2, T0, T0 + 5)
        assert {name: list(types) for name, types in viewed.properties.items()} == {
            "price": ["number", "string"],
            "tags": ["array"],
            "ok": ["boolean"],
            "none": ["null"],
            "deep": ["object"],
        }

    async def test_the_catalogue_is_bounded(self, store: ProfileStore, reader: ProfileReader) -> None:
        flood = [event(f"m-{n}", name=f"Name {n}", properties={f"p{n}-{k}": 1 for k in range(3)}) for n in range(3_000)]
        wide = [event(f"w-{n}", name="Name 0", properties={f"w{n}": 1}) for n in range(1_000)]
        await write(store, applied(None, *flood), applied(None, *wide))
        catalogue = await reader.catalogue()
        assert len(catalogue) <= 2_010
        assert sum(entry.count for entry in catalogue) == 4_000
        assert max(len(entry.properties) for entry in catalogue) <= 300
        assert len(await reader.top("name", since=0, limit=10_000)) <= 2_010

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
