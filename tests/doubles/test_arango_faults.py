"""Faults: what the driver and a client of ours see when the server or the way to it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from arango.client import ArangoClient
from arango.collection import StandardCollection
from arango.database import StandardDatabase

from tests.doubles.arango_errors import answered
from tests.doubles.arangodb.double import Double
from tests.doubles.arangodb.faults import Fault, anything, operation
from tests.doubles.conftest import DATABASE, PASSWORD


def test_a_connection_that_ends_before_the_work(double: Double, people: StandardCollection) -> None:
    double.fault(Fault("drop_before", operation("document.insert")))
    with pytest.raises(ConnectionAbortedError):
        people.insert({"_key": "a"})
    assert people.count() == 0


def test_a_connection_that_ends_after_the_work(double: Double, people: StandardCollection) -> None:
    """The client cannot tell the two apart: it has to look."""
    double.fault(Fault("drop_after", operation("document.insert")))
    with pytest.raises(ConnectionAbortedError):
        people.insert({"_key": "a"})
    assert people.has("a")


def test_left_alone_the_driver_sends_everything_again(double: Double, people: StandardCollection) -> None:
    """Three times, writes too: an insert whose answer was lost finds its own document."""
    fault = double.fault(Fault("drop_after", operation("document.insert")))
    client = ArangoClient(hosts=double.url)
    with answered(409, 1210):
        client.db(DATABASE, username="root", password=PASSWORD).collection("people").insert({"_key": "a"})
    client.close()
    assert (fault.hits, double.log.counted()["document.insert"]) == (1, 2)


@pytest.mark.parametrize(("status", "number"), [(409, 1200), (412, 1200), (503, 30), (500, 18), (403, 1004)])
def test_any_error_before_or_after_the_work(
    double: Double, people: StandardCollection, status: int, number: int
) -> None:
    double.fault(Fault("answer_before", operation("document"), status=status, number=number))
    with answered(status, number):
        people.insert({"_key": "a"})
    double.fault(Fault("answer_after", operation("document"), status=status, number=number))
    with answered(status, number):
        people.insert({"_key": "b"})
    assert (people.has("a"), people.has("b")) == (False, True)


def test_a_503_is_a_lost_connection_for_the_driver(double: Double, people: StandardCollection) -> None:
    """Error number 503 with status 503: it looks for another server."""
    double.fault(Fault("answer_before", operation("document.insert")))
    with pytest.raises(ConnectionAbortedError):
        people.insert({})


def test_some_requests_and_not_others(double: Double, people: StandardCollection) -> None:
    fault = double.fault(
        Fault(
            "answer_before",
            operation("document.insert", collection="people"),
            skip=1,
            every=2,
            times=2,
            number=4,
            status=500,
        )
    )
    failed = []
    for place in range(8):
        try:
            people.insert({"_key": str(place)})
        except Exception:  # noqa: BLE001 - which ones fail is what is asked
            failed.append(place)
    assert failed == [2, 4]
    assert fault.hits == 2
    double.faults.clear()
    people.insert({})


def test_a_transaction_that_the_server_has_given_up(
    double: Double, db: StandardDatabase, people: StandardCollection
) -> None:
    """It is the request's own one that goes; the next use is 1654, its end 1653, and nothing of it stays."""
    other = db.begin_transaction(write="people")
    other.collection("people").insert({"_key": "b"})
    mine = db.begin_transaction(write="people")
    mine.collection("people").insert({"_key": "a"})
    double.fault(Fault("lose_transaction", operation("document.update", "transaction.commit")))
    with answered(410, 1654):
        mine.collection("people").update({"_key": "a"})
    with answered(400, 1653):
        mine.commit_transaction()
    assert other.commit_transaction()
    last = db.begin_transaction(write="people")
    last.collection("people").insert({"_key": "c"})
    double.fault(Fault("lose_transaction", operation("transaction.commit")))
    with answered(400, 1653):
        last.commit_transaction()
    assert [people.has(each) for each in "abc"] == [False, True, False]


def test_a_commit_whose_answer_is_lost_has_happened(
    double: Double, db: StandardDatabase, people: StandardCollection
) -> None:
    """Asking again tells: committing twice succeeds."""
    mine = db.begin_transaction(write="people")
    mine.collection("people").insert({"_key": "a"})
    double.fault(Fault("drop_after", operation("transaction.commit")))
    with pytest.raises(ConnectionAbortedError):
        mine.commit_transaction()
    assert people.has("a")
    assert mine.commit_transaction()


def test_slow_answers_hold_up_nobody_else(
    double: Double, people: StandardCollection, connect: Callable[..., StandardDatabase]
) -> None:
    slow = double.fault(Fault("wait", operation("document.insert")))
    other = connect().collection("people")
    waiting = threading.Thread(target=lambda: other.insert({"_key": "slow"}))
    waiting.start()
    assert slow.reached()
    people.insert({"_key": "quick"})
    assert not people.has("slow")
    slow.release()
    waiting.join(30)
    assert people.has("slow")


def test_a_server_that_is_down_and_comes_back_with_its_data(double: Double, people: StandardCollection) -> None:
    people.insert({"_key": "a"})
    double.stop()
    with pytest.raises(ConnectionAbortedError):
        people.get("a")
    double.start()
    assert people.has("a")


def test_the_log_tells_what_a_batch_costs(double: Double, db: StandardDatabase, people: StandardCollection) -> None:
    mark = double.log.mark()
    mine = db.begin_transaction(write="people")
    mine.collection("people").insert_many([{"_key": str(each)} for each in range(50)])
    mine.aql.execute("FOR k IN @keys UPDATE k WITH {n: 1} IN people", bind_vars={"keys": ["1", "2"]})
    mine.commit_transaction()
    entries = double.log.since(mark)
    assert [each.operation for each in entries] == [
        "transaction.begin",
        "document.insert",
        "cursor.create",
        "transaction.commit",
    ]
    assert [each.items for each in entries][1] == 50
    assert {each.transaction for each in entries[1:3]} == {mine.transaction_id}
    assert entries[2].collections == ("people",)
    assert double.log.queries() == {"FOR k IN @keys UPDATE k WITH {n: 1} IN people"}
    assert all(each.status in (201, 202, 200) for each in entries)


def test_many_clients_at_once(
    double: Double, people: StandardCollection, connect: Callable[..., StandardDatabase]
) -> None:
    def work(name: str) -> None:
        own: Any = connect().collection("people")
        for place in range(10):
            own.insert({"_key": f"{name}{place}"})

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert people.count() == 80
    assert anything(double.log.entries[0])
