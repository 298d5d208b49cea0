"""No statement of the reader, of a load or of a commit walks a table that grows with people or events."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

import pytest

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.profiles import connection as opening
from leocdp.adapters.sqlite.profiles import lists
from leocdp.adapters.sqlite.segments import functions, questions
from leocdp.domain.decisions import (
    AudienceWrite,
    Changes,
    CommandOutcome,
    LoadRequest,
    MemberWrite,
    RefusalRecord,
    ReviewPair,
    SwitchRecord,
)
from leocdp.domain.events import Outcome
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.segments.audience import SHARDS, Audience
from leocdp.domain.segments.parse import parse_condition
from leocdp.ports.profile_reader import EventQuery, ProfileQuery, ProfileReader, ProfileSort, Question
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
    r"\b(?:SCAN)\s+(?:\w+\.)?(profiles|p|r|events|identifiers|texts|labels|l|members|m|history|h|history_of|o|dedup_\d+)\b"
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
        for name, arguments in functions.SCALARS.items():
            connection.create_function(name, arguments, lambda *_: 0)
        connection.create_aggregate(functions.AGGREGATE, functions.AGGREGATED, cast(Any, functions.Collected))
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
    audience = Audience(generation=1, due=T0, members={"sgm_a:1": T0})
    await store.commit(
        Changes(
            audiences=[AudienceWrite(profile_id(n), 1, audience) for n in range(4, 40)],
            members=[MemberWrite("sgm_a:1", profile_id(n), T0 if n % 2 else None) for n in range(4, 60)],
        ),
        [],
        T0,
    )
    for shards in (range(SHARDS), range(5)):
        await store.people_due(shards, T0, 10)
        await store.people_behind(shards, 1, 10)
    leaves = {profile_id(0): [profile_id(0), profile_id(1)], profile_id(3): [profile_id(3)]}
    await store.person_events(leaves, names={"Product Viewed"}, types={"page"})
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
    members = await reader.members("sgm_a:1", limit=3)
    await reader.members("sgm_a:1", limit=3, cursor=members.next)
    await reader.member_ids("sgm_a:1", after=None, limit=3)
    await reader.member_ids("sgm_a:1", after=profile_id(5), limit=3)
    await reader.member_count("sgm_a:1")
    await reader.overlap(["sgm_a:1", "sgm_none:1"])
    await reader.member_series("sgm_a:1", since=T0, bucket="day")
    await reader.people_behind(1)
    await reader.event_facts(leaves, names={"Product Viewed"}, types=set())


EVENT_CONDITIONS: Sequence[Any] = (
    {"event": "Product Viewed", "count": {"is": "gte", "value": 2}, "within": "30d"},
    {"event": "Product Viewed", "count": {"is": "eq", "value": 0}, "between": ["2026-01-01", "2026-12-31"]},
    {"event": "Product Viewed", "where": [{"property": "total", "is": "gt", "value": 5}]},
    {"type": "page"},
    {"event": "Product Viewed", "first": True, "within": "14d"},
    {"event": "Product Viewed", "pick": "last", "property": "total", "is": "exists"},
    {
        "event": "Product Viewed",
        "aggregate": {"fn": "sum", "property": "total"},
        "is": "gt",
        "value": 5,
        "within": "7d",
    },
    {"event": "Product Viewed", "on_at_least": 3, "of_last": 7, "unit": "days"},
    {
        "sequence": [{"event": "Product Viewed"}, {"event": "Order Completed", "not": True}],
        "within": "2h",
        "since": "3d",
    },
)
STATE_CONDITIONS: Sequence[Any] = (
    {"everyone": True},
    {"trait": "plan", "is": "eq", "value": "pro"},
    {"label": "vip", "is": "in"},
    {"list": "lst_a", "is": "not_in"},
    {"segment": "sgm_a", "is": "in"},
    {"segment": "sgm_none", "is": "in"},
    {"status": "identified"},
    {"bucket": {"salt": "s", "from": 0, "to": 50}},
    {"any": [{"not": {"trait": "plan", "is": "exists"}}, {"event": "Product Viewed"}, {"label": "vip", "is": "in"}]},
)


async def ask_everybody(reader: ProfileReader) -> None:
    for data in (*EVENT_CONDITIONS, *STATE_CONDITIONS):
        question = Question(parse_condition(data), T0, ZoneInfo("Asia/Ho_Chi_Minh"), {"sgm_a": 1})
        await reader.size_of(question, sample=True)
        await reader.matching(question, limit=3)


async def test_a_question_reads_people_by_their_numbers_or_the_sample_and_events_by_person_and_time(
    tmp_path: Path, traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "profiles.db"
    store = SQLiteProfileStore(path)
    await store.start()
    await use_the_store(store)
    monkeypatch.setattr(questions, "SMALL", 10)
    reader = SQLiteProfileReader(path)
    await reader.start()
    traced.statements.clear()
    await ask_everybody(reader)
    await reader.close()
    await store.close()
    plans = traced.plans(path)
    # A condition that is true or false of everybody is bound; written out, it has another plan.
    asked = {shape: plan for shape, plan in plans.items() if "AS p" in shape and "AND (?)" not in shape}
    assert len(asked) > 2 * len(EVENT_CONDITIONS)
    walks = re.compile(r"SCAN (?!p USING (?:COVERING )?INDEX profiles_sample|CONSTANT ROW)(p|e|l|m|b|c|k)\b")
    assert not {shape: plan for shape, plan in asked.items() if any(walks.search(step) for step in plan)}
    by_events = {shape: plan for shape, plan in asked.items() if "events AS e" in shape}
    assert len(by_events) >= 2 * len(EVENT_CONDITIONS)
    for plan in by_events.values():
        [step] = {one for one in plan if "SEARCH e " in one}
        assert step.startswith(
            ("SEARCH e USING INDEX events_leaf (leaf=?", "SEARCH e USING COVERING INDEX events_leaf")
        )
    windowed = [
        step for shape, plan in by_events.items() if "timestamp >" in shape for step in plan if "SEARCH e" in step
    ]
    assert windowed
    assert all("timestamp>?" in step for step in windowed)


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
