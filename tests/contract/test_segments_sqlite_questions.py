"""Questions on the embedded store: estimates from the sample, the largest conditions, and what stands in their SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.segments import questions
from leocdp.adapters.sqlite.segments.printer import print_condition
from leocdp.domain.segments.audience import sample_of
from leocdp.domain.segments.limits import MOST_DEPTH, MOST_NODES
from leocdp.domain.segments.nodes import EventCount, EventQuery, InSegment, Label, Node, Not, NumberTest, Span
from leocdp.domain.segments.parse import parse_condition
from leocdp.ports.profile_reader import Question
from tests.contract.builders import T0, applied, event, person, profile_id, together
from tests.contract.profile_backend import write

PEOPLE = 3_000
UTC = ZoneInfo("UTC")
SENTINEL = "zq'\"x"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteProfileStore]:
    store = SQLiteProfileStore(tmp_path / "profiles.db")
    await store.start()
    yield store
    await store.close()


@pytest.fixture
async def reader(tmp_path: Path, store: SQLiteProfileStore) -> AsyncIterator[SQLiteProfileReader]:
    reader = SQLiteProfileReader(tmp_path / "profiles.db")
    await reader.start()
    yield reader
    await reader.close()


def asked(data: Any) -> Question:
    return Question(parse_condition(data), T0, UTC)


def trait(value: Any) -> dict[str, Any]:
    return {"trait": "third", "is": "eq", "value": value}


async def fill(store: SQLiteProfileStore) -> None:
    """A third of the people has ``third``; every second one has an event."""
    people = [person(n, traits={"third": n % 3 == 0}) for n in range(PEOPLE)]
    events = [applied(profile_id(n), event(f"m-{n}")) for n in range(0, PEOPLE, 2)]
    await write(store, together(*people, *events))


async def test_a_large_workspace_is_estimated_from_the_sample(
    store: SQLiteProfileStore, reader: SQLiteProfileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    monkeypatch.setattr(questions, "SMALL", PEOPLE - 1)
    sampled = [n for n in range(PEOPLE) if sample_of(profile_id(n)) < 16]
    for data, numbers in (
        (trait(True), [n for n in sampled if n % 3 == 0]),
        ({"event": "Product Viewed"}, [n for n in sampled if n % 2 == 0]),
        ({"not": {"everyone": True}}, []),
    ):
        size = await reader.size_of(asked(data), sample=True)
        assert (size.count, size.exact) == (round(len(numbers) / len(sampled) * PEOPLE), False)
        assert 0 < size.error < PEOPLE / 2
        exact = await reader.size_of(asked(data), sample=False)
        assert exact.exact
        assert abs(exact.count - size.count) <= size.error
    assert (await reader.size_of(asked(trait(True)), sample=False)).count == PEOPLE // 3


async def test_people_of_the_sample_are_shown_first(store: SQLiteProfileStore, reader: SQLiteProfileReader) -> None:
    await fill(store)
    sampled = {profile_id(n) for n in range(0, PEOPLE, 3) if sample_of(profile_id(n)) < 16}
    found = [one.id for one in await reader.matching(asked(trait(True)), limit=len(sampled) + 5)]
    assert set(found[: len(sampled)]) == sampled
    assert len(set(found)) == len(sampled) + 5


async def test_people_are_asked_in_steps(
    store: SQLiteProfileStore, reader: SQLiteProfileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    monkeypatch.setattr(questions, "STEP", 700)
    assert (await reader.size_of(asked(trait(True)), sample=False)).count == PEOPLE // 3
    assert len(await reader.matching(asked(trait(True)), limit=PEOPLE)) == PEOPLE // 3


async def test_the_largest_conditions_are_no_problem(store: SQLiteProfileStore, reader: SQLiteProfileReader) -> None:
    await fill(store)
    steps = [{"event": "Product Viewed", "where": [trait_of_event(n)]} for n in range(9)]
    sequence = {"sequence": [*steps, {"event": "Product Viewed", "not": True}], "within": "2h", "since": "3d"}
    deep: dict[str, Any] = {"any": [sequence, trait(True)]}
    for level in range(MOST_DEPTH - 2):
        deep = {"not": deep} if level % 2 else {"all": [deep, {"everyone": True}]}
    size = await reader.size_of(asked(deep), sample=False)
    turned = (MOST_DEPTH - 2) // 2 % 2 == 1
    assert size.count == (PEOPLE - PEOPLE // 3 if turned else PEOPLE // 3)
    wide = {"any": [{"event": f"Product {n}"} for n in range(MOST_NODES - 2)] + [trait(True)]}
    assert (await reader.size_of(asked(wide), sample=False)).count == PEOPLE // 3
    listed = {"trait": "third", "is": "in", "value": [f"text {n}" for n in range(900)] + [True]}
    assert (await reader.size_of(asked(listed), sample=False)).count == PEOPLE // 3


def trait_of_event(number: int) -> dict[str, Any]:
    return {"property": f"p{number}", "is": "gte", "value": number}


CONDITIONS: tuple[Any, ...] = (
    {"trait": SENTINEL, "is": "eq", "value": SENTINEL},
    {"event": SENTINEL, "where": [{"property": SENTINEL, "is": "in", "value": [SENTINEL]}], "within": "7d"},
    {"event": SENTINEL, "pick": "last", "property": SENTINEL, "is": "contains", "value": SENTINEL},
    {"event": SENTINEL, "aggregate": {"fn": "most_frequent", "property": SENTINEL}, "is": "eq", "value": SENTINEL},
    {"sequence": [{"event": SENTINEL}, {"event": SENTINEL}], "within": "1h", "same": SENTINEL},
    {"label": SENTINEL, "is": "in"},
    {"list": "lst_a", "is": "in"},
    {"bucket": {"salt": SENTINEL, "from": 0, "to": 50}},
    {"place": "city", "is": "eq", "value": SENTINEL},
)


@pytest.mark.parametrize("data", CONDITIONS, ids=lambda data: next(iter(data)))
async def test_nothing_of_a_condition_stands_in_the_text(
    data: Any, store: SQLiteProfileStore, reader: SQLiteProfileReader
) -> None:
    await write(store, person(1, traits={SENTINEL: SENTINEL}))
    for question in (asked(data), asked({"not": data})):
        assert SENTINEL not in print_condition(question).text
        assert (await reader.size_of(question, sample=False)).exact


async def test_half_of_a_surrogate_pair_is_nobodys_name(store: SQLiteProfileStore, reader: SQLiteProfileReader) -> None:
    await fill(store)
    broken = "\ud800"
    nodes: tuple[Node, ...] = (
        Label(broken),
        InSegment(broken),
        EventCount(EventQuery(broken), NumberTest("gte", 1), Span()),
    )
    for node in nodes:
        for each, expected in ((node, 0), (Not(node), PEOPLE)):
            question = Question(each, T0, UTC, {broken: 1})
            assert (await reader.size_of(question, sample=False)).count == expected
