"""Stream transactions through the real driver: snapshots, conflicts, atomic ends, ids that are gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from arango.collection import StandardCollection
from arango.database import StandardDatabase, TransactionDatabase
from arango.exceptions import ArangoServerError

from tests.doubles.arango_errors import answered
from tests.doubles.arangodb.double import Double
from tests.doubles.arangodb.faults import Fault, operation

BOTH = ["people", "events"]


@pytest.fixture
def events(db: StandardDatabase, people: StandardCollection) -> StandardCollection:
    made = db.create_collection("events", shard_like="people")
    assert isinstance(made, StandardCollection)
    return made


def begin(db: StandardDatabase, **access: Any) -> TransactionDatabase:
    return db.begin_transaction(**(access or {"write": "people"}))


def test_what_it_does_is_its_own_until_the_end(db: StandardDatabase, people: StandardCollection) -> None:
    """Reads inside see one's own writes, others see nothing of them, and the commit shows all at once."""
    mine = begin(db)
    mine.collection("people").insert_many([{"_key": "a", "n": 1}, {"_key": "b"}])
    assert mine.collection("people").count() == 2
    assert list(mine.aql.execute("FOR p IN people FILTER p.n == 1 RETURN p._key")) == ["a"]  # type: ignore[arg-type]
    assert people.count() == 0
    assert people.get("a") is None
    mine.commit_transaction()
    assert people.count() == 2
    assert mine.transaction_status() == "committed"


def test_nothing_is_left_of_what_was_aborted(db: StandardDatabase, people: StandardCollection) -> None:
    people.add_index({"type": "persistent", "fields": ["mail"], "unique": True, "sparse": True})
    people.insert({"_key": "a", "n": 1, "mail": "x"})
    mine = begin(db)
    mine.collection("people").update({"_key": "a", "n": 2, "mail": "y"})
    mine.collection("people").insert({"_key": "b", "mail": "x"})
    mine.aql.execute("FOR p IN people REMOVE p IN people")
    assert mine.collection("people").count() == 0
    mine.abort_transaction()
    found: Any = people.get("a")
    assert (people.count(), found["n"], found["mail"]) == (1, 1, "x")
    people.insert({"_key": "b", "mail": "y"})
    assert mine.transaction_status() == "aborted"


def test_the_snapshot_does_not_move(db: StandardDatabase, people: StandardCollection) -> None:
    """Commits of others after the beginning stay out of sight, in every way of reading."""
    people.insert_many([{"_key": "a", "n": 1}, {"_key": "b"}])
    mine = begin(db, read="people")
    people.update({"_key": "a", "n": 2})
    people.delete("b")
    people.insert({"_key": "c"})
    inside = mine.collection("people")
    found: Any = inside.get("a")
    assert (found["n"], inside.has("b"), inside.has("c"), inside.count()) == (1, True, False, 2)
    assert sorted(mine.aql.execute("FOR p IN people RETURN p._key")) == ["a", "b"]  # type: ignore[arg-type]
    assert len(inside.get_many(["a", "b", "c"])) == 2  # type: ignore[arg-type]
    assert mine.aql.execute("RETURN LENGTH(people)").next() == 2  # type: ignore[union-attr]


def test_who_writes_what_another_has_written_since_loses(db: StandardDatabase, people: StandardCollection) -> None:
    """A write-write conflict: 409, number 1200. The loser's transaction goes on until somebody aborts it."""
    people.insert_many([{"_key": "a", "n": 1}, {"_key": "b", "n": 1}])
    mine = begin(db)
    people.update({"_key": "a", "n": 2})
    with answered(409, 1200):
        mine.collection("people").update({"_key": "a", "n": 3})
    mine.collection("people").update({"_key": "b", "n": 3})
    mine.commit_transaction()
    assert [people.get(each)["n"] for each in "ab"] == [2, 3]  # type: ignore[index]


def test_a_key_that_came_after_the_snapshot_is_a_conflict_not_a_duplicate(
    db: StandardDatabase, people: StandardCollection
) -> None:
    mine = begin(db)
    people.insert({"_key": "a"})
    with answered(409, 1200):
        mine.collection("people").insert({"_key": "a"})
    with answered(409, 1200):
        mine.collection("people").insert({"_key": "a"}, overwrite_mode="ignore")


def test_a_document_that_a_transaction_holds_is_a_conflict_at_once(
    db: StandardDatabase, people: StandardCollection
) -> None:
    """Many documents, AQL and other transactions do not wait; each reports 1200 in its own way."""
    people.insert_many([{"_key": "a"}, {"_key": "b"}])
    holder = begin(db)
    holder.collection("people").update({"_key": "a", "n": 1})
    other = begin(db)
    with answered(409, 1200):
        other.collection("people").update({"_key": "a"})
    with answered(409, 1200):
        db.aql.execute("UPDATE 'a' WITH {n: 2} IN people")
    many: Any = people.update_many([{"_key": "a"}, {"_key": "b", "n": 5}])
    assert (many[0].error_code, many[1]["_key"]) == (1200, "b")
    inside: Any = other.collection("people").insert_many([{"_key": "a"}, {"_key": "c"}])
    assert (inside[0].error_code, inside[1]["_key"]) == (1200, "c")
    holder.commit_transaction()


def test_a_single_document_outside_waits_for_the_lock(
    double: Double, db: StandardDatabase, people: StandardCollection, connect: Callable[..., StandardDatabase]
) -> None:
    """Up to a second; it then works on what the holder has committed, and gets 1200 if that takes longer."""
    people.insert({"_key": "a", "n": 1})
    holder = begin(db)
    holder.collection("people").update({"_key": "a", "n": 2})
    with answered(409, 1200):
        people.update({"_key": "a", "m": 1})
    results: list[Any] = []
    waiting = threading.Thread(
        target=lambda: results.append(connect().collection("people").update({"_key": "a", "m": 1}, return_new=True))
    )
    mark = double.log.mark()
    waiting.start()
    while not double.log.counted(mark)["document.update"]:
        waiting.join(0.001)
    holder.commit_transaction()
    waiting.join(30)
    assert (results[0]["new"]["n"], results[0]["new"]["m"]) == (2, 1)


def test_unique_values_are_locked_like_keys(db: StandardDatabase, people: StandardCollection) -> None:
    people.add_index({"type": "persistent", "fields": ["mail"], "unique": True})
    people.insert({"_key": "a", "mail": "x"})
    one, two = begin(db), begin(db)
    one.collection("people").insert({"_key": "b", "mail": "y"})
    with answered(409, 1200):
        two.collection("people").insert({"_key": "c", "mail": "y"})
    with answered(409, 1210):
        two.collection("people").insert({"_key": "c", "mail": "x"})
    one.commit_transaction()
    with answered(409, 1200):
        two.collection("people").insert({"_key": "c", "mail": "y"})


def test_a_value_moves_from_one_document_to_another_in_one_transaction(
    db: StandardDatabase, people: StandardCollection
) -> None:
    people.add_index({"type": "persistent", "fields": ["mail"], "unique": True})
    people.insert_many([{"_key": "a", "mail": "x"}, {"_key": "b", "mail": "y"}])
    mine = begin(db)
    mine.collection("people").update({"_key": "a", "mail": "z"})
    mine.collection("people").update({"_key": "b", "mail": "x"})
    mine.commit_transaction()
    assert people.get("b")["mail"] == "x"  # type: ignore[index]
    with answered(409, 1210):
        people.insert({"mail": "x"})


def test_reading_guards_nothing(db: StandardDatabase, people: StandardCollection) -> None:
    """Write skew is possible: who relies on a document has to write it, or check its revision in a write."""
    people.insert_many([{"_key": "a", "on": True}, {"_key": "b", "on": True}])
    one, two = begin(db), begin(db)
    for mine, read, write in ((one, "a", "b"), (two, "b", "a")):
        assert mine.collection("people").get(read)["on"]  # type: ignore[index]
        mine.collection("people").update({"_key": write, "on": False})
    one.commit_transaction()
    two.commit_transaction()
    assert not any(each["on"] for each in people.all())  # type: ignore[union-attr]


def test_only_declared_collections_are_written(
    db: StandardDatabase, people: StandardCollection, events: StandardCollection
) -> None:
    """1652 otherwise, with 400; read access is not write access."""
    mine = begin(db, read="events", write="people", allow_implicit=False)
    for change in (
        lambda: mine.collection("events").insert({}),
        lambda: mine.collection("events").insert_many([{}]),
        lambda: mine.aql.execute("INSERT {} INTO events"),
    ):
        with answered(400, 1652):
            change()
    other = begin(db, write="people", allow_implicit=False)
    with answered(400, 1652):
        other.collection("events").get("x")
    with answered(404, 1203):
        begin(db, write="nowhere")


def test_an_exclusive_collection_has_one_writer(db: StandardDatabase, people: StandardCollection) -> None:
    """Readers go on; other writers wait for ``lockTimeout`` and get 18 (500)."""
    holder = begin(db, exclusive="people")
    assert people.count() == 0
    with answered(500, 18):
        begin(db, write="people", lock_timeout=0.01)
    holder.abort_transaction()
    shared = begin(db)
    begin(db)
    with answered(500, 18):
        begin(db, exclusive="people", lock_timeout=0.01)
    shared.abort_transaction()


def test_ending_twice(db: StandardDatabase, people: StandardCollection) -> None:
    """The same way succeeds; the other way is 1653 (400); using one then is 1654 (410), an unknown one 1655 (404)."""
    done, gone = begin(db), begin(db)
    assert done.commit_transaction()
    assert done.commit_transaction()
    with answered(400, 1653):
        done.abort_transaction()
    gone.abort_transaction()
    assert gone.abort_transaction()
    with answered(400, 1653):
        gone.commit_transaction()
    for ended in (done, gone):
        with answered(410, 1654):
            ended.collection("people").insert({})
    with answered(404, 1655):
        db.fetch_transaction("4711")


def test_an_unused_one_is_aborted_by_the_server(
    double: Double, db: StandardDatabase, people: StandardCollection
) -> None:
    """After 60 seconds without a request; its writes are gone and its locks free."""
    now = [0.0]
    double.server.sessions._clock = lambda: now[0]
    mine, other = begin(db), begin(db)
    mine.collection("people").insert({"_key": "a"})
    now[0] = 59.0
    other.collection("people").insert({"_key": "b"})
    now[0] = 61.0
    with answered(410, 1654):
        mine.collection("people").insert({"_key": "c"})
    with answered(400, 1653):
        mine.commit_transaction()
    other.commit_transaction()
    people.insert({"_key": "a"})
    assert people.count() == 2


def test_a_restart_forgets_them(double: Double, db: StandardDatabase, people: StandardCollection) -> None:
    people.insert({"_key": "a"})
    mine = begin(db)
    mine.collection("people").insert({"_key": "b"})
    double.stop()
    double.start()
    with answered(404, 1655):
        mine.commit_transaction()
    assert people.count() == 1


def test_a_failed_query_keeps_what_it_wrote(db: StandardDatabase, people: StandardCollection) -> None:
    """Inside a transaction, so who goes on would commit half of it; outside of one the query is all or nothing."""
    people.insert({"_key": "2"})
    half = "FOR k IN ['1', '2'] INSERT {_key: k} INTO people"
    with answered(409, 1210):
        db.aql.execute(half)
    assert people.count() == 1
    mine = begin(db)
    with answered(409, 1210):
        mine.aql.execute(half)
    assert mine.collection("people").count() == 2
    mine.abort_transaction()
    assert people.count() == 1


def test_a_transaction_serves_one_request_at_a_time(
    double: Double, db: StandardDatabase, people: StandardCollection, connect: Callable[..., StandardDatabase]
) -> None:
    """Who comes while another request is inside gets 28 (500) after a while: 8 seconds, here none."""
    double.server.sessions.parallel_wait = 0.0
    mine = begin(db)
    slow = double.fault(Fault("wait", operation("document.insert")))
    twin = connect().fetch_transaction(mine.transaction_id)
    first = threading.Thread(target=lambda: mine.collection("people").insert({"_key": "a"}))
    first.start()
    assert slow.reached()
    with answered(500, 28):
        twin.collection("people").update({"_key": "a"})
    slow.release()
    first.join(30)
    mine.commit_transaction()
    assert people.count() == 1


def test_twenty_writers_on_one_counter(
    double: Double, people: StandardCollection, connect: Callable[..., StandardDatabase]
) -> None:
    """Compare and set by revision, inside transactions, from as many clients: no increment is lost."""
    people.insert({"_key": "n", "n": 0})
    threads = [threading.Thread(target=_count_up, args=(connect(),)) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert people.get("n")["n"] == 20  # type: ignore[index]


def _count_up(db: StandardDatabase) -> None:
    while True:
        mine = begin(db)
        inside = mine.collection("people")
        found: Any = inside.get("n")
        (done,) = inside.update_many([{"_key": "n", "_rev": found["_rev"], "n": found["n"] + 1}])  # type: ignore[misc]
        if not isinstance(done, ArangoServerError):
            mine.commit_transaction()
            return
        assert done.error_code == 1200
        mine.abort_transaction()
