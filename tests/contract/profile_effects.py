"""The contract of ``ports.profile_store.ProfileStore``: what its commits do, seen by a reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from leocdp.domain.decisions import (
    Changes,
    CommandOutcome,
    LoadRequest,
    RefusalRecord,
    ReviewPair,
    SwitchRecord,
)
from leocdp.domain.events import Outcome
from leocdp.domain.profiles.state import Person, State
from leocdp.ports.profile_reader import EventQuery, ProfileQuery, ProfileReader
from leocdp.ports.profile_store import Conflict, PositionMove, ProfileStore, RemovedData, StoreUnavailable
from tests.contract.builders import (
    DAY,
    LOG,
    SOURCE,
    T0,
    TOPIC,
    announcement,
    applied,
    event,
    merge,
    move,
    person,
    problem,
    profile_id,
    state,
    together,
)
from tests.contract.profile_backend import Backend, ProfileContract, load, look_up, write

LAN, MAI = "email:lan@x.vn", "email:mai@x.vn"


class ProfileStoreEffectsContract(ProfileContract):
    """What a commit does, seen by a reader."""

    async def test_a_message_is_stored_once(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, applied(None, event("m-1")))
        await _refused(store, applied(None, event("m-2"), event("m-1", T0 + DAY)))
        assert [one.message_id for _, one in await reader.recent_events()] == ["m-1"]

    async def test_a_command_has_one_outcome(self, store: ProfileStore, reader: ProfileReader) -> None:
        outcome = CommandOutcome("cmd-1", "merge", "applied", T0, "usr-1", {"merge_id": "mrg-1"})
        await write(store, Changes(commands=[outcome]))
        await _refused(store, Changes(commands=[replace(outcome, state="refused")]))
        assert (await store.load(LoadRequest(command_ids=frozenset({"cmd-1", "cmd-2"})))).commands == {"cmd-1"}
        assert await reader.command("cmd-1") == outcome
        assert await reader.command("cmd-2") is None

    async def test_a_conflict_writes_nothing_at_all(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, person(1, LAN))
        before = await reader.counts()
        everything = together(
            person(2, MAI, name="Mai"),
            applied(profile_id(2), event("m-1")),
            Changes(
                commands=[CommandOutcome("cmd-1", "label", "applied", T0, "usr-1")],
                outbox=[announcement(1)],
                problems=[problem(Outcome.FILTERED, 1)],
                switches=[SwitchRecord("swi-1", T0, MAI, profile_id(1), profile_id(2), "m-1", 1)],
                reviews=[ReviewPair("rev-1", T0, profile_id(1), profile_id(2), "limit", MAI, "m-1")],
            ),
        )
        await _refused(store, together(everything, Changes(guards={profile_id(1): 5})), positions=[move(None, 1)])
        assert (await look_up(store, MAI)).owners == {}
        assert await load(store, profile_id(2)) == {}
        assert await store.pending_outbox(10) == []
        assert await store.positions(LOG) == {}
        assert await reader.counts() == before
        assert await reader.catalogue() == []
        assert await reader.command("cmd-1") is None
        assert (await reader.problem_events()).data == []
        assert (await reader.reviews()).data == []
        assert (await reader.identity_history([profile_id(1)])).switches == []
        assert await store.commit(everything, [move(None, 1)], T0) == 2

    async def test_after_a_conflict_the_next_commit_counts_from_what_is_stored(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, together(person(1, LAN), applied(profile_id(1), event("m-1"))))
        await _refused(store, applied(profile_id(1), event("m-2"), event("m-1")))
        await write(store, applied(profile_id(1), event("m-2")))
        assert (await reader.counts()).events == 2
        assert [entry.count for entry in await reader.catalogue()] == [2]
        assert [one.message_id for _, one in await reader.recent_events()] == ["m-2", "m-1"]

    async def test_positions_belong_to_a_log(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, Changes(), positions=[move(None, 5)])
        await write(store, Changes(), positions=[move(None, 1, log="log-2")])
        assert await store.positions("log-2") == {(TOPIC, 0): 1}
        assert list(await store.other_logs("log-2")) == [LOG]
        assert sorted(await store.other_logs("log-3")) == [LOG, "log-2"]
        assert await reader.positions() == {(TOPIC, 0): 1}

    async def test_dead_letters_wait_with_the_record_to_append_again(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        letters = [problem(Outcome.DEAD_LETTERED, number) for number in (1, 2)]
        await write(store, Changes(problems=[*letters, problem(Outcome.FILTERED, 3)]))
        found = (await reader.problem_events()).data
        ids = [one.id for one in found]
        records = await store.dead_letters_to_replay([*ids, "none", "999"])
        assert {one.message_id: records.get(one.id) for one in found} == {
            "p-1": b"record-1",
            "p-2": b"record-2",
            "p-3": None,
        }
        await store.mark_replayed(list(records)[:1], T0 + 5)
        await store.mark_replayed(list(records)[:1], T0 + 9)
        assert (await reader.counts()).dead_letters == 1
        replayed = {one.id: one.replayed_at for one in (await reader.problem_events()).data}
        assert replayed[next(iter(records))] == T0 + 5

    async def test_problem_events_are_bounded_and_do_not_push_out_dead_letters(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, Changes(problems=[problem(Outcome.DEAD_LETTERED, 0)]))
        for start in range(0, 60_000, 20_000):
            await write(
                store, Changes(problems=[problem(Outcome.DUPLICATE, start + n, payload="") for n in range(20_000)])
            )
        await store.tidy(T0)
        assert (await reader.counts()).duplicates == 60_000
        assert await reader.problem_by_message([SOURCE], "p-0") is not None
        assert await reader.problem_by_message([SOURCE], "p-59999") is not None
        assert await reader.problem_by_message([SOURCE], "p-10000") is None

    async def test_closing_twice_is_closing_once(self, backend: Backend) -> None:
        store = backend.store()
        await store.start()
        await store.close()
        await store.close()
        with pytest.raises(StoreUnavailable):
            await store.load(LoadRequest())

    async def test_history_is_written_whole_by_id(self, store: ProfileStore, reader: ProfileReader) -> None:
        switch = SwitchRecord("swi-1", T0, "anonymous_id:a", profile_id(1), profile_id(2), "m-1", 1)
        refusal = RefusalRecord("ref-1", T0, MAI, profile_id(2), profile_id(1), "limit", "m-1")
        await write(store, Changes(switches=[switch], refusals=[refusal]))
        again = replace(switch, count=2, at=T0 + 5)
        await write(store, Changes(switches=[again], refusals=[refusal]))
        history = await reader.identity_history([profile_id(1), profile_id(2)])
        assert (history.switches, history.refusals) == ([again], [refusal])

    async def test_a_review_is_inserted_once_and_keeps_its_state(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, person(1), person(2))
        pair = ReviewPair("rev-1", T0, profile_id(1), profile_id(2), "limit", MAI, "m-1")
        await write(store, Changes(reviews=[pair]), Changes(review_states={"rev-1": "rejected"}))
        await write(store, Changes(reviews=[replace(pair, reason="other")]))
        [row] = (await reader.reviews(state="rejected")).data
        assert (row.state, row.reason) == ("rejected", "limit")
        await write(store, Changes(review_states={"rev-1": "open"}))
        assert [one.state for one in (await reader.reviews()).data] == ["open"]

    async def test_an_event_without_a_person_is_stored(self, store: ProfileStore, reader: ProfileReader) -> None:
        await write(store, applied(None, event("m-1")))
        [(_, found)] = await reader.recent_events()
        assert (found.leaf, found.message_id) == (None, "m-1")
        assert (await reader.events([profile_id(1)], EventQuery())).data == []

    async def test_a_source_is_removed_with_the_people_that_only_it_has_brought(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        """1 and 2 are one person of the demo, 3 is known to another source too, 4 not to the demo at all."""
        await _merged(store)
        people = await load(store, profile_id(1))
        labelled = replace(people[profile_id(1)].person or Person(State(), ()), state=state(LAN, MAI, labels=["vip"]))
        await write(store, Changes(profiles=[replace(people[profile_id(1)], person=labelled)]))
        await write(store, person(3, "user_id:three", name="Three"), person(4, "user_id:four", name="Four"))
        demo = [event(f"d-{n}", T0 + n, source="demo", name=f"Demo {n % 2}") for n in range(9)]
        for number, one in enumerate(demo[:8]):
            await write(store, applied(profile_id(number % 3 + 1), one))
        await write(store, applied(None, demo[8]))
        await write(store, applied(profile_id(3), event("m-3")), applied(profile_id(4), event("m-4")))
        pair = ReviewPair("rev-1", T0, profile_id(2), profile_id(3), "limit", MAI, "d-1")
        problems = [problem(Outcome.DEAD_LETTERED, 1, source_id="demo"), problem(Outcome.DEAD_LETTERED, 2)]
        await write(store, Changes(reviews=[pair], problems=problems, outbox=[announcement(1), announcement(4)]))

        removed = [await store.remove_source("demo", after=None, limit=4)]
        while removed[-1].next is not None:
            removed.append(await store.remove_source("demo", after=removed[-1].next, limit=4))

        assert [sum(getattr(step, name) for step in removed) for name in ("profiles", "events", "kept")] == [2, 7, 1]
        assert (await look_up(store, LAN, MAI, "user_id:three", "user_id:four")).owners.keys() == {
            "user_id:three",
            "user_id:four",
        }
        assert await load(store, profile_id(1), profile_id(2)) == {}
        assert [hit.id for hit in (await reader.search(ProfileQuery(sort="name"))).data] == [
            profile_id(4),
            profile_id(3),
        ]
        for query in (ProfileQuery("lan@x"), ProfileQuery(label="vip")):
            assert list((await reader.search(query)).data) == []
        assert len((await reader.events([profile_id(3)], EventQuery())).data) == 3
        assert list((await reader.identity_history([profile_id(1), profile_id(2)])).merges) == []
        assert list((await reader.reviews()).data) == []
        assert [one.record for one in await store.pending_outbox(9)] == [announcement(4)]
        counts = await reader.counts()
        assert (counts.profiles, counts.people, counts.identified, counts.events) == (2, 2, 2, 4)
        assert counts.dead_letters == 1
        assert sum(entry.count for entry in await reader.catalogue()) == 4
        assert sum(bucket.count for bucket in await reader.series("events", since=0, bucket="day")) == 4
        await write(store, together(person(1, LAN), applied(profile_id(1), demo[0])))

    async def test_removing_a_source_twice_removes_nothing_more(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        await write(store, together(person(1, LAN), applied(profile_id(1), event("d-1", source="demo"))))
        await write(store, together(person(2, MAI), applied(profile_id(2), event("m-1"))))
        first = await store.remove_source("demo", after=None, limit=100)
        assert first == RemovedData(profiles=1, events=1, kept=0, next=None)
        assert await store.remove_source("demo", after=None, limit=100) == RemovedData(0, 0, 0, None)
        assert await reader.last_event_at("demo") is None
        assert (await reader.counts()).events == 1


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
