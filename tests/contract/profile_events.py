"""The contract of ``ports.profile_reader.ProfileReader``: events, problem events, and figures."""

from __future__ import annotations

from collections.abc import Sequence

from leocdp.domain.decisions import (
    Changes,
)
from leocdp.domain.events import Outcome
from leocdp.ports.profile_reader import Bucket, Counts, EventQuery, ProfileReader
from leocdp.ports.profile_store import ProfileStore
from tests.contract.builders import (
    DAY,
    HOUR,
    MINUTE,
    SOURCE,
    T0,
    applied,
    event,
    merge,
    person,
    problem,
    profile_id,
    state,
    together,
)
from tests.contract.profile_backend import ProfileContract, load, write

LAN, MAI, PHONE = "email:lan@x.vn", "email:mai@x.vn", "phone:+84901234567"
HOUR_0 = T0 - T0 % HOUR
DAY_0 = T0 - T0 % DAY


class ProfileEventsContract(ProfileContract):
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

    async def test_an_event_counts_in_the_hour_when_it_happened(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        """Names and sources are told apart for a little more than a year, invented times make no end of rows."""
        came = [T0 - DAY, T0 - 300 * DAY, T0 - 500 * DAY, T0 - 500 * DAY + HOUR, -(10**12), 0]
        events = [event(f"m-{n}", T0, timestamp=at, name="Import") for n, at in enumerate(came)]
        await write(store, applied(None, *events))
        series = {bucket.at: bucket.count for bucket in await reader.series("events", since=0, bucket="day")}
        assert series == {DAY_0 - DAY: 1, DAY_0 - 300 * DAY: 1, DAY_0 - 500 * DAY: 2, 0: 2}
        assert await reader.top("name", since=0) == [("Import", 2)]
        assert await reader.top("source", since=0) == [(SOURCE, 2)]
        await store.tidy(T0 + 200 * DAY)
        assert await reader.top("name", since=0) == [("Import", 1)]
        assert sum(bucket.count for bucket in await reader.series("events", since=0, bucket="day")) == 6

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
