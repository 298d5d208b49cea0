"""The metric table as a form: what is typed becomes the table, and what cannot be is said beside its field."""

from __future__ import annotations

import pytest

from leocdp.domain.errors import Problem
from leocdp.domain.scoring.document import scoring_from, scoring_to_changes
from leocdp.domain.scoring.model import Label, Metric, Scoring
from leocdp_admin.forms.form import Form
from leocdp_admin.forms.scoring_form import blame, rows, scoring_asked, scoring_form
from leocdp_admin.i18n.localisation import Localisation

EN = Localisation("en", "UTC")
OWN = {
    "metrics": {
        "like": None,
        "purchase": {"points": 40, "again": None},
        "test-drive": {"label": {"en": "Test drive", "vi": "Lái thử"}, "events": ["Test Drive"], "points": 30},
    },
    "half_lives": {"lead": "36h", "loyalty": "90d", "engagement": None},
    "stages": [{"id": "lead"}, {"id": "new-customer", "kind": "customer"}],
    "fields": {"avatar": None},
}
ROW = {"name.+": "Lái thử xe", "events.+": "Test Drive Booked, Đặt lái thử\n", "points.+": "30"}


def asked(scoring: Scoring, typed: dict[str, str]) -> tuple[Scoring | None, Form]:
    form = scoring_form(scoring, 3)
    form.values |= typed
    return scoring_asked(form, scoring, EN), form


@pytest.mark.parametrize("data", [{}, OWN])
def test_saving_without_a_change_changes_nothing(data: dict[str, object]) -> None:
    scoring = scoring_from(data)
    same, form = asked(scoring, {})
    assert form.ok
    assert same == scoring
    assert scoring_to_changes(same) == scoring_to_changes(scoring)


def test_what_is_typed_is_what_is_kept() -> None:
    changed, _ = asked(
        scoring_from({}),
        {"points.purchase": " 50", "loyalty.purchase": "", "stage.like": "lead", "on.search": ""}
        | {"days.lead": "1,5", "days.prospect": "", "stage.purchase": "no such stage"},
    )
    assert changed is not None
    assert scoring_to_changes(changed) == {
        "metrics": {"search": None, "like": {"stage": "lead"}, "purchase": {"points": 50, "loyalty": 0, "stage": None}},
        "half_lives": {"lead": "36h", "prospect": None},
    }


def test_a_line_of_ones_own() -> None:
    added, _ = asked(scoring_from({}), {**ROW, "model.+": "prospect", "stage.+": "prospect"})
    assert added is not None
    events = ("Test Drive Booked", "Đặt lái thử")
    label = Label("Lái thử xe")
    assert added.metrics["lai-thu-xe"] == Metric("lai-thu-xe", label, 30, "prospect", "prospect", events=events)
    assert added.metric_of("track", "test_drive_booked") == added.metrics["lai-thu-xe"]
    found = {row.metric.id: row for row in rows(added)["prospect"]}
    assert (found["lai-thu-xe"].built_in, found["lai-thu-xe"].on) == (False, True)


def test_a_line_that_is_switched_off_can_be_switched_on_again() -> None:
    off = scoring_from({"metrics": {"like": None}})
    (like,) = [row for row in rows(off)["lead"] if row.metric.id == "like"]
    assert (like.on, like.built_in, like.metric.points) == (False, True, 3)
    again, _ = asked(off, {"on.like": "1"})
    assert again is not None
    assert scoring_to_changes(again) == {}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"points.purchase": "10001"}, "points.purchase"),
        ({"points.purchase": "many"}, "points.purchase"),
        ({"loyalty.like": "1.5"}, "loyalty.like"),
        ({"days.lead": "0"}, "days.lead"),
        ({"days.lead": "9999"}, "days.lead"),
        ({"days.lead": "a month"}, "days.lead"),
        ({**ROW, "name.+": " "}, "name.+"),
        ({**ROW, "events.+": ","}, "events.+"),
        ({**ROW, "name.+": "買い物"}, "name.+"),
        ({**ROW, "name.+": "Purchase"}, "name.+"),
        ({**ROW, "points.+": "x"}, "points.+"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(typed: dict[str, str], field: str) -> None:
    scoring = scoring_from({})
    form = scoring_form(scoring, 0)
    form.values |= typed
    before = dict(form.values)
    assert scoring_asked(form, scoring, EN) is None
    assert list(form.problems) == [field]
    assert form.values == before


def test_an_event_is_counted_in_one_line_only() -> None:
    form = Form()
    blame(form, [Problem("metrics.x.events[0]", "“Order Completed” is of the metric “purchase” already")], EN)
    assert form.problems == {"events.+": "One of these events is counted in another line already."}
