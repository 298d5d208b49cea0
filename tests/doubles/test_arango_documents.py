"""Documents through the real driver: keys, revisions, merging, many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from arango.collection import StandardCollection
from arango.database import StandardDatabase
from arango.exceptions import ArangoServerError, DocumentInsertError, DocumentRevisionError

from tests.doubles.arango_errors import answered
from tests.doubles.arangodb.double import Double


def test_a_document_goes_in_and_comes_out(people: StandardCollection) -> None:
    meta: Any = people.insert({"_key": "lan", "age": 31, "name": "Đỗ Lan"}, return_new=True)
    assert meta["_id"] == "people/lan"
    assert (
        people.get("lan")
        == meta["new"]
        == {"_key": "lan", "_id": "people/lan", "_rev": meta["_rev"], "age": 31, "name": "Đỗ Lan"}
    )
    assert people.has("lan")
    assert not people.has("mai")
    assert people.get("mai") is None
    assert people.count() == 1


def test_a_key_that_is_there_is_1210(people: StandardCollection) -> None:
    """409, number 1210; the document stays as it was."""
    people.insert({"_key": "lan", "n": 1})
    with answered(409, 1210):
        people.insert({"_key": "lan", "n": 2})
    found: Any = people.get("lan")
    assert found["n"] == 1


@pytest.mark.parametrize("key", ["", "a b", "a/b", "x" * 255, "đ", 5])
def test_keys_have_an_alphabet_and_a_length(people: StandardCollection, key: Any) -> None:
    """1 to 254 of letters, digits and some punctuation."""
    with answered(400, 1221):
        people.insert({"_key": key})


def test_keys_of_every_allowed_sign(people: StandardCollection) -> None:
    key = "aZ09_-.@()+,=;$!*':"
    people.insert({"_key": key})
    assert people.has(key)


def test_a_missing_key_is_made_up(people: StandardCollection) -> None:
    first, second = people.insert({}), people.insert({})
    assert first["_key"] != second["_key"]  # type: ignore[index]


def test_overwrite_modes(people: StandardCollection) -> None:
    """ignore writes nothing and gives a null for the new one; replace and update change what is there."""
    people.insert({"_key": "k", "a": 1, "deep": {"x": 1}})
    ignored: Any = people.insert({"_key": "k", "a": 2}, overwrite_mode="ignore", return_new=True, return_old=True)
    assert ignored["new"] is None
    assert "old" not in ignored
    updated: Any = people.insert(
        {"_key": "k", "deep": {"y": 2}, "a": None},
        overwrite_mode="update",
        keep_none=False,
        merge=True,
        return_new=True,
    )
    assert {name: value for name, value in updated["new"].items() if name[0] != "_"} == {"deep": {"x": 1, "y": 2}}
    assert updated["_old_rev"] == ignored["_rev"]
    replaced: Any = people.insert({"_key": "k", "b": 1}, overwrite_mode="replace", return_new=True, return_old=True)
    assert replaced["old"]["deep"] == {"x": 1, "y": 2}
    assert "deep" not in replaced["new"]
    with pytest.raises(DocumentInsertError):
        people.insert({"_key": "k"}, overwrite_mode="conflict")


def test_update_merges_objects_and_replaces_arrays(people: StandardCollection) -> None:
    people.insert({"_key": "k", "o": {"a": 1, "b": 1}, "l": [1, 2], "n": 1})
    people.update({"_key": "k", "o": {"a": 2}, "l": [3], "n": None})
    assert _content(people, "k") == {"o": {"a": 2, "b": 1}, "l": [3], "n": None}
    people.update({"_key": "k", "o": {"c": None}, "n": None}, merge=False, keep_none=False)
    assert _content(people, "k") == {"o": {}, "l": [3]}
    people.replace({"_key": "k", "z": 1})
    assert _content(people, "k") == {"z": 1}


def test_every_write_gives_another_revision_and_none_can_be_guessed_from_the_last(people: StandardCollection) -> None:
    people.insert({"_key": "k"})
    seen = [people.update({"_key": "k"}, check_rev=False)["_rev"] for _ in range(20)]  # type: ignore[index]
    assert len(set(seen)) == 20
    assert seen != sorted(seen)


def test_an_old_revision_is_412_with_the_number_of_a_conflict(people: StandardCollection) -> None:
    """412, number 1200, and the current revision in the answer; ignored unless it is asked for."""
    first: Any = people.insert({"_key": "k", "n": 0})
    people.update({"_key": "k", "n": 1})
    old = {"_key": "k", "_rev": first["_rev"], "n": 2}
    for change in (people.update, people.replace, people.delete):
        with pytest.raises(DocumentRevisionError) as caught:
            change(old)
        assert (caught.value.http_code, caught.value.error_code) == (412, 1200)
        current: Any = people.get("k")
        assert caught.value.response.body["_rev"] == current["_rev"]
    with pytest.raises(DocumentRevisionError):
        people.get({"_key": "k", "_rev": first["_rev"]})
    people.update(old, check_rev=False)
    assert _content(people, "k") == {"n": 2}
    people.delete({"_key": "k", "_rev": people.get("k")["_rev"]})  # type: ignore[index]
    assert people.count() == 0


def test_what_is_not_there_is_1202(people: StandardCollection) -> None:
    for change in (people.update, people.replace, people.delete):
        with answered(404, 1202):
            change({"_key": "none"})
    assert people.delete("none", ignore_missing=True) is False


def test_of_many_each_stands_for_itself(people: StandardCollection) -> None:
    """The answer has an item for each document, in their order; the request itself succeeds."""
    people.insert({"_key": "b", "n": 0})
    found: Any = people.insert_many([{"_key": "a"}, {"_key": "b"}, {"_key": "a"}, {"_key": "c c"}, {"_key": "d"}])
    assert [_outcome(each) for each in found] == ["a", 1210, 1210, 1221, "d"]
    assert people.count() == 3
    changed: Any = people.update_many([{"_key": "a", "n": 1}, {"_key": "x"}, {"_key": "b", "_rev": "_old", "n": 5}])
    assert [_outcome(each) for each in changed] == ["a", 1202, 1200]
    removed: Any = people.delete_many([{"_key": "a"}, {"_key": "x"}, {"_key": "d"}])
    assert [_outcome(each) for each in removed] == ["a", 1202, "d"]
    assert _content(people, "b") == {"n": 0}


def test_the_same_key_twice_in_a_request_is_applied_in_order(people: StandardCollection) -> None:
    people.insert({"_key": "a"})
    people.update_many([{"_key": "a", "n": 1}, {"_key": "a", "n": 2, "m": 1}])
    assert _content(people, "a") == {"n": 2, "m": 1}


def test_silence_hides_failures_from_who_does_not_look(people: StandardCollection, double: Double) -> None:
    """A silent request with several documents answers with failures only, which this driver drops."""
    people.insert({"_key": "a"})
    assert people.insert_many([{"_key": "a"}, {"_key": "b"}], silent=True) is True
    assert people.count() == 2
    assert people.insert({"_key": "c"}, silent=True) is True
    with answered(409, 1210):
        people.insert({"_key": "c"}, silent=True)


def test_many_are_read_at_once_and_the_missing_are_dropped(people: StandardCollection) -> None:
    people.insert_many([{"_key": each} for each in "abc"])
    found: Any = people.get_many(["c", "none", "a"])
    assert [each["_key"] for each in found] == ["c", "a"]


def test_edges_want_both_ends(db: StandardDatabase) -> None:
    links: Any = db.create_collection("links", edge=True)
    links.insert({"_from": "people/a", "_to": "people/b"})
    with answered(400, 1233):
        links.insert({"_from": "people/a"})


def test_an_unknown_collection_is_1203(db: StandardDatabase) -> None:
    with answered(404, 1203):
        db.collection("nowhere").insert({})
    with answered(404, 1203):
        db.collection("nowhere").insert_many([{}])
    with answered(404, 1203):
        db.aql.execute("FOR d IN nowhere RETURN d")


def test_databases_and_collections_come_and_go(db: StandardDatabase, connect: Callable[..., StandardDatabase]) -> None:
    """Who creates what exists gets 1207: creating is the way to make sure."""
    system = connect("_system")
    assert system.has_database("shop")
    with answered(409, 1207):
        system.create_database("shop")
    first: Any = db.create_collection("events", shard_count=1, replication_factor=1, sync=True)
    with answered(409, 1207):
        db.create_collection("events")
    db.create_collection("keys", shard_like="events")
    with answered(404, 1203):
        db.create_collection("others", shard_like="nowhere")
    assert db.has_collection("keys")
    assert first.properties()["sync"] is True
    first.insert({})
    assert first.truncate()
    assert first.count() == 0
    with answered(400, 1485):
        db.delete_collection("events")
    db.delete_collection("keys")
    db.delete_collection("events")
    assert [each["name"] for each in db.collections()] == []  # type: ignore[union-attr]
    with answered(404, 1228):
        connect("other").collections()


def _content(collection: StandardCollection, key: str) -> dict[str, Any]:
    found: Any = collection.get(key)
    return {name: value for name, value in found.items() if name not in ("_key", "_id", "_rev")}


def _outcome(item: Any) -> Any:
    return item.error_code if isinstance(item, ArangoServerError) else item["_key"]
