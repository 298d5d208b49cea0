"""Queries through the real driver: batches, writes with OLD and NEW, options, errors."""

from __future__ import annotations

from typing import Any

import pytest
from arango.collection import StandardCollection
from arango.database import StandardDatabase
from arango.exceptions import AQLQueryExecuteError

from tests.doubles.arango_errors import answered
from tests.doubles.arangodb.double import Double


def ask(db: StandardDatabase, query: str, **bind_vars: Any) -> list[Any]:
    cursor: Any = db.aql.execute(query, bind_vars=bind_vars)
    return list(cursor)


def test_results_come_in_batches(double: Double, db: StandardDatabase) -> None:
    """One request where all fits; else one more for each batch, and the cursor is gone after the last one."""
    mark = double.log.mark()
    assert ask(db, "FOR i IN 1..1000 RETURN i") == list(range(1, 1001))
    assert double.log.counted(mark) == {"cursor.create": 1}
    cursor: Any = db.aql.execute("FOR i IN 1..7 RETURN i", batch_size=3, count=True)
    assert (cursor.count(), cursor.has_more(), len(cursor.batch())) == (7, True, 3)
    assert len(double.server.cursors) == 1
    assert list(cursor) == [1, 2, 3, 4, 5, 6, 7]
    assert double.log.counted(mark)["cursor.next"] == 2
    assert len(double.server.cursors) == 0


def test_a_cursor_is_closed_or_lost(double: Double, db: StandardDatabase) -> None:
    """Closing frees it; asking an unknown one is 1600 (404); unused ones go after their time to live."""
    cursor: Any = db.aql.execute("FOR i IN 1..4 RETURN i", batch_size=2)
    assert cursor.close()
    with answered(404, 1600):
        cursor.fetch()
    lived: Any = 1e-9
    short: Any = db.aql.execute("FOR i IN 1..4 RETURN i", batch_size=2, ttl=lived)
    with answered(404, 1600):
        short.fetch()


def test_a_cursor_keeps_what_it_has_found(db: StandardDatabase, people: StandardCollection) -> None:
    people.insert_many([{"_key": str(each)} for each in range(4)])
    cursor: Any = db.aql.execute("FOR p IN people RETURN p._key", batch_size=1)
    people.truncate()
    assert sorted(cursor) == ["0", "1", "2", "3"]


def test_an_unsorted_read_has_no_order(db: StandardDatabase, people: StandardCollection) -> None:
    """The double gives another one each time, so that nobody gets used to one."""
    people.insert_many([{"_key": str(each)} for each in range(9)])
    orders = {tuple(ask(db, "FOR p IN people RETURN p._key")) for _ in range(4)}
    assert len(orders) > 1
    assert {tuple(sorted(each)) for each in orders} == {tuple("012345678")}


def test_writes_in_queries(db: StandardDatabase, people: StandardCollection) -> None:
    made = ask(db, "FOR k IN @keys INSERT {_key: k, n: 1, o: {a: 1}} INTO people RETURN NEW._key", keys=["a", "b", "c"])
    assert made == ["a", "b", "c"]
    query = "FOR p IN people FILTER p._key != 'c' UPDATE p WITH {n: p.n + 1} IN people RETURN [OLD.n, NEW.n]"
    assert ask(db, query) == [[1, 2], [1, 2]]
    assert sorted(ask(db, "FOR p IN people REMOVE p IN people RETURN OLD._key")) == ["a", "b", "c"]
    assert people.count() == 0


@pytest.mark.parametrize(
    ("write", "left"),
    [
        ("UPDATE 'a' WITH {o: {y: 2}, n: null} IN people", {"n": None, "o": {"x": 1, "y": 2}}),
        ("UPDATE 'a' WITH {n: null} IN people OPTIONS {keepNull: false}", {"o": {"x": 1}}),
        ("UPDATE 'a' WITH {o: {y: 2}} IN people OPTIONS {mergeObjects: false}", {"n": 1, "o": {"y": 2}}),
        ("UPDATE {_key: 'a', n: 2} IN people", {"n": 2, "o": {"x": 1}}),
        ("REPLACE 'a' WITH {z: 1} IN people", {"z": 1}),
        ("REPLACE {_key: 'a', z: 1} IN people", {"z": 1}),
        ("INSERT {_key: 'a', z: 1} INTO people OPTIONS {overwriteMode: 'ignore'}", {"n": 1, "o": {"x": 1}}),
        ("INSERT {_key: 'a', z: 1} INTO people OPTIONS {overwriteMode: 'replace'}", {"z": 1}),
        ("INSERT {_key: 'a', z: 1} INTO people OPTIONS {overwriteMode: 'update'}", {"n": 1, "o": {"x": 1}, "z": 1}),
    ],
)
def test_what_is_left_after_a_write(
    db: StandardDatabase, people: StandardCollection, write: str, left: dict[str, Any]
) -> None:
    """Update merges objects and keeps nulls unless told otherwise; replace keeps nothing but the key."""
    people.insert({"_key": "a", "n": 1, "o": {"x": 1}})
    ask(db, write)
    assert ask(db, "FOR p IN people RETURN UNSET(p, '_rev', '_id', '_key')") == [left]


def test_what_an_insert_shows_of_old_and_new(db: StandardDatabase, people: StandardCollection) -> None:
    people.insert({"_key": "a", "z": 0})
    ignored = "INSERT {_key: 'a', z: 1} INTO people OPTIONS {overwriteMode: 'ignore'} RETURN NEW"
    assert ask(db, ignored) == [None]
    updated = "INSERT {_key: 'a', z: 1} INTO people OPTIONS {overwriteMode: 'update'} RETURN [OLD.z, NEW.z]"
    assert ask(db, updated) == [[0, 1]]


@pytest.mark.parametrize(
    ("query", "status", "number"),
    [
        ("INSERT {_key: 'a'} INTO people", 409, 1210),
        ("UPDATE 'x' WITH {} IN people", 404, 1202),
        ("REMOVE 'x' IN people", 404, 1202),
        ("UPDATE {n: 1} IN people", 400, 1226),
        ("REMOVE 'people/a' IN people", 400, 1221),
        ("REMOVE 5 IN people", 400, 1221),
        ("INSERT 5 INTO people", 400, 1227),
        ("UPDATE {_key: 'a', _rev: 'old'} WITH {n: 1} IN people OPTIONS {ignoreRevs: false}", 409, 1200),
        ("INSERT {} INTO nowhere", 404, 1203),
        ("RETURN d.filter", 400, 1501),
        ("RETURN @x", 400, 1551),
    ],
)
def test_errors_of_queries(
    db: StandardDatabase, people: StandardCollection, query: str, status: int, number: int
) -> None:
    """A query that fails leaves nothing behind. A revision that does not match is 409 here, not 412."""
    people.insert({"_key": "a", "n": 0})
    with answered(status, number):
        ask(db, query)
    assert ask(db, "FOR p IN people RETURN p.n") == [0]


def test_revisions_are_ignored_unless_asked_for(db: StandardDatabase, people: StandardCollection) -> None:
    meta: Any = people.insert({"_key": "a"})
    ask(db, "UPDATE {_key: 'a', _rev: 'old'} WITH {n: 1} IN people")
    current = ask(db, "FOR p IN people RETURN p._rev")[0]
    assert current != meta["_rev"]
    query = "UPDATE {_key: 'a', _rev: @r} WITH {n: 2} IN people OPTIONS {ignoreRevs: false} RETURN NEW.n"
    assert ask(db, query, r=current) == [2]


def test_errors_can_be_ignored_and_are_counted(db: StandardDatabase, people: StandardCollection) -> None:
    people.insert({"_key": "b"})
    cursor: Any = db.aql.execute("FOR k IN ['a', 'b', 'c'] INSERT {_key: k} INTO people OPTIONS {ignoreErrors: true}")
    assert (cursor.statistics()["modified"], cursor.statistics()["ignored"]) == (2, 1)
    assert people.count() == 3


def test_warnings_become_errors_when_asked(db: StandardDatabase) -> None:
    cursor: Any = db.aql.execute("RETURN 1 / 0")
    assert cursor.next() is None
    assert [each["code"] for each in cursor.warnings()] == [1562]
    with pytest.raises(AQLQueryExecuteError) as caught:
        db.aql.execute("RETURN 1 / 0", fail_on_warning=True)
    assert caught.value.error_code == 1562


def test_numbers_and_text_survive_the_way(db: StandardDatabase) -> None:
    given = [9007199254740993, -1, 1.5, 1e300, "đ\u0000\U0001f600", None, True, {"": []}]
    assert ask(db, "RETURN @x", x=given) == [given]
    assert ask(db, "RETURN [@a / @b, 2 * 1.5]", a=4, b=2) == [[2, 3]]
