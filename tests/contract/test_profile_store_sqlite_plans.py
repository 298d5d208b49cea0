"""No statement of the reader, of a load or of a commit walks a table that grows with people or events."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.profiles import connection as opening
from leocdp.adapters.sqlite.profiles import lists
from leocdp.domain.decisions import Changes, CommandOutcome, LoadRequest, RefusalRecord, ReviewPair, SwitchRecord
from leocdp.domain.events import Outcome
from leocdp.domain.identity.identifiers import Identifier
from leocdp.ports.profile_reader import EventQuery, ProfileQuery, ProfileReader, ProfileSort
from leocdp.ports.profile_store import ProfileStore
from tests.contract.builders import (
    SOURCE,
    T0,
    announcement,
    applied,
    changed,
    event,
    merge,
    move,
    person,
    problem,
    profile_id,
    state,
    together,
)
from tests.contract.profile_backend import load

GROWING = re.compile(
    r"\b(?:SCAN)\s+(?:\w+\.)?(profiles|p|r|events|identifiers|texts|labels|l|history|h|history_of|o|dedup_\d+)\b"
)
SORTED = re.compile("TEMP B-TREE FOR ORDER BY|TEMP B-TREE FOR LAST")


class Traced:
    """Every statement that is run, with its values."""

    def __init__(self) -> None:
        self.statements: dict[str, str] = {}
        """Shape (without values) → one of the statements of this shape."""

    def note(self, statement: str) -> None:
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)", statement):
            shape = re.sub(r"x?'(?:[^']|'')*'|\b\d+(\.\d+)?\b|NULL", "?", statement)
            self.statements.setdefault(re.sub(r"\?(,\s*\?)+", "?…", shape), statement)

    def plans(self, path: Path) -> dict[str, list[str]]:
        connection = sqlite3.connect(path)
        plans = {}
        for shape, statement in self.statements.items():
            plans[shape] = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        connection.close()
        return plans


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Traced:
    traced = Traced()
    connect: Callable[..., sqlite3.Connection] = opening._connect

    def tracing(*args: Any) -> sqlite3.Connection:
        connection = connect(*args)
        connection.set_trace_callback(traced.note)
        return connection

    monkeypatch.setattr(opening, "_connect", tracing)
    return traced


async def use_the_store(store: ProfileStore) -> None:
    """Commits and loads of every kind."""
    for start in range(0, 200, 50):
        people = [
            person(n, f"user_id:u-{n}", f"anonymous_id:a-{n}", name=f"Nguyễn Văn {n}", labels=["vip"] if n % 5 else [])
            for n in range(start, start + 50)
        ]
        events = [applied(profile_id(n), event(f"m-{n}", T0 + n)) for n in range(start, start + 50)]
        await store.commit(together(*people, *events), [move(start or None, start + 50)], T0)
    loaded = await load(store, *map(profile_id, range(4)))
    one, two, three, four = (loaded[profile_id(n)] for n in range(4))
    history = Changes(
        switches=[SwitchRecord("s", T0, "anonymous_id:a-1", one.id, two.id, "m", 1)],
        refusals=[RefusalRecord("r", T0, "anonymous_id:a-1", one.id, two.id, "limit", "m")],
        reviews=[ReviewPair("v", T0, three.id, four.id, "limit", None, None)],
        problems=[problem(outcome, n) for n, outcome in enumerate([Outcome.DEAD_LETTERED, Outcome.DUPLICATE])],
        commands=[CommandOutcome("cmd-1", "label", "applied", T0, "usr-1")],
        outbox=[announcement(1)],
        review_states={"v": "rejected"},
        guards={four.id: 1},
        absent=frozenset({"user_id:none"}),
    )
    united = merge(one, two, state("user_id:u-0", "user_id:u-1", name="Lan"))
    await store.commit(together(united, changed(three, state("user_id:u-2", name="An")), history), [], T0)
    await store.load(
        LoadRequest(
            frozenset({"user_id:u-1", "user_id:u-9"}),
            frozenset({event("m-1").dedup_key}),
            frozenset({profile_id(1)}),
            frozenset({profile_id(1)}),
            frozenset({f"mrg-{profile_id(1)}"}),
            frozenset({"cmd-1"}),
        )
    )
    await store.mark_published([one.sequence for one in await store.pending_outbox(10)])
    await store.dead_letters_to_replay(["1"])
    await store.mark_replayed(["1"], T0)
    await store.positions("log-1")
    await store.tidy(T0)


async def use_the_reader(reader: ProfileReader) -> None:
    """Every method, lists and searches in every combination that makes a statement of its own; not the digest."""
    sorts: Sequence[ProfileSort] = get_args(ProfileSort)
    for q in ("", "n", "nguyen", "u-1", "user_id:u-1", "0901234", "a-1", profile_id(1), "x"):
        for sort in sorts:
            for label in ("", "vip"):
                for contacts in (True, False):
                    page = await reader.search(ProfileQuery(q, sort=sort, label=label, contacts=contacts, limit=5))
                    if page.next:
                        following = ProfileQuery(q, "identified", label, sort, 5, page.next, contacts)
                        await reader.search(following)
    await reader.find(profile_id(1))
    await reader.find(Identifier("user_id", "u-1"))
    await reader.leaves(profile_id(0))
    leaves = [profile_id(0), profile_id(1)]
    for query in (EventQuery(limit=1), EventQuery("Product Viewed", "track", T0, T0 + 9, 1)):
        page_of_events = await reader.events(leaves, query)
        if page_of_events.next:
            await reader.events(leaves, EventQuery(limit=1, cursor=page_of_events.next))
    await reader.identity_history(leaves)
    await reader.event_by_message([SOURCE, "other"], "m-1")
    await reader.problem_by_message([SOURCE], "p-1")
    await reader.recent_events(name="none")
    await reader.recent_events(after=3, source=SOURCE)
    await reader.problem_events(outcome="dead-lettered")
    for review_state in ("open", "merged", "rejected"):
        await reader.reviews(state=review_state)
    await reader.command("cmd-1")
    await reader.counts()
    await reader.catalogue()
    await reader.series("events", since=T0, bucket="day")
    await reader.top("name", since=T0)
    await reader.last_event_at(SOURCE)
    await reader.positions()


@pytest.mark.parametrize("rare", [0, 20_000], ids=["frequent-label", "rare-label"])
async def test_no_statement_walks_a_growing_table(
    tmp_path: Path, traced: Traced, monkeypatch: pytest.MonkeyPatch, rare: int
) -> None:
    monkeypatch.setattr(lists, "RARE_LABEL", rare)
    path = tmp_path / "profiles.db"
    store = SQLiteProfileStore(path)
    await store.start()
    traced.statements.clear()  # Opening may count bounded tables once.
    await use_the_store(store)
    reader = SQLiteProfileReader(path)
    await reader.start()
    await use_the_reader(reader)
    await reader.close()
    await store.close()
    plans = traced.plans(path)
    assert len(plans) > 60
    walked = {shape: plan for shape, plan in plans.items() if any(GROWING.search(step) for step in plan)}
    assert not walked
    sorting = [
        shape for shape, plan in plans.items() if any(SORTED.search(step) for step in plan) and "INDEXED BY" in shape
    ]
    # Hours of the roll-ups are summed and then sorted by their sums; everything else comes in the order of its index.
    assert not [shape for shape in sorting if "rollups" not in shape]


async def test_a_load_takes_as_many_statements_for_many_as_for_few(tmp_path: Path, traced: Traced) -> None:
    store = SQLiteProfileStore(tmp_path / "profiles.db")
    await store.start()
    connection = store._connection
    assert connection is not None
    counted: list[str] = []
    await store.commit(person(5_000, "user_id:first"), [move(None, 1)], T0)

    async def statements(first: int, count: int, position: int) -> int:
        numbers = range(first, first + count)
        people = together(*(person(n, f"user_id:u-{n}", name=f"Name {n}") for n in numbers))
        events = together(*(applied(profile_id(n), event(f"m-{n}")) for n in numbers))
        await store.commit(together(people, events), [move(position, position + 1)], T0)
        counted.clear()
        request = LoadRequest(
            frozenset(f"user_id:u-{n}" for n in numbers), frozenset(event(f"m-{n}").dedup_key for n in numbers)
        )
        assert len((await store.load(request)).profiles) == count
        return len(counted)

    connection.set_trace_callback(counted.append)
    few = await statements(0, 2, 1)
    many = await statements(2, 3_000, 2)
    assert few == many < 15
    await store.close()
