"""The metric table as a form: what each kind of event is worth, where it leads, and how fast points fade."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from leocdp.domain.errors import Problem
from leocdp.domain.profiles.listing import fold
from leocdp.domain.scoring.document import MOST_POINTS
from leocdp.domain.scoring.model import EVENT_SCORES, SCORE_OF, UNSCORED, Label, Metric, Model, Scoring
from leocdp.domain.scoring.seed import default_scoring
from leocdp_admin.forms.form import Form
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation

DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
LONGEST_DAYS: Final = 3_650
NEW: Final = "+"
"""In the names of fields: the row that is added. No metric has this id."""
NEW_MODELS: Final[tuple[Model, ...]] = ("lead", "prospect", "engagement", "loyalty")
GROUPS: Final = (*EVENT_SCORES, UNSCORED)
_PROBLEMS: Final = {
    "points": N_("Write a whole number from -10,000 to 10,000."),
    "days": N_("Write a number of days, or leave it empty: then points do not fade."),
    "name": N_("Use a name with letters of the Latin alphabet."),
    "there": N_("There is one of this name already."),
}
_COUNTED: Final = N_("One of these events is counted in another line already.")


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of the table. ``on`` is false for a built-in one that is switched off."""

    metric: Metric
    on: bool
    built_in: bool

    @property
    def gives_points(self) -> bool:
        return SCORE_OF[self.metric.model] != UNSCORED


def rows(scoring: Scoring) -> Mapping[str, Sequence[Row]]:
    """By score, those with the fewest points first."""
    built_in = default_scoring().metrics
    every = {**built_in, **scoring.metrics}
    found = [Row(one, one.id in scoring.metrics, one.id in built_in) for one in every.values()]
    return {
        score: sorted((row for row in found if SCORE_OF[row.metric.model] == score), key=_points) for score in GROUPS
    }


def _points(row: Row) -> int:
    return abs(row.metric.points)


def scoring_form(scoring: Scoring, version: int) -> Form:
    form = Form.of(version=str(version), **{f"points.{NEW}": "", f"model.{NEW}": "lead"})
    for score in EVENT_SCORES:
        form.values[f"days.{score}"] = _days(scoring.half_lives.get(score))
    for group in rows(scoring).values():
        for row in group:
            form.values |= _values(row)
    return form


def _values(row: Row) -> dict[str, str]:
    metric = row.metric
    return {
        f"on.{metric.id}": "1" if row.on else "",
        f"points.{metric.id}": str(metric.points),
        f"loyalty.{metric.id}": str(metric.loyalty),
        f"stage.{metric.id}": metric.stage,
    }


def scoring_asked(form: Form, scoring: Scoring, l10n: Localisation) -> Scoring | None:
    """``scoring`` as the form has it; None when the form has problems, which it then holds."""
    reader = _Reader(form, l10n)
    metrics = {
        row.metric.id: reader.metric(row.metric, scoring)
        for group in rows(scoring).values()
        for row in group
        if form.values[f"on.{row.metric.id}"]
    }
    if added := reader.added(scoring):
        metrics[added.id] = added
    half_lives = {score: reader.half_life(score) for score in EVENT_SCORES}
    if not form.ok:
        return None
    # In the order that they are kept in, so that saving without a change changes nothing.
    order = [*scoring.metrics, *(name for name in metrics if name not in scoring.metrics)]
    return replace(scoring, metrics={name: metrics[name] for name in order if name in metrics}, half_lives=half_lives)


def blame(form: Form, problems: Sequence[Problem], l10n: Localisation) -> None:
    """What the application says about the table, beside the row that is added: the other rows have nothing of that."""
    for path, problem in problems:
        known = "is of the metric" in problem
        form.blame(f"events.{NEW}", l10n.gettext(_COUNTED) if known else f"{path}: {problem}")


class _Reader:
    def __init__(self, form: Form, l10n: Localisation) -> None:
        self._form = form
        self._l10n = l10n

    def metric(self, metric: Metric, scoring: Scoring) -> Metric:
        name = metric.id
        points = self._whole(f"points.{name}") if f"points.{name}" in self._form.values else metric.points
        loyalty, stage = self._whole(f"loyalty.{name}"), self._form.values[f"stage.{name}"]
        return replace(metric, points=points, loyalty=loyalty, stage=stage if stage in scoring.ranks else "")

    def added(self, scoring: Scoring) -> Metric | None:
        """None when the row was left empty, or when it has problems."""
        values = self._form.values
        name, events = values[f"name.{NEW}"].strip(), tuple(_events(values[f"events.{NEW}"]))
        if not name and not events:
            return None
        self._form.need(f"name.{NEW}", self._l10n)
        if not events:
            self._form.blame(f"events.{NEW}", self._l10n.gettext("Please fill this in."))
        made = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-0123456789")[:60]
        if not made:
            self._blame(f"name.{NEW}", "name")
        elif made in scoring.metrics or made in default_scoring().metrics:
            self._blame(f"name.{NEW}", "there")
        model, stage = values[f"model.{NEW}"], values[f"stage.{NEW}"]
        return Metric(
            id=made,
            label=Label(name[:200]),
            points=self._whole(f"points.{NEW}"),
            model=model if model in NEW_MODELS else "lead",
            stage=stage if stage in scoring.ranks else "",
            events=events,
        )

    def half_life(self, score: str) -> int | None:
        """ms; None where points do not fade."""
        text = self._form.values[f"days.{score}"].strip().replace(",", ".")
        if not text:
            return None
        days = float(text) if re.fullmatch(r"\d{1,5}(\.\d{1,4})?", text) else 0.0
        minutes = round(days * DAY_MS / MINUTE_MS)
        if not minutes or days > LONGEST_DAYS:
            self._blame(f"days.{score}", "days")
        return minutes * MINUTE_MS

    def _whole(self, name: str) -> int:
        text = self._form.values[name].strip() or "0"
        number = int(text) if re.fullmatch(r"[-+]?\d{1,6}", text, re.ASCII) else MOST_POINTS + 1
        if abs(number) > MOST_POINTS:
            self._blame(name, "points")
        return number

    def _blame(self, name: str, problem: str) -> None:
        self._form.blame(name, self._l10n.gettext(_PROBLEMS[problem]))


def _events(text: str) -> Iterator[str]:
    """Names, one a line or with commas between them."""
    for name in re.split(r"[\n,;]", text):
        if name.strip():
            yield name.strip()


def _days(half_life: int | None) -> str:
    return "" if half_life is None else f"{half_life / DAY_MS:.4f}".rstrip("0").rstrip(".")
