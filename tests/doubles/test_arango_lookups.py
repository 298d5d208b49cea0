"""What the double looks up is what it would find by looking at everything: in snapshots, after changes, uncommitted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.arangodb.storage.collections import Collection, Database
from tests.doubles.arangodb.storage.documents import Documents, WriteOptions
from tests.doubles.arangodb.storage.query_data import QueryData
from tests.doubles.arangodb.storage.transaction import Engine, Transaction
from tests.doubles.evaluator import evaluate_on

KEYS = st.sampled_from("abcd")
VALUES = st.sampled_from([None, 0, 1, 1.0, "1", [1, 2], [{"y": 1}], {"y": 1}])
STEPS = st.lists(st.tuples(st.sampled_from(["put", "remove", "commit", "abort", "watch"]), KEYS, VALUES), max_size=25)
PAIRS = [
    ("FILTER d.x == @v", "FILTER d.x == @v || false"),
    ("FILTER d.x.y == @v", "FILTER d.x.y == @v || false"),
    ("FILTER d.x IN [@v, 'b']", "FILTER (d.x IN [@v, 'b']) || false"),
    ("FILTER @v IN d.x", "FILTER (@v IN d.x) || false"),
    ("FILTER @v IN d.x[*].y", "FILTER (@v IN d.x[*].y) || false"),
    ("FILTER d._key == @v", "FILTER d._key == @v || false"),
    ("FILTER d._key IN ['a', 'c', @v] && d.x != 0", "FILTER (d._key IN ['a', 'c', @v] && d.x != 0) || false"),
]


@pytest.mark.parametrize(("quick", "slow"), PAIRS)
@given(steps=STEPS, value=VALUES)
def test_quick_and_slow_ways_agree(quick: str, slow: str, steps: list[tuple[str, str, Any]], value: Any) -> None:
    engine, database = Engine(), Database("d", {"c": Collection("c")})
    with engine.monitor:
        running = engine.begin()
        watchers: list[Transaction] = []
        for step, key, content in steps:
            _do(engine, Documents(running, database.collections["c"]), step, key, content)
            if step in ("commit", "abort"):
                running = engine.begin()
            elif step == "watch":
                watchers.append(engine.begin())
            for transaction in (running, *watchers):
                _compare(QueryData(database, transaction), quick, slow, value)


def _compare(data: QueryData, quick: str, slow: str, value: Any) -> None:
    found, wanted = (evaluate_on(data, f"FOR d IN c {each} RETURN d._key", v=value) for each in (quick, slow))
    assert sorted(found) == sorted(wanted)


def _do(engine: Engine, documents: Documents, step: str, key: str, content: Any) -> None:
    if step == "put":
        documents.insert({"_key": key, "x": content}, WriteOptions("replace"))
    elif step == "remove" and documents.find(key):
        documents.remove(key, None, WriteOptions())
    elif step == "commit":
        engine.commit(documents.transaction)
    elif step == "abort":
        engine.abort(documents.transaction)
