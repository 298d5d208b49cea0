"""Parts of the ArangoDB adapter that decide something by themselves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from arango.exceptions import DocumentInsertError
from arango.request import Request
from arango.response import Response
from hypothesis import given
from hypothesis import strategies as st

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.failures import Kind, failure
from leocdp.adapters.arango.profiles import messages
from leocdp.adapters.arango.profiles.head import Head
from leocdp.adapters.arango.profiles.keys import beginning, sorted_name
from leocdp.adapters.arango.profiles.schema import SLOTS
from leocdp.adapters.arango.profiles.searching import beginnings, grams, starts, words

HOUR = 3_600_000
DAY = 24 * HOUR
HORIZON = 30 * DAY


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_through_at_a_time() -> None:
    clock = Clock()
    breaker = Breaker(limit=3, first_pause=1, longest_pause=4, clock=clock)
    for _ in range(2):
        breaker.failed("down")
    breaker.succeeded()
    for _ in range(3):
        assert breaker.wait() == 0
        breaker.failed("down")
    assert (breaker.wait(), breaker.reason) == (1, "down")
    clock.now = 1
    assert breaker.wait() == 0
    assert breaker.wait() > 0, "one has gone to look"
    breaker.failed("down")
    assert breaker.wait() == 2, "the pause doubles"
    for pause in (4, 4):
        clock.now += breaker.wait()
        assert breaker.wait() == 0
        breaker.failed("down")
        assert breaker.wait() == pause
    clock.now += 4
    assert breaker.wait() == 0
    breaker.succeeded()
    assert breaker.wait() == breaker.wait() == 0


@pytest.mark.parametrize(
    ("status", "number", "kind"),
    [
        (409, 1200, Kind.CONFLICT),
        (412, 1200, Kind.CONFLICT),
        (412, None, Kind.CONFLICT),
        (409, 1210, Kind.EXISTS),
        (404, 1202, Kind.MISSING),
        (404, 1203, Kind.NOT_THERE),
        (404, 1228, Kind.NOT_THERE),
        (401, 11, Kind.REFUSED),
        (403, 1004, Kind.UNAVAILABLE),
        (500, 32, Kind.TOO_LARGE),
        (410, 1654, Kind.GONE),
        (404, 1655, Kind.GONE),
        (412, 21004, Kind.UNAVAILABLE),
        (503, 38, Kind.UNAVAILABLE),
        (500, 4, Kind.UNAVAILABLE),
        (502, None, Kind.UNAVAILABLE),
        (400, 1501, Kind.DEFECT),
        (400, 600, Kind.DEFECT),
    ],
)
def test_errors_are_sorted_by_what_one_can_do(status: int, number: int | None, kind: Kind) -> None:
    answer = Response("post", "http://x", {}, status, "status", "")
    answer.error_code, answer.error_message = number, "words"
    found = failure(DocumentInsertError(answer, Request("post", "/")))
    assert found.kind is kind
    assert "words" in str(found)


def test_words_and_grams() -> None:
    spaced = words("nguyen van-duc 2")
    assert spaced == " nguyen van duc 2"
    assert beginnings(spaced) == {"^n", "^ng", "^ngu", "^v", "^va", "^van", "^d", "^du", "^duc", "^2"}
    assert starts(words("van d")) == {"^van", "^d"}
    assert grams("ab\nabcd\n") == {"abc", "bcd"}
    assert words("'; --") == ""


@given(st.text(), st.text(min_size=1), st.text())
def test_whatever_contains_a_part_has_its_grams(before: str, part: str, after: str) -> None:
    lines = (before + part + after).replace("\n", " ")
    part = part.replace("\n", " ")
    assert grams(part) <= grams(lines)


@given(st.lists(st.text(), min_size=2, max_size=2))
def test_sorted_attributes_follow_code_points(names: list[str]) -> None:
    first, second = sorted(names)
    short = all(len(name.encode("utf-8", "surrogatepass")) <= 24 for name in names)
    if short:
        key = lambda name: name.encode("utf-8", "surrogatepass")  # noqa: E731
        low, high = sorted((first, second), key=key)
        assert beginning(low) <= beginning(high)
        assert not (low and high) or sorted_name(low) <= sorted_name(high)
    assert sorted_name(first) <= sorted_name("") or not first


@given(st.lists(st.tuples(st.integers(0, 40 * DAY), st.booleans()), max_size=60))
def test_buckets_take_turns_in_a_fixed_ring(steps: list[tuple[int, bool]]) -> None:
    """Time goes on, tidying comes or not: there is always a bucket, and none is dropped before its horizon."""
    head, now = Head(), 1_000 * DAY
    written: dict[int, int] = {}
    for passed, tidied in steps:
        now += passed
        if tidied:
            gone = messages.expired(head, now, HORIZON)
            assert all(written.get(bucket.slot, 0) + HORIZON <= now for bucket in gone)
            head.buckets = [bucket for bucket in head.buckets if bucket not in gone]
        bucket, _ = messages.bucket_for(head, now, HORIZON)
        written[bucket.slot] = now
        assert bucket is head.buckets[-1]
        assert now < bucket.ends
        slots = [each.slot for each in head.buckets]
        assert len(set(slots)) == len(slots) <= SLOTS
        assert all(one.begins <= two.begins for one, two in pairwise(head.buckets))
