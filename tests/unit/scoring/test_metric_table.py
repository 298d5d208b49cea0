"""The metric table that a new system has, and how events find their metric."""

from __future__ import annotations

import pytest

from leocdp.domain.events import EVENT_TYPES
from leocdp.domain.scoring.event_names import EVENT_NAMES
from leocdp.domain.scoring.model import SCORE_OF, Label, Metric, Scoring, gains, normal
from leocdp.domain.scoring.seed import default_scoring

SCORING = default_scoring()


def metric(type: str, name: str | None) -> str | None:
    found = SCORING.metric_of(type, name)
    return found.id if found else None


def test_there_are_60_metrics_with_names_in_two_languages() -> None:
    assert len(SCORING.metrics) == 60
    assert all(one.label.en and one.label.vi and one.journey and one.stage for one in SCORING.metrics.values())
    assert EVENT_NAMES.keys() == SCORING.metrics.keys()


@pytest.mark.parametrize(
    ("name", "points", "model", "stage", "loyalty", "journey"),
    [
        ("page-view", 1, "lead", "new-visitor", 0, "awareness"),
        ("unfollow", -10, "lead", "lead", 0, "action"),
        ("add-to-cart", 24, "prospect", "prospect", 0, "action"),
        ("purchase", 27, "lifetime_value", "new-customer", 1, "action"),
        ("submit-nps-form", 37, "promoter", "engaged-customer", 2, "advocacy"),
        ("viral-negative-review", -66, "detractor", "unhappy-customer", -6, "advocacy"),
        ("cancel-contract", -55, "detractor", "terminated-customer", -5, "action"),
    ],
)
def test_metrics_are_worth_what_they_are_known_for(
    name: str, points: int, model: str, stage: str, loyalty: int, journey: str
) -> None:
    one = SCORING.metrics[name]
    assert (one.points, one.model, one.stage, one.loyalty, one.journey) == (points, model, stage, loyalty, journey)


def test_the_table_fits_together() -> None:
    stages = {stage.id for stage in SCORING.stages}
    for one in SCORING.metrics.values():
        assert {one.stage, one.again} - {""} <= stages
        assert set(one.types) <= set(EVENT_TYPES)
    names = [normal(name) for one in SCORING.metrics.values() for name in {normal(each) for each in one.names}]
    assert len(names) == len(set(names)), "an event would be of two metrics"
    assert sum(one.weight for one in SCORING.fields.values()) == 100


@pytest.mark.parametrize(
    ("type", "name", "expected"),
    [
        ("track", "Order Completed", "purchase"),
        ("track", "order_completed", "purchase"),
        ("track", "orderCompleted", "purchase"),
        ("track", "ORDER-COMPLETED", "purchase"),
        ("track", "Product Added", "add-to-cart"),
        ("track", "add_to_cart", "add-to-cart"),
        ("track", "Product Viewed", "item-view"),
        ("track", "Products Searched", "search"),
        ("track", "Signed Up", "register-account"),
        ("track", "generate_lead", "submit-contact"),
        ("track", "Order Refunded", "product-return"),
        ("track", "negative-feedback", "negative-feedback"),
        ("page", "Order Completed", "page-view"),
        ("page", None, "page-view"),
        ("screen", "Home", "page-view"),
        ("track", "Something Else", None),
        ("track", "", None),
        ("track", "!!!", None),
        ("identify", None, None),
        ("group", "Order Completed", None),
    ],
)
def test_events_find_their_metric(type: str, name: str | None, expected: str | None) -> None:
    assert metric(type, name) == expected


def test_what_a_metric_gives_to_which_score() -> None:
    def given(**fields: object) -> dict[str, int]:
        return dict(gains(Metric("m", Label("m"), **fields)))  # type: ignore[arg-type]

    assert given(points=5, model="lead") == {"lead": 5}
    assert given(points=5, model="lifetime_value", loyalty=2) == {"engagement": 5, "loyalty": 2}
    assert given(points=-40, model="detractor", loyalty=-1) == {"engagement": -40, "loyalty": -1}
    assert given(points=5, model="loyalty", loyalty=2) == {"loyalty": 7}
    assert given(points=1, model="acquisition") == {"unscored": 1}


def test_every_model_is_worth_something_somewhere() -> None:
    assert {one.model for one in SCORING.metrics.values()} <= SCORE_OF.keys()
    assert isinstance(SCORING, Scoring)
