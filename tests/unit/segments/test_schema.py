"""The JSON Schema of conditions says yes to every condition, and no to what has another shape."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from leocdp.domain.segments.parse import to_json
from leocdp.domain.segments.schema import PLACE, condition_schema
from tests.fakes.segment_strategies import cases
from tests.unit.segments.condition_samples import INVALID, OTHER_SPELLINGS, VALID

BEYOND_SHAPE = {
    *("too deep", "too many", "many parts", "empty part", "blank name", "half a character", "NUL"),
    *("number for a date", "no such date", "no such time", "no offset", "far away", "a time is no day"),
    *("zero", "too long ago", "hours of an anniversary", "reversed range", "reversed counts", "reversed days"),
    *("no time at all", "a day and a time", "lists that are too much together"),
    *("look-ahead", "back-reference", "no expression", "a large expression", "case of a number", "cast of text"),
    *("less than nothing", "an absence in between", "more days than there are", "weeks of years"),
    *("an empty part of a split", "a kind that is none"),
}
"""Mistakes that a schema cannot see, because they are not of the shape: ``parse`` finds them."""


NO_JSON = {"not a number", "infinite"}


@cache
def validator() -> Draft202012Validator:
    """Of a document that has the schema where the OpenAPI document has it."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": {"schemas": {"Condition": condition_schema()}},
        "$ref": PLACE,
    }
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


@pytest.mark.parametrize("name", VALID)
def test_every_form_is_in_it(name: str) -> None:
    validator().validate(VALID[name])


@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_other_spellings_are_in_it(name: str) -> None:
    validator().validate(OTHER_SPELLINGS[name][0])


@pytest.mark.parametrize("name", sorted(INVALID.keys() - BEYOND_SHAPE - NO_JSON))
def test_another_shape_is_not(name: str) -> None:
    assert not validator().is_valid(json_value(INVALID[name][0]))


@pytest.mark.parametrize("name", sorted(BEYOND_SHAPE - {"number for a date"}))
def test_what_only_parse_sees_is_named_rightly(name: str) -> None:
    """Whoever makes the schema say more takes the name out of the set."""
    assert validator().is_valid(json_value(INVALID[name][0]))


def json_value(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_random_conditions_are_in_it() -> None:
    for case in cases(150):
        written = json.loads(json.dumps(to_json(case.node)))
        assert validator().is_valid(written), written


def test_it_stands_by_itself_anywhere() -> None:
    alone = Draft202012Validator({"$defs": {"C": condition_schema("#/$defs/C")}, "$ref": "#/$defs/C"})
    assert alone.is_valid({"not": {"all": [VALID["count"]]}})
    assert not alone.is_valid({"not": {"all": [{"event": 5}]}})
