"""AQL's types, their order, equality and conversions."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.arangodb.aql.collation import ORDERS
from tests.doubles.arangodb.aql.values import canonical, comparer, equal, number, text, truth

compare = comparer(ORDERS["en_US"])
ASCENDING: list[Any] = [
    None,
    False,
    True,
    -1,
    0,
    1.5,
    2,
    "",
    "1",
    "a",
    "B",
    [],
    [False],
    [0],
    [0, 1],
    ["a"],
    [[]],
    {},
    {"b": 1},
    {"a": False},
    {"a": 1},
]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)


def test_types_come_in_their_order_and_values_within_their_type() -> None:
    """null, bool, number, string, array, object; arrays by their elements, objects by their attributes."""
    for low, high in pairwise(ASCENDING):
        assert compare(low, high) < 0, (low, high)
        assert compare(high, low) > 0, (low, high)


@pytest.mark.parametrize(
    ("left", "right"), [([], [None]), ([1], [1, None, None]), ({}, {"a": None}), (1, 1.0), ([{"a": None}], [{}])]
)
def test_what_is_missing_counts_as_null(left: Any, right: Any) -> None:
    assert equal(left, right)
    assert compare(left, right) == 0
    assert canonical(left) == canonical(right)


@pytest.mark.parametrize(("left", "right"), [(1, True), (0, False), ("1", 1), (None, False), ([], {}), ("a", "A")])
def test_types_are_never_mixed_up(left: Any, right: Any) -> None:
    assert not equal(left, right)
    assert canonical(left) != canonical(right)


@given(values, values, values)
def test_the_order_is_total(one: Any, two: Any, three: Any) -> None:
    assert compare(one, two) == -compare(two, one)
    assert (compare(one, two) == 0) == equal(one, two) == (canonical(one) == canonical(two))
    if compare(one, two) <= 0 and compare(two, three) <= 0:
        assert compare(one, three) <= 0


def test_strings_follow_the_language_of_the_server() -> None:
    """A dictionary's order in en_US, code points in en_US_POSIX; so nobody may rely on either."""
    words = ["b", "B", "a", "á", "đ", "d", "e", "_", "1", "Z"]
    assert sorted(words, key=ORDERS["en_US"]) == ["_", "1", "a", "á", "b", "B", "d", "đ", "e", "Z"]
    assert sorted(words, key=ORDERS["en_US_POSIX"]) == ["1", "B", "Z", "_", "a", "b", "d", "e", "á", "đ"]


def test_truth() -> None:
    """null, false, 0 and "" are false; arrays and objects are true even when empty."""
    given_values: list[Any] = [None, False, 0, "", [], {}, "0", -1]
    assert [truth(each) for each in given_values] == [False] * 4 + [True] * 4


@pytest.mark.parametrize(
    ("given_value", "wanted"),
    [(None, 0), (True, 1), ("12", 12), (" 1.5 ", 1.5), ("x", 0), ("", 0), ([], 0), ([[3]], 3), ([1, 2], 0), ({}, 0)],
)
def test_numbers_are_made_of_everything(given_value: Any, wanted: Any) -> None:
    assert number(given_value) == wanted


def test_text_is_made_of_everything() -> None:
    shown = [text(each) for each in (None, True, 1.5, "x", [1, "a"], {"a": None})]
    assert shown == ["", "true", "1.5", "x", '[1,"a"]', '{"a":null}']


def test_long_and_short_arrays_are_searched_alike(evaluate: Any) -> None:
    items = [1, "1", None, [], {"a": 1}, True, 2.5, "x", "y", "z", 7]
    for wanted, length in product([*items, False, [None], {"a": 1, "b": None}, "no"], (len(items), 5)):
        expected = any(equal(wanted, each) for each in items[:length])
        assert evaluate("RETURN @x IN @items", x=wanted, items=items[:length]) == [expected]
