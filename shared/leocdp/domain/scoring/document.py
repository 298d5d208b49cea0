"""Scoring as data: the document that configuration holds and the API shows, checked in full.

```json
{"metrics": {"purchase": {"points": 40}, "like": null,
             "test-drive": {"label": {"en": "Test drive", "vi": "Lái thử"}, "events": ["Test Drive Booked"],
                            "points": 30, "model": "prospect", "stage": "prospect", "journey": "ask"}},
 "half_lives": {"lead": "14d", "loyalty": null},
 "stages": [{"id": "visitor", "label": "Visitor", "kind": "ordinary"}],
 "fields": {"plate": {"label": "Number plate", "weight": 5, "traits": ["car.plate"]}},
 "contact_stage": "lead", "returning_stage": "returning-visitor", "returning_after": "1d"}
```

What is left out keeps its default. ``metrics`` and ``fields`` change built-in ones field by field, add new ones, and
switch off those that are null; ``stages`` replaces the whole table, from the lowest stage to the highest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from re import compile
from typing import Any, Final, TypeVar, cast, get_args

from leocdp.domain.errors import Invalid
from leocdp.domain.events import EVENT_TYPES
from leocdp.domain.scoring.model import (
    EVENT_SCORES,
    Field,
    Journey,
    Label,
    Metric,
    Model,
    Scoring,
    Stage,
    StageKind,
    normal,
)
from leocdp.domain.scoring.seed import default_scoring
from leocdp.domain.segments.nodes import Path
from leocdp.domain.segments.printing import dotted, duration
from leocdp.domain.segments.reading import Reader

MOST_METRICS: Final = 1_000
MOST_EVENTS: Final = 100
MOST_FIELDS: Final = 200
MOST_STAGES: Final = 50
MOST_POINTS: Final = 10_000
MODELS: Final[tuple[str, ...]] = get_args(Model)
JOURNEYS: Final[tuple[str, ...]] = get_args(Journey)
_KINDS: Final[tuple[str, ...]] = get_args(StageKind)
_ID: Final = compile(r"[a-z][a-z0-9_\-]{0,59}")
_METRIC: Final = ("label", "events", "types", "points", "model", "stage", "again", "loyalty", "journey")
_FIELD: Final = ("label", "weight", "traits", "identifiers")
_TOP: Final = ("metrics", "half_lives", "stages", "fields", "contact_stage", "returning_stage", "returning_after")
_Item = TypeVar("_Item")


class ScoringInvalid(Invalid):
    """The document of scoring has mistakes; ``problems`` lists all of them."""

    code = "scoring_invalid"


def scoring_from(data: object) -> Scoring:
    """Scoring from a configuration document.

    Raises:
        ScoringInvalid: with the path and the problem of every mistake.
    """
    reader = _Reader()
    scoring = reader.scoring(reader.mapping(data, "scoring"))
    if reader.problems:
        raise ScoringInvalid("scoring", reader.problems)
    return scoring


def scoring_to_data(scoring: Scoring) -> dict[str, Any]:
    """The whole document: ``scoring_from`` makes the same scoring of it. What was switched off is null."""
    default = default_scoring()
    return {
        "metrics": {
            **{name: None for name in default.metrics if name not in scoring.metrics},
            **{one.id: _metric_data(one) for one in scoring.metrics.values()},
        },
        "half_lives": {score: _duration(scoring.half_lives.get(score)) for score in EVENT_SCORES},
        "stages": [{"id": one.id, "label": _label_data(one.label), "kind": one.kind} for one in scoring.stages],
        "fields": {
            **{name: None for name in default.fields if name not in scoring.fields},
            **{one.id: _field_data(one) for one in scoring.fields.values()},
        },
        "contact_stage": scoring.contact_stage or None,
        "returning_stage": scoring.returning_stage or None,
        "returning_after": duration(scoring.returning_after),
    }


def scoring_to_changes(scoring: Scoring) -> dict[str, Any]:
    """The smallest document that ``scoring_from`` makes the same scoring of: what a later version adds to the built-in
    table is not held back by it."""
    whole, default = scoring_to_data(scoring), scoring_to_data(default_scoring())
    changes = {name: value for name, value in whole.items() if value != default[name]}
    for part in ("metrics", "fields"):
        if part in changes:
            changes[part] = dict(_changed_entries(whole[part], default[part]))
    if "half_lives" in changes:
        changes["half_lives"] = _changed(whole["half_lives"], default["half_lives"])
    return changes


def _changed_entries(whole: Mapping[str, Any], default: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in whole.items():
        if name not in default or value is None:
            yield name, value
        elif changed := _changed(value, default[name]):
            yield name, changed


def _changed(whole: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if value != default[name]}


def _metric_data(metric: Metric) -> dict[str, Any]:
    return {
        "label": _label_data(metric.label),
        "events": list(metric.events),
        "types": list(metric.types),
        "points": metric.points,
        "model": metric.model,
        "stage": metric.stage or None,
        "again": metric.again or None,
        "loyalty": metric.loyalty,
        "journey": metric.journey,
    }


def _field_data(one: Field) -> dict[str, Any]:
    traits = [dotted(path) for path in one.traits]
    return {
        "label": _label_data(one.label),
        "weight": one.weight,
        "traits": traits,
        "identifiers": list(one.identifiers),
    }


def _label_data(label: Label) -> dict[str, str]:
    return {"en": label.en, "vi": label.vi}


def _duration(ms: int | None) -> str | None:
    return None if ms is None else duration(ms)


class _Reader(Reader):
    """Reads the parts of the document over the defaults."""

    def scoring(self, data: Mapping[str, Any]) -> Scoring:
        self.known(data, "", _TOP)
        default = default_scoring()
        stages = self._stages(data["stages"]) if "stages" in data else default.stages
        self._stage_ids = [stage.id for stage in stages]
        built_in = {one.id: self._fitted(one) for one in default.metrics.values()}
        metrics = self._entries(data, "metrics", built_in, self._metric, MOST_METRICS)
        made = Scoring(
            metrics=metrics,
            half_lives=self._half_lives(data.get("half_lives", {}), default.half_lives),
            stages=stages,
            fields=self._entries(data, "fields", default.fields, self._field, MOST_FIELDS),
            contact_stage=self._stage(data, "contact_stage", "", default.contact_stage),
            returning_stage=self._stage(data, "returning_stage", "", default.returning_stage),
            returning_after=(
                self.window(data["returning_after"], "returning_after")
                if "returning_after" in data
                else default.returning_after
            ),
        )
        self._refuse_shared(metrics.values())
        return made

    def _fitted(self, metric: Metric) -> Metric:
        """A built-in metric leads nowhere where a table of one's own does not have its stage."""
        stage, again = (each if each in self._stage_ids else "" for each in (metric.stage, metric.again))
        return replace(metric, stage=stage, again=again)

    def _entries(
        self,
        data: Mapping[str, Any],
        part: str,
        default: Mapping[str, _Item],
        read: Callable[[str, object, str, _Item | None], _Item],
        most: int,
    ) -> dict[str, _Item]:
        given = self.mapping(data.get(part, {}), part)
        made = dict(default)
        for name, value in given.items():
            path = f"{part}.{name}"
            if not isinstance(name, str) or not _ID.fullmatch(name):
                self.note(path, "is no name: small letters, digits, _ and -, beginning with a letter")
            elif value is None:
                made.pop(name, None)
            else:
                made[name] = read(name, value, path, default.get(name))
        if len(made) > most:
            self.note(part, f"are {len(made)} and may be at most {most}")
        return made

    def _metric(self, name: str, value: object, path: str, built_in: Metric | None) -> Metric:
        data = self.mapping(value, path)
        self.known(data, path, _METRIC)
        known = built_in or Metric(name, Label(name))
        made = replace(
            known,
            label=self._label(data, path, known.label),
            stage=self._stage(data, "stage", path, known.stage),
            again=self._stage(data, "again", path, known.again),
        )
        if "events" in data:
            made = replace(made, events=self._texts(data["events"], f"{path}.events"))
        if "types" in data:
            made = replace(made, types=self._types(data["types"], f"{path}.types"))
        if "points" in data:
            made = replace(made, points=self.whole(data["points"], f"{path}.points", -MOST_POINTS, MOST_POINTS))
        if "loyalty" in data:
            made = replace(made, loyalty=self.whole(data["loyalty"], f"{path}.loyalty", -MOST_POINTS, MOST_POINTS))
        if "model" in data:
            made = replace(made, model=cast(Model, self.choice(data["model"], f"{path}.model", MODELS)))
        if "journey" in data:
            journey = data["journey"]
            found = None if journey is None else self.choice(journey, f"{path}.journey", JOURNEYS)
            made = replace(made, journey=cast("Journey | None", found))
        return made

    def _field(self, name: str, value: object, path: str, built_in: Field | None) -> Field:
        data = self.mapping(value, path)
        self.known(data, path, _FIELD)
        known = built_in or Field(name, Label(name), 0)
        made = replace(known, label=self._label(data, path, known.label))
        if "weight" in data:
            made = replace(made, weight=self.whole(data["weight"], f"{path}.weight", 0, MOST_POINTS))
        if "traits" in data:
            made = replace(made, traits=self._paths(data["traits"], f"{path}.traits"))
        if "identifiers" in data:
            made = replace(made, identifiers=self._texts(data["identifiers"], f"{path}.identifiers"))
        if not made.traits and not made.identifiers:
            self.note(path, "needs “traits” or “identifiers”: what there is to know")
        return made

    def _half_lives(self, value: object, default: Mapping[str, int | None]) -> dict[str, int | None]:
        data = self.mapping(value, "half_lives")
        self.known(data, "half_lives", EVENT_SCORES)
        given = {
            score: None if data[score] is None else self.window(data[score], f"half_lives.{score}")
            for score in EVENT_SCORES
            if score in data
        }
        return {**default, **given}

    def _stages(self, value: object) -> tuple[Stage, ...]:
        made: list[Stage] = []
        for index, one in enumerate(self.items(value, "stages", most=MOST_STAGES)):
            path = f"stages[{index}]"
            data = self.mapping(one, path)
            self.known(data, path, ("id", "label", "kind"))
            name = self.name(data.get("id"), f"{path}.id")
            if name.strip() and not _ID.fullmatch(name):
                self.note(f"{path}.id", "is no name: small letters, digits, _ and -, beginning with a letter")
            if any(stage.id == name for stage in made):
                self.note(f"{path}.id", f"“{name}” is there already")
            kind = cast(StageKind, self.choice(data.get("kind", "ordinary"), f"{path}.kind", _KINDS))
            made.append(Stage(name, self._label(data, path, Label(name)), kind))
        return tuple(made)

    def _stage(self, data: Mapping[str, Any], field: str, path: str, default: str) -> str:
        """A stage of the table; null and empty are none."""
        if field not in data:
            return default if default in self._stage_ids else ""
        if data[field] in (None, "") or not self._stage_ids:
            return ""
        return self.choice(data[field], f"{path}.{field}".lstrip("."), self._stage_ids)

    def _label(self, data: Mapping[str, Any], path: str, default: Label) -> Label:
        if "label" not in data:
            return default
        value, at = data["label"], f"{path}.label"
        if isinstance(value, str):
            return Label(self.name(value, at))
        given = self.mapping(value, at)
        self.known(given, at, ("en", "vi"))
        english = self.name(given["en"], f"{at}.en") if "en" in given else default.en
        vietnamese = self.text(given["vi"], f"{at}.vi", least=0, most=200) if "vi" in given else default.vi
        return Label(english, vietnamese)

    def _texts(self, value: object, path: str) -> tuple[str, ...]:
        listed = self.items(value, path, least=0, most=MOST_EVENTS)
        return tuple(self.name(one, f"{path}[{index}]") for index, one in enumerate(listed))

    def _paths(self, value: object, path: str) -> tuple[Path, ...]:
        listed = self.items(value, path, least=0, most=MOST_EVENTS)
        return tuple(self.dotted(one, f"{path}[{index}]") for index, one in enumerate(listed))

    def _types(self, value: object, path: str) -> tuple[str, ...]:
        listed = self.items(value, path, least=0, most=len(EVENT_TYPES))
        return tuple(self.choice(one, f"{path}[{index}]", EVENT_TYPES) for index, one in enumerate(listed))

    def _refuse_shared(self, metrics: Iterable[Metric]) -> None:
        """An event is one of at most one metric."""
        owners: dict[str, str] = {}
        for metric in metrics:
            for index, name in enumerate(metric.events):
                if not normal(name):
                    self.note(f"metrics.{metric.id}.events[{index}]", "has no letter or digit")
        for metric in metrics:
            for key, shown, path in _claims(metric):
                owner = owners.setdefault(key, metric.id)
                if owner != metric.id:
                    self.note(path, f"“{shown}” is of the metric “{owner}” already")


def _claims(metric: Metric) -> Iterable[tuple[str, str, str]]:
    """(what is unique, how it is shown, where it stands)"""
    path = f"metrics.{metric.id}"
    yield f"name {normal(metric.id)}", metric.id, path
    for index, name in enumerate(metric.events):
        yield f"name {normal(name)}", name, f"{path}.events[{index}]"
    for index, type_ in enumerate(metric.types):
        yield f"type {type_}", type_, f"{path}.types[{index}]"
