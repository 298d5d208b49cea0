"""The funnel stage: the highest that was reached, in whatever order; a negative one until things are well again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.profiles.state import IdentifierCell, State
from leocdp.domain.scoring.points import Scores, add, build, join
from leocdp.domain.scoring.seed import default_scoring
from leocdp.domain.scoring.stages import stage_of
from leocdp.domain.segments.subject import EventFact

SCORING = default_scoring()
DAY = 86_400_000


def stage(*events: tuple[int, str], state: State | None = None) -> str:
    facts = [EventFact(at, f"m{number}", "track", name, {}) for number, (at, name) in enumerate(events)]
    return stage_of(build(facts, SCORING), state or State(), SCORING)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], ""),
        ([(0, "Something Else")], ""),
        ([(0, "Ad Viewed")], "new-visitor"),
        ([(0, "Page Viewed"), (1, "Signed Up")], "lead"),
        ([(0, "Product Removed")], "prospect"),
        ([(0, "Order Completed"), (5, "Page Viewed")], "new-customer"),
        ([(0, "Order Completed"), (5, "Order Completed")], "engaged-customer"),
        ([(0, "Positive Review Posted"), (5, "Order Completed")], "customer-advocate"),
        ([(0, "Order Completed"), (5, "Complaint Submitted")], "unhappy-customer"),
        ([(5, "Order Completed"), (5, "Complaint Submitted")], "unhappy-customer"),
        ([(9, "Order Completed"), (5, "Complaint Submitted")], "new-customer"),
        ([(5, "Complaint Submitted"), (9, "Product Added")], "unhappy-customer"),
        ([(5, "Complaint Submitted"), (6, "Unsubscribed")], "terminated-customer"),
        ([(7, "Complaint Submitted"), (6, "Unsubscribed")], "unhappy-customer"),
        ([(6, "Complaint Submitted"), (6, "Unsubscribed")], "terminated-customer"),
        ([(6, "Contract Cancelled"), (8, "Order Completed"), (3, "NPS Submitted")], "engaged-customer"),
    ],
)
def test_the_stage_by_events(events: list[tuple[int, str]], expected: str) -> None:
    assert stage(*events) == expected
    assert stage(*reversed(events)) == expected


def test_somebody_with_a_contact_is_at_least_a_lead() -> None:
    known = State(identifiers={"email:lan@example.vn": IdentifierCell(0, 0, "s", "m")})
    assert stage((0, "Page Viewed"), state=known) == "lead"
    assert stage((0, "Product Added"), state=known) == "prospect"
    known.identifiers["email:lan@example.vn"].state = "former"
    assert stage((0, "Page Viewed"), state=known) == "new-visitor"


def test_somebody_who_came_back_is_a_returning_visitor() -> None:
    assert stage((0, "Page Viewed"), state=State(first_seen=0, last_seen=DAY - 1)) == "new-visitor"
    assert stage((0, "Page Viewed"), state=State(first_seen=0, last_seen=DAY)) == "returning-visitor"


_EVENTS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(
            (
                *("Page Viewed", "Signed Up", "Product Added", "Order Completed", "NPS Submitted"),
                *("Complaint Submitted", "Unsubscribed", "Positive Feedback Given", "Negative Review Posted"),
            )
        ),
    ),
    max_size=8,
)


@given(_EVENTS, _EVENTS, st.randoms())
def test_order_and_merges_do_not_matter(one: list[tuple[int, str]], other: list[tuple[int, str]], random: Any) -> None:
    together = [*one, *other]
    expected = stage(*together)
    random.shuffle(together)
    assert stage(*together) == expected

    def scores(events: list[tuple[int, str]]) -> Scores:
        made: Scores = {}
        for at, name in events:
            made = add(made, "track", name, at, SCORING)
        return made

    assert stage_of(join(scores(one), scores(other), SCORING), State(), SCORING) == expected
