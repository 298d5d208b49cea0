"""Indexes through the real driver: what is unique, what is left out, what expires."""

from __future__ import annotations

from typing import Any

import pytest
from arango.collection import StandardCollection

from tests.doubles.arango_errors import answered
from tests.doubles.arangodb.double import Double


def unique(people: StandardCollection, *fields: str, sparse: bool = False, name: str = "u") -> Any:
    return people.add_index(
        {"type": "persistent", "fields": list(fields), "unique": True, "sparse": sparse, "name": name}
    )


def test_a_value_belongs_to_one_document(people: StandardCollection) -> None:
    """409, number 1210; after a change or a removal the value is free again."""
    unique(people, "mail")
    people.insert({"_key": "a", "mail": "x"})
    with answered(409, 1210):
        people.insert({"_key": "b", "mail": "x"})
    people.insert({"_key": "b", "mail": "y"})
    with answered(409, 1210):
        people.update({"_key": "b", "mail": "x"})
    people.update({"_key": "a", "mail": "z"})
    people.update({"_key": "b", "mail": "x"})
    people.delete("b")
    people.insert({"_key": "c", "mail": "x"})
    people.update({"_key": "c", "mail": "x", "n": 1})


def test_null_is_a_value_unless_the_index_is_sparse(people: StandardCollection) -> None:
    """A unique index that is not sparse allows one document without the attribute."""
    unique(people, "mail")
    people.insert({"mail": None})
    with answered(409, 1210):
        people.insert({})


def test_a_sparse_index_leaves_out_what_has_a_null(people: StandardCollection) -> None:
    unique(people, "mail", "shop", sparse=True)
    for document in ({}, {}, {"mail": "x"}, {"mail": "x"}, {"mail": "x", "shop": None}):
        people.insert(document)
    people.insert({"mail": "x", "shop": 1})
    with answered(409, 1210):
        people.insert({"mail": "x", "shop": 1.0})
    people.insert({"mail": "x", "shop": "1"})


def test_elements_of_arrays_are_unique_across_documents(people: StandardCollection) -> None:
    """With [*] every element is an entry, once per document; empty, missing and other values have none."""
    unique(people, "ids[*].value")
    people.insert({"_key": "a", "ids": [{"value": 1}, {"value": 1}, {"value": 2}]})
    without: list[dict[str, Any]] = [{"ids": []}, {"ids": []}, {}, {"ids": "1"}]
    for document in without:
        people.insert(document)
    with answered(409, 1210):
        people.insert({"ids": [{"value": 3}, {"value": 2}]})
    people.insert({"ids": [{"value": 3}]})


def test_nested_paths(people: StandardCollection) -> None:
    unique(people, "a.b", sparse=True)
    people.insert({"a": {"b": 1}})
    people.insert({"a": 1})
    people.insert({"a": {"c": 1}})
    with answered(409, 1210):
        people.insert({"a": {"b": 1}})


def test_the_same_definition_is_the_same_index(people: StandardCollection) -> None:
    """201 for a new one, 200 and isNewlyCreated false for one that is there; a name stands for one definition."""
    first = unique(people, "mail")
    again = unique(people, "mail")
    assert (first["isNewlyCreated"], again["isNewlyCreated"]) == (True, False)
    assert first["id"] == again["id"]
    with answered(409, 1206):
        unique(people, "phone")
    names: Any = people.indexes()
    assert [each["name"] for each in names] == ["primary", "u"]
    assert people.delete_index(first["id"])
    people.insert_many([{"mail": 1}, {"mail": 1}])
    assert people.count() == 2


def test_an_index_cannot_be_made_unique_over_what_is_not(people: StandardCollection) -> None:
    people.insert_many([{"mail": 1}, {"mail": 1}])
    with answered(400, 1210):
        unique(people, "mail")
    assert len(people.indexes()) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "persistent", "fields": []},
        {"type": "persistent", "fields": ["a", "a"]},
        {"type": "persistent", "fields": ["a"], "storedValues": ["a"]},
        {"type": "ttl", "fields": ["a"]},
        {"type": "ttl", "fields": ["a", "b"], "expireAfter": 1},
    ],
)
def test_definitions_that_make_no_sense_are_refused(people: StandardCollection, body: dict[str, Any]) -> None:
    with answered(400, 10):
        people.add_index(body)


def test_documents_expire_some_while_after_their_time(people: StandardCollection, double: Double) -> None:
    """Seconds or an ISO string, plus expireAfter; until the next round they are still there; milliseconds never go."""
    people.add_index({"type": "ttl", "fields": ["until"], "expireAfter": 10, "name": "ttl"})
    with answered(400, 10):
        people.add_index({"type": "ttl", "fields": ["other"], "expireAfter": 0, "name": "second"})
    people.insert_many([{"_key": "old", "until": 80}, {"_key": "iso", "until": "1970-01-01T00:01:20Z"}])
    people.insert_many([{"_key": "young", "until": 95}, {"_key": "ms", "until": 80_000}, {"_key": "none"}])
    assert people.count() == 5
    assert double.expire_documents(now=100) == 2
    left: Any = people.all()
    assert sorted(each["_key"] for each in left) == ["ms", "none", "young"]
