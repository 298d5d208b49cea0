"""Conditions from JSON and back, and what is said about those that cannot be saved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.errors import Invalid, Problem
from leocdp.domain.segments.node_state import node_key
from leocdp.domain.segments.nodes import EventCount, EventQuery, Node, NumberTest, Span, Trait, ValueTest
from leocdp.domain.segments.parse import ConditionInvalid, KnownNames, parse_condition, to_json
from tests.fakes.segment_strategies import st_conditions
from tests.unit.segments.condition_samples import INVALID, ORDER, OTHER_SPELLINGS, VALID

TWO_MISTAKES = {"two questions", "dates are no range", "where what"}


def problems(data: object) -> dict[str, str]:
    with pytest.raises(ConditionInvalid) as caught:
        parse_condition(data)
    return {one.path: one.problem for one in caught.value.problems}


def exact(value: object) -> Any:
    """Told apart where equality does not: ``True`` and 1."""
    if is_dataclass(value):
        return [type(value).__name__, *(exact(getattr(value, one.name)) for one in fields(value))]
    if isinstance(value, tuple):
        return [exact(one) for one in value]
    return (type(value).__name__, value)


@pytest.mark.parametrize("name", VALID)
def test_the_canonical_spelling_is_read_and_printed(name: str) -> None:
    assert to_json(parse_condition(VALID[name])) == VALID[name]


@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_other_spellings_mean_the_same(name: str) -> None:
    written, canonical = OTHER_SPELLINGS[name]
    assert exact(parse_condition(written)) == exact(parse_condition(canonical))
    assert to_json(parse_condition(written)) == canonical


@given(st_conditions())
def test_what_is_printed_is_read_as_the_same_tree(node: Node) -> None:
    written = json.loads(json.dumps(to_json(node)))
    again = parse_condition(written)
    assert exact(again) == exact(node)
    assert to_json(again) == written


def test_every_family_has_samples() -> None:
    kinds = {type(node) for node in map(parse_condition, VALID.values())}
    assert kinds == {kind for part in get_args(Node) for kind in (get_args(part) or (part,))}


def test_literals_are_what_is_compared() -> None:
    assert parse_condition({**ORDER, "count": {"is": "gte", "value": 2}, "within": "2h"}) == EventCount(
        EventQuery("Order Completed"), NumberTest("gte", 2), Span(within=7_200_000)
    )
    assert parse_condition(VALID["date before"]) == Trait(("born",), ValueTest("before", moment=date(2000, 2, 29)))
    assert parse_condition(VALID["date after"]) == Trait(("born",), ValueTest("after", moment=1_769_851_800_250))


def test_equal_conditions_share_their_state() -> None:
    one = parse_condition({**ORDER, "first": True, "within": "14d"})
    other = parse_condition({**ORDER, "first": True, "within": "2w"})
    assert node_key(one) == node_key(other)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", INVALID)
def test_a_problem_is_told_with_its_path(name: str) -> None:
    data, path, part = INVALID[name]
    found = problems(data)
    assert path in found
    assert part in found[path]


@pytest.mark.parametrize("name", sorted(INVALID.keys() - TWO_MISTAKES))
def test_one_mistake_is_told_once(name: str) -> None:
    assert len(problems(INVALID[name][0])) == 1


def test_all_problems_are_told_at_once_inside_the_tree() -> None:
    found = problems(
        {
            "all": [
                {"trait": "a", "is": "eqals", "value": 3},
                {"any": [{"event": "E", "where": [{"property": "p", "is": "gt", "value": "x"}]}, {"label": ""}]},
                {"not": {"sequence": [{"event": "E"}, {"event": "F", "whre": []}], "within": "0h"}},
            ]
        }
    )
    assert set(found) == {
        "condition.all[0].is",
        "condition.all[1].any[0].where[0].value",
        "condition.all[1].any[1].label",
        "condition.all[2].not.sequence[1].whre",
        "condition.all[2].not.within",
    }


KNOWN = KnownNames(scores={"lead", "loyalty"}, stages={"lead", "prospect"}, kinds={"email", "social"})


def test_names_that_are_known_are_taken() -> None:
    for name in ("score", "stage", "identifier"):
        assert parse_condition(VALID[name], known=KNOWN) == parse_condition(VALID[name])


@pytest.mark.parametrize(
    ("data", "path", "problem"),
    [
        ({"score": "leed", "is": "gt", "value": 1}, "condition.score", "there is no “leed”; did you mean “lead”?"),
        ({"stage": "propsect"}, "condition.stage", "there is no “propsect”; did you mean “prospect”?"),
        ({"not": {"stage": ["lead", "x"]}}, "condition.not.stage[1]", "there is no “x”; known are lead, prospect"),
        ({"identifier": "e_mail"}, "condition.identifier", "there is no “e_mail”; did you mean “email”?"),
    ],
)
def test_what_nobody_could_have_is_refused_when_it_is_saved(data: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(ConditionInvalid) as caught:
        parse_condition(data, known=KNOWN)
    assert caught.value.problems == ((path, problem),)
    parse_condition(data)


def test_the_path_begins_where_the_caller_says() -> None:
    with pytest.raises(Invalid) as caught:
        parse_condition({"all": [{"trait": ""}]}, path="segments[3].condition")
    assert caught.value.problems[0].path == "segments[3].condition.all[0].trait"


def test_ten_levels_and_200_conditions_are_enough() -> None:
    deep: dict[str, Any] = {"everyone": True}
    for _ in range(9):
        deep = {"not": deep}
    assert to_json(parse_condition(deep)) == deep
    wide = {"all": [{"label": str(number), "is": "in"} for number in range(199)]}
    assert to_json(parse_condition(wide)) == wide


def test_a_huge_document_is_refused_without_reading_it_all() -> None:
    deep: dict[str, Any] = {"everyone": True}
    for _ in range(900):
        deep = {"all": [deep]}
    assert list(problems(deep)) == ["condition" + ".all[0]" * 10]
    assert len(problems({"any": [{"trait": "a"}] * 100_000})) == 1


def test_no_more_is_told_than_somebody_reads() -> None:
    found = problems({"trait": "a", "is": "exists", **{f"slip {number}": 1 for number in range(100_000)}})
    assert len(found) == 100
    assert all(len(path) < 100 for path in problems({"trait": "a", "is": "exists", "x" * 10_000: 1}))


_FIELDS = {
    *("all", "any", "not", "everyone", "trait", "event", "type", "sequence", "segment", "list", "bucket", "score"),
    *("consent", "identifier", "status", "reachable", "place", "device", "touch", "stage", "label"),
    *("is", "value", "size", "where", "property", "count", "within", "between", "first", "pick", "aggregate", "fn"),
    *("as", "ignore_case", "within_next", "since", "same", "on_at_least", "of_last", "unit", "salt", "from", "to"),
}
_NAMES = st.sampled_from(sorted(_FIELDS))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_NAMES, _JSON, max_size=5))
def test_whatever_is_sent_is_a_condition_or_an_error_with_paths(data: dict[str, Any]) -> None:
    problems: Sequence[Problem] = ()
    try:
        node = parse_condition(data)
    except ConditionInvalid as error:
        problems = error.problems
    else:
        assert exact(parse_condition(to_json(node))) == exact(node)
    assert all(one.path.startswith("condition") and one.problem for one in problems)
