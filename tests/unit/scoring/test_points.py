"""Points: they decay exactly, and neither the order of events nor merges change what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log2
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.profiles.state import IdentifierCell, Register, State
from leocdp.domain.scoring.explain import explain_scores
from leocdp.domain.scoring.model import DATA_QUALITY, Label, Metric, Scoring
from leocdp.domain.scoring.points import Scores, add, build, join
from leocdp.domain.scoring.quality import with_quality
from leocdp.domain.scoring.seed import default_scoring
from leocdp.domain.segments.audience import Points
from leocdp.domain.segments.evaluate import evaluate
from leocdp.domain.segments.parse import parse_condition
from leocdp.domain.segments.scores import value_at
from leocdp.domain.segments.subject import EventFact, Setting, Subject, score_now

DAY = 86_400_000
SCORING = default_scoring()
NAMES = (
    *("Page Viewed", "Product Added", "Order Completed", "Product Returned", "Complaint Submitted", "Followed"),
    *("NPS Submitted", "Ad Viewed", "Unknown Event"),
)


def event(at: int, name: str, number: int = 0) -> EventFact:
    return EventFact(at, f"m{number}", "track", name, {})


def now_of(scores: Scores, score: str, now: int, scoring: Scoring = SCORING) -> float:
    return score_now(scores.get(score, {}).values(), now, scoring.half_lives.get(score)).value


def test_points_of_a_metric_are_counted_and_summed() -> None:
    scores = build([event(0, "Followed"), event(0, "Followed", 1), event(0, "Page Viewed", 2)], SCORING)
    assert scores == {"lead": {"follow": Points(20.0, 0, 2), "page-view": Points(1.0, 0, 1)}}


def test_an_event_of_no_metric_changes_nothing() -> None:
    scores = build([event(0, "Followed")], SCORING)
    assert add(scores, "track", "Unknown Event", 5, SCORING) is scores


def test_half_is_left_after_each_half_life() -> None:
    scores = build([event(0, "Product Added")], SCORING)
    assert [now_of(scores, "prospect", days * DAY) for days in (0, 30, 60, 90)] == [24, 12, 6, 3]


def test_without_a_half_life_nothing_decays() -> None:
    scores = build([event(0, "Order Completed"), event(5 * DAY, "Order Completed", 1)], SCORING)
    assert now_of(scores, "loyalty", 10_000 * DAY) == 2


def test_a_late_event_counts_as_what_is_left_of_it() -> None:
    early = build([event(0, "Product Added"), event(30 * DAY, "Product Added", 1)], SCORING)
    late = build([event(30 * DAY, "Product Added", 1)], SCORING)
    late = add(late, "track", "Product Added", 0, SCORING)
    assert late == early
    assert late["prospect"]["add-to-cart"] == Points(36.0, 30 * DAY, 2)


def test_complaints_count_against_engagement() -> None:
    scores = build([event(0, "Order Completed"), event(0, "Complaint Submitted", 1)], SCORING)
    assert now_of(scores, "engagement", 0) == 27 - 40
    assert now_of(scores, "loyalty", 0) == 0


_EVENTS = st.lists(st.tuples(st.integers(0, 400 * DAY), st.sampled_from(NAMES)), max_size=25)


def facts(made: list[tuple[int, str]]) -> list[EventFact]:
    return [event(at, name, number) for number, (at, name) in enumerate(made)]


def approx(scores: Scores) -> Any:
    """Equal up to the rounding of doubles."""
    return {
        (score, metric): (pytest.approx(points.value, rel=1e-9, abs=1e-12), points.at, points.count)
        for score, metrics in scores.items()
        for metric, points in metrics.items()
    }


def plain(scores: Scores) -> dict[tuple[str, str], tuple[float, int, int]]:
    return {
        (score, metric): (points.value, points.at, points.count)
        for score, metrics in scores.items()
        for metric, points in metrics.items()
    }


@given(_EVENTS, st.randoms())
def test_the_order_of_events_does_not_matter(made: list[tuple[int, str]], random: Any) -> None:
    events = facts(made)
    expected = build(events, SCORING)
    random.shuffle(events)
    scores: Scores = {}
    for one in events:
        scores = add(scores, one.type, one.name, one.at, SCORING)
    assert plain(scores) == approx(expected)


@given(_EVENTS, _EVENTS, _EVENTS)
def test_a_join_is_the_union_of_the_events(
    one: list[tuple[int, str]], other: list[tuple[int, str]], third: list[tuple[int, str]]
) -> None:
    a, b, c = (build(facts(made), SCORING) for made in (one, other, third))
    union = build(facts([*one, *other]), SCORING)
    assert plain(join(a, b, SCORING)) == approx(union)
    assert plain(join(b, a, SCORING)) == approx(union)
    together = join(join(a, b, SCORING), c, SCORING)
    assert plain(join(a, join(b, c, SCORING), SCORING)) == approx(together)


@given(_EVENTS, st.integers(400 * DAY, 500 * DAY))
def test_the_score_is_the_sum_of_what_is_left_of_each_event(made: list[tuple[int, str]], now: int) -> None:
    scores = build(facts(made), SCORING)
    points = {"Page Viewed": 1, "Followed": 10}
    expected = sum(points.get(name, 0) * 2.0 ** ((at - now) / (30 * DAY)) for at, name in made)
    assert now_of(scores, "lead", now) == pytest.approx(expected, abs=1e-6)


def test_values_are_not_changed_in_place() -> None:
    first = build([event(0, "Order Completed")], SCORING)
    copy = {score: dict(metrics) for score, metrics in first.items()}
    add(first, "track", "Order Completed", 9, SCORING)
    join(first, build([event(7, "Order Completed")], SCORING), SCORING)
    assert first == copy


def test_a_condition_on_a_score_knows_when_it_is_over() -> None:
    """now + half-life · log2(score / threshold), to the millisecond."""
    scores = build([event(0, "Product Added"), event(0, "Product Added", 1)], SCORING)
    score = score_now(scores["prospect"].values(), DAY, SCORING.half_lives["prospect"])
    subject, setting = Subject("p", State(), scores={"prospect": score}), Setting(ZoneInfo("UTC"))
    condition = parse_condition({"score": "prospect", "is": "gte", "value": 40})
    answer = evaluate(condition, subject, [], DAY, setting)
    assert answer.holds
    assert answer.next is not None
    assert answer.next == pytest.approx(DAY + 30 * DAY * log2(score.value / 40), abs=2)
    assert evaluate(condition, subject, [], answer.next - 1, setting).holds
    assert not evaluate(condition, subject, [], answer.next, setting).holds
    assert value_at(score, answer.next) < 40


# Data quality


def state(traits: Mapping[str, Any], *identifiers: str) -> State:
    return State(
        traits={name: Register(value, 0, "m") for name, value in traits.items()},
        identifiers={key: IdentifierCell(0, 0, "s", "m") for key in identifiers},
    )


def test_data_quality_is_the_weight_of_what_is_known() -> None:
    known = state(
        {"firstName": "Lan", "gender": " ", "company": {}, "address": {"city": "Huế"}}, "email:lan@example.vn"
    )
    scores = with_quality({}, known, SCORING)
    assert {name: points.value for name, points in scores[DATA_QUALITY].items()} == {
        "email": 15,
        "first_name": 5,
        "city": 5,
    }
    assert now_of(scores, DATA_QUALITY, 9_999 * DAY) == 25


def test_everything_known_is_100() -> None:
    names = {
        *("name", "gender", "birthday", "avatar", "company", "title", "locale"),
        *("street", "city", "region", "postal_code", "country"),
    }
    full = state(
        dict.fromkeys(names, "x"),
        *("email:a@example.vn", "phone:+84901234567", "user_id:u", "crm_id:c", "social:zalo:z"),
    )
    assert now_of(with_quality({}, full, SCORING), DATA_QUALITY, 0) == 100


def test_data_quality_follows_the_state_both_ways() -> None:
    events: Scores = build([event(0, "Followed")], SCORING)
    known = with_quality(events, state({"gender": "f"}), SCORING)
    assert with_quality(known, state({"gender": "f"}), SCORING) is known
    assert with_quality(known, state({}), SCORING) == events
    assert join(known, known, SCORING) == build([event(0, "Followed"), event(0, "Followed", 1)], SCORING)


def test_shared_identifiers_are_not_known() -> None:
    shared = state({}, "email:office@example.vn")
    shared.identifiers["email:office@example.vn"].state = "shared"
    assert with_quality({}, shared, SCORING) == {}


# Explanation


def test_a_score_explains_itself() -> None:
    scores = build([event(0, "Order Completed"), event(90 * DAY, "Complaint Submitted", 1)], SCORING)
    scores = with_quality(scores, state({"gender": "f"}), SCORING)
    found = {one.score: one for one in explain_scores(scores, SCORING, 90 * DAY)}
    assert list(found) == ["lead", "prospect", "engagement", "loyalty", "data_quality"]
    engagement = found["engagement"]
    assert engagement.value == -26.5
    assert [(part.id, part.label.told("vi"), part.value, part.count, part.at) for part in engagement.parts] == [
        ("negative-feedback", "Phàn nàn", -40, 1, 90 * DAY),
        ("purchase", "Mua hàng", 13.5, 1, 0),
    ]
    assert [(part.id, part.value, part.at) for part in found["data_quality"].parts] == [("gender", 4, None)]
    assert found["lead"].value == 0
    assert found["lead"].parts == ()


@given(_EVENTS, st.integers(0, 600 * DAY))
def test_the_parts_add_up(made: list[tuple[int, str]], after: int) -> None:
    now = max((at for at, _ in made), default=0) + after
    for one in explain_scores(build(facts(made), SCORING), SCORING, now):
        assert sum(part.value for part in one.parts) == pytest.approx(one.value, abs=1e-6)


def test_what_is_no_metric_any_more_is_shown_by_its_id() -> None:
    scores = build([event(0, "Followed")], SCORING)
    without = replace(SCORING, metrics={"m": Metric("m", Label("M"))})
    assert explain_scores(scores, without, 0)[0].parts[0].label == Label("follow")
