"""Scoring as a document: over the defaults, printed whole, and every mistake with its path."""

from __future__ import annotations

from typing import Any

import pytest

from leocdp.domain.scoring.document import ScoringInvalid, scoring_from, scoring_to_changes, scoring_to_data
from leocdp.domain.scoring.model import Field, Label, Metric, Stage
from leocdp.domain.scoring.seed import default_scoring

DAY = 86_400_000
CHANGED: dict[str, Any] = {
    "metrics": {
        "purchase": {"points": 40, "events": ["Order Completed", "Deal Won"], "again": None},
        "like": None,
        "test-drive": {
            "label": {"en": "Test drive", "vi": "Lái thử"},
            "events": ["Test Drive Booked"],
            "types": ["group"],
            "points": 30,
            "model": "prospect",
            "stage": "prospect",
            "loyalty": 1,
            "journey": "ask",
        },
    },
    "half_lives": {"lead": "14d", "loyalty": "1d", "engagement": None},
    "fields": {
        "email": {"weight": 30},
        "avatar": None,
        "plate": {"label": "Number plate", "weight": 5, "traits": ["car.plate"]},
    },
    "contact_stage": None,
    "returning_after": "7d",
}


def test_nothing_said_is_the_default() -> None:
    assert scoring_from({}) == default_scoring()


def test_what_is_said_changes_what_it_names() -> None:
    scoring, default = scoring_from(CHANGED), default_scoring()
    purchase = scoring.metrics["purchase"]
    assert (purchase.points, purchase.events, purchase.again) == (40, ("Order Completed", "Deal Won"), "")
    assert (purchase.model, purchase.loyalty, purchase.label) == ("lifetime_value", 1, Label("Bought", "Mua hàng"))
    assert "like" not in scoring.metrics
    assert scoring.metric_of("track", "Liked") is None
    assert scoring.metrics["test-drive"] == Metric(
        "test-drive", Label("Test drive", "Lái thử"), 30, "prospect", "prospect", "", 1, "ask",
        ("Test Drive Booked",), ("group",),
    )  # fmt: skip
    assert scoring.metric_of("group", None) == scoring.metrics["test-drive"]
    assert scoring.half_lives == {"lead": 14 * DAY, "prospect": 30 * DAY, "engagement": None, "loyalty": DAY}
    assert scoring.fields["plate"] == Field("plate", Label("Number plate"), 5, (("car", "plate"),))
    assert (scoring.fields["email"].weight, scoring.fields["email"].identifiers) == (30, ("email",))
    assert "avatar" not in scoring.fields
    assert (scoring.contact_stage, scoring.returning_after) == ("", 7 * DAY)
    assert (scoring.stages, scoring.returning_stage) == (default.stages, "returning-visitor")


@pytest.mark.parametrize("data", [{}, CHANGED, {"stages": [{"id": "visitor", "label": "V", "kind": "customer"}]}])
def test_the_whole_document_is_read_as_the_same_scoring(data: dict[str, Any]) -> None:
    scoring = scoring_from(data)
    assert scoring_from(scoring_to_data(scoring)) == scoring
    assert scoring_from(scoring_to_changes(scoring)) == scoring


def test_the_changes_are_what_was_said_and_no_more() -> None:
    assert scoring_to_changes(default_scoring()) == {}
    changes = scoring_to_changes(scoring_from({"metrics": {"purchase": {"points": 40, "loyalty": 1}, "like": None}}))
    assert changes == {"metrics": {"purchase": {"points": 40}, "like": None}}


def test_a_table_of_stages_of_ones_own_forgets_the_built_in_ones() -> None:
    scoring = scoring_from(
        {
            "stages": [{"id": "visitor"}, {"id": "buyer", "label": {"en": "Buyer"}, "kind": "customer"}],
            "metrics": {"purchase": {"stage": "buyer"}},
        }
    )
    assert scoring.stages == (Stage("visitor", Label("visitor")), Stage("buyer", Label("Buyer"), "customer"))
    assert scoring.metrics["purchase"].stage == "buyer"
    assert scoring.metrics["page-view"].stage == ""
    assert scoring.contact_stage == ""


INVALID: list[tuple[Any, str, str]] = [
    ([], "scoring", "must be an object"),
    ({"metric": {}}, "metric", "did you mean “metrics”"),
    ({"metrics": []}, "metrics", "must be an object, not a list"),
    ({"metrics": {"My Metric": {}}}, "metrics.My Metric", "is no name"),
    ({"metrics": {"m": 5}}, "metrics.m", "must be an object"),
    ({"metrics": {"m": {"point": 5}}}, "metrics.m.point", "did you mean “points”"),
    ({"metrics": {"m": {"points": 1.5}}}, "metrics.m.points", "must be a whole number"),
    ({"metrics": {"m": {"loyalty": 99_999}}}, "metrics.m.loyalty", "from -10000 to 10000"),
    ({"metrics": {"m": {"model": "leads"}}}, "metrics.m.model", "did you mean “lead”"),
    ({"metrics": {"m": {"stage": "prospects"}}}, "metrics.m.stage", "did you mean “prospect”"),
    ({"metrics": {"m": {"journey": "act"}}}, "metrics.m.journey", "“act” is not known"),
    ({"metrics": {"m": {"events": "x"}}}, "metrics.m.events", "must be a list"),
    ({"metrics": {"m": {"events": ["–"]}}}, "metrics.m.events[0]", "has no letter or digit"),
    ({"metrics": {"m": {"events": ["product_added"]}}}, "metrics.m.events[0]", "of the metric “add-to-cart” already"),
    ({"metrics": {"m": {"types": ["page"]}}}, "metrics.m.types[0]", "of the metric “page-view” already"),
    ({"metrics": {"m": {"types": ["click"]}}}, "metrics.m.types[0]", "“click” is not known"),
    ({"metrics": {"signed_up": {}}}, "metrics.signed_up", "of the metric “register-account” already"),
    ({"metrics": {"m": {"label": {"de": "M"}}}}, "metrics.m.label.de", "known are en, vi"),
    ({"metrics": {f"m{number}": {} for number in range(1_000)}}, "metrics", "at most 1000"),
    ({"half_lives": {"lead": "0d"}}, "half_lives.lead", "longer than 0"),
    ({"half_lives": {"leed": "1d"}}, "half_lives.leed", "did you mean “lead”"),
    ({"stages": []}, "stages", "must not be empty"),
    ({"stages": [{"id": "a"}, {"id": "a"}]}, "stages[1].id", "is there already"),
    ({"stages": [{"id": "A b"}]}, "stages[0].id", "is no name"),
    ({"stages": [{"id": "a", "kind": "bad"}]}, "stages[0].kind", "“bad” is not known"),
    ({"fields": {"f": {"weight": 1}}}, "fields.f", "needs “traits” or “identifiers”"),
    ({"fields": {"email": {"weight": -1}}}, "fields.email.weight", "must be a whole number"),
    ({"fields": {"email": {"traits": ["a..b"]}}}, "fields.email.traits[0]", "empty part"),
    ({"contact_stage": "leed"}, "contact_stage", "did you mean “lead”"),
    ({"returning_after": "soon"}, "returning_after", "must be a duration"),
]


@pytest.mark.parametrize(("data", "path", "part"), INVALID)
def test_a_problem_is_told_with_its_path(data: Any, path: str, part: str) -> None:
    with pytest.raises(ScoringInvalid) as caught:
        scoring_from(data)
    found = {one.path: one.problem for one in caught.value.problems}
    assert list(found) == [path]
    assert part in found[path]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ScoringInvalid) as caught:
        scoring_from({"metrics": {"m": {"points": "x", "model": "y"}}, "half_lives": {"lead": 3}, "stages": [{}]})
    assert [one.path for one in caught.value.problems] == [
        "stages[0].id",
        "metrics.m.points",
        "metrics.m.model",
        "half_lives.lead",
    ]
