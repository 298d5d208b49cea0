"""The contract of ``ports.profile_reader.ProfileReader``: lists of people, and searches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leocdp.domain.decisions import (
    Changes,
    Owner,
    OwnerWrite,
)
from leocdp.domain.profiles.state import Profile
from leocdp.ports.profile_reader import CursorInvalid, ProfileQuery, ProfileReader, ProfileSort
from leocdp.ports.profile_store import ProfileStore
from tests.contract.builders import (
    T0,
    changed,
    merge,
    person,
    profile_id,
    state,
    together,
    unmerge,
)
from tests.contract.profile_backend import ProfileContract, load, load_one, write

LAN, MAI, PHONE = "email:lan@x.vn", "email:mai@x.vn", "phone:+84901234567"


async def ids(reader: ProfileReader, q: str = "", **fields: object) -> list[str]:
    page = await reader.search(ProfileQuery(q, **fields))  # type: ignore[arg-type]
    return [hit.id for hit in page.data]


async def numbers(reader: ProfileReader, q: str = "", **fields: object) -> list[int]:
    """Hits as the numbers of :func:`profile_id`."""
    known = {profile_id(number): number for number in range(100)}
    return [known[one] for one in await ids(reader, q, **fields)]


class ProfileListsContract(ProfileContract):
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
        for cursor in ("x", "////", "k5AB", "kwDP__________8B"):
            with pytest.raises(CursorInvalid, match="cursor"):
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


async def _merged(store: ProfileStore) -> None:
    """Two people, the second merged into the first."""
    await write(store, person(1, LAN), person(2, MAI))
    both = await load(store, profile_id(1), profile_id(2))
    await write(store, merge(both[profile_id(1)], both[profile_id(2)], state(LAN, MAI, total=2)))
