"""What a condition refers to, and the order of segments that refer to each other."""

from __future__ import annotations

from itertools import pairwise

import pytest

from leocdp.domain.segments.nodes import All, InSegment, Node, Not
from leocdp.domain.segments.parse import parse_condition
from leocdp.domain.segments.references import Cycle, References, in_order, references
from tests.unit.segments.condition_samples import VALID


def test_everything_that_an_answer_depends_on_is_named() -> None:
    found = references(parse_condition({"all": list(VALID.values())}))
    assert found == References(
        segments=frozenset({"sgm_1"}),
        lists=frozenset({"lst_1"}),
        scores=frozenset({"lead", "data_quality"}),
        traits=frozenset(
            {
                *("plan", "age", "vip", "country", "address", "address.floor", "tags"),
                *("born", "created_at", "renewal", "birthday"),
            }
        ),
        event_names=frozenset({"Order Completed", "Pricing", "Signed Up", "Product Added", "Session Started"}),
        event_types=frozenset({"identify", "page"}),
        uses=frozenset(
            ["label", "consent", "identifier", "status", "reachable", "place", "device", "touch_first", "stage"]
        ),
    )


def test_what_stands_in_not_and_any_counts() -> None:
    node = parse_condition({"not": {"any": [{"touch": "last", "field": "source", "is": "exists"}, {"segment": "b"}]}})
    assert references(node) == References(segments=frozenset({"b"}), uses=frozenset({"touch_last"}))


def test_everyone_depends_on_nothing() -> None:
    assert references(parse_condition({"everyone": True})) == References()


def needs(*ids: str) -> Node:
    return All(tuple(Not(InSegment(one)) for one in ids))


def test_segments_come_after_those_they_refer_to() -> None:
    order = in_order({"a": needs("b", "c"), "b": needs("d"), "c": needs("d", "gone"), "d": needs()})
    assert sorted(order) == ["a", "b", "c", "d"]
    assert order.index("d") < order.index("b") < order.index("a")
    assert order.index("d") < order.index("c") < order.index("a")


def test_the_order_does_not_depend_on_how_they_were_given() -> None:
    conditions = {"a": needs("c"), "b": needs("c"), "c": needs(), "d": needs()}
    assert in_order(conditions) == in_order(dict(reversed(conditions.items())))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_circle_is_named_along_its_references(size: int) -> None:
    ids = [f"s{number}" for number in range(size)]
    circle = {one: needs(ids[(number + 1) % size]) for number, one in enumerate(ids)}
    with pytest.raises(Cycle) as caught:
        in_order({**circle, "other": needs("s0"), "alone": needs()})
    named = caught.value.ids
    assert named[0] == named[-1]
    assert set(named) == set(ids)
    for one, other in pairwise(named):
        assert references(circle[one]).segments == {other}
