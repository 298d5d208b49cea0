"""The JSON Schema of conditions (draft 2020-12), for the OpenAPI document and for editors.

It says what shape a condition has. Rules between fields and values that a schema cannot say (dates that exist, reversed
ranges, depth, expressions of RE2) are those of ``parse``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from leocdp.domain.events import EVENT_TYPES
from leocdp.domain.segments.event_conditions import FUNCTIONS
from leocdp.domain.segments.limits import (
    LARGEST_NUMBER,
    LONGEST_NAME,
    LONGEST_PATTERN,
    LONGEST_TEXT,
    MOST_COUNT,
    MOST_DAYS,
    MOST_LISTED,
    MOST_NODES,
    MOST_STEPS,
)
from leocdp.domain.segments.parse import FACTS
from leocdp.domain.segments.value_tests import (
    ANNIVERSARY,
    COMPARISONS,
    EQUAL,
    LISTS,
    MOMENTS,
    ORDER,
    PRESENCE,
    SETS,
    TEXT,
    WINDOWS,
)

PLACE: Final = "#/components/schemas/Condition"
"""Where the schema stands in the OpenAPI document; its references are absolute."""
_DURATION: Final = "^[0-9]{1,9}[mhdw]$"
_WORD: Final = "^[a-z][a-z0-9_-]{0,59}$"
_NUMBERS: Final = {"minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}
_CASED: Final = {"ignore_case": {"type": "boolean"}}
_AS: Final = {"as": {"const": "number"}}


def condition_schema(place: str = PLACE) -> dict[str, Any]:
    """The schema, whose references are right where it stands at ``place`` (a JSON pointer) of a document."""
    return _Schema(place).made()


class _Schema:
    def __init__(self, place: str) -> None:
        self._place = place
        self._texts = {"type": "array", "items": _text(LONGEST_TEXT), "minItems": 1, "maxItems": MOST_LISTED}

    def made(self) -> dict[str, Any]:
        return {
            "title": "Condition",
            "description": "A condition over profiles and their events. docs/segments.md explains every form.",
            "oneOf": [
                *self._groups(),
                *self._trait(),
                *self._events(),
                self._sequence(),
                *self._state(),
            ],
            "$defs": self._definitions(),
        }

    def _ref(self, name: str) -> dict[str, str]:
        return {"$ref": f"{self._place}/$defs/{name}"}

    def _definitions(self) -> dict[str, Any]:
        return {
            "Duration": {"type": "string", "pattern": _DURATION, "examples": ["30d", "2h"]},
            "Moment": {"type": "string", "examples": ["2026-01-31", "2026-01-31T09:00:00Z"]},
            "Literal": {"type": ["string", "number", "boolean"], "maxLength": LONGEST_TEXT, **_NUMBERS},
            "Literals": {
                "type": "array",
                "items": self._ref("Literal"),
                "minItems": 1,
                "maxItems": MOST_LISTED,
            },
            "Number": {"type": "number", **_NUMBERS},
            "Numbers": {"type": "array", "items": self._ref("Number"), "minItems": 2, "maxItems": 2},
            "Count": {"oneOf": self._number_tests(_whole(0, MOST_COUNT))},
            "Where": {
                "type": "array",
                "maxItems": MOST_NODES,
                "items": {"oneOf": self._tests({"property": _text(LONGEST_NAME)})},
            },
            "Span": {"type": "array", "items": self._ref("Moment"), "minItems": 2, "maxItems": 2},
        }

    # Groups

    def _groups(self) -> Iterable[dict[str, Any]]:
        condition = {"$ref": self._place}
        several = {"type": "array", "items": condition, "minItems": 1, "maxItems": MOST_NODES}
        yield _object({"all": several})
        yield _object({"any": several})
        yield _object({"not": condition})
        yield _object({"everyone": {"const": True}})

    # Comparisons

    def _tests(self, fields: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """All comparisons of a value, each with these fields beside it."""
        more = optional or {}

        def test(operators: Iterable[str], value: Any, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
            return _object({**fields, "is": _one_of(operators), "value": value}, {**(extra or {}), **more})

        text = _text(LONGEST_TEXT)
        return [
            test(EQUAL, self._ref("Literal"), {**_CASED, **_AS}),
            test(SETS, self._ref("Literals"), {**_CASED, **_AS}),
            test(ORDER, self._ref("Number"), _AS),
            test(["between"], self._ref("Numbers"), _AS),
            test([one for one in TEXT if one != "matches"], text, _CASED),
            test(["matches"], _text(LONGEST_PATTERN), _CASED),
            test(LISTS, self._ref("Literals"), _CASED),
            test(MOMENTS, self._ref("Moment")),
            test(WINDOWS, self._ref("Duration")),
            _object({**fields, "is": _one_of(PRESENCE)}, more),
            _object({**fields, "is": {"const": ANNIVERSARY}}, {"within_next": self._ref("Duration"), **more}),
            _object({**fields, "size": self._ref("Count")}, more),
        ]

    def _text_tests(
        self, fields: Mapping[str, Any], optional: Mapping[str, Any] | None = None, *, presence: bool = True
    ) -> list[dict[str, Any]]:
        more = {**_CASED, **(optional or {})}
        text = {"type": "string", "maxLength": LONGEST_TEXT}
        made = [
            _object({**fields, "is": _one_of((*EQUAL, *TEXT)), "value": text}, more),
            _object({**fields, "is": _one_of(SETS), "value": {**self._texts, "items": text}}, more),
        ]
        if presence:
            made.append(_object({**fields, "is": _one_of(PRESENCE)}, optional))
        return made

    def _number_tests(
        self, number: Any, fields: Mapping[str, Any] | None = None, optional: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        one = [name for name in COMPARISONS if name != "between"]
        two = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
        return [
            _object({**(fields or {}), "is": _one_of(one), "value": number}, optional),
            _object({**(fields or {}), "is": {"const": "between"}, "value": two}, optional),
        ]

    def _trait(self) -> list[dict[str, Any]]:
        return self._tests({"trait": _text(LONGEST_NAME)})

    # Events

    def _events(self) -> Iterable[dict[str, Any]]:
        """Each form once for events by name and once for all of a type."""
        name = {"event": _text(LONGEST_NAME)}
        yield from self._event_forms(name, {"type": _one_of(("track", "page", "screen"))})
        yield from self._event_forms({"type": _one_of(EVENT_TYPES)}, {})

    def _event_forms(self, query: Mapping[str, Any], narrowing: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        where = {"where": self._ref("Where"), **narrowing}
        spanned = {**where, "within": self._ref("Duration"), "between": self._ref("Span")}
        yield _spanned(_object(query, {**spanned, "count": self._ref("Count")}))
        yield _spanned(_object({**query, "first": {"const": True}}, spanned))
        picked = {**query, "pick": _one_of(("first", "last")), "property": _text(LONGEST_NAME)}
        yield from (_spanned(one) for one in self._tests(picked, spanned))
        numbers = self._aggregate([one for one in FUNCTIONS if one != "most_frequent"], _AS)
        number = self._ref("Number")
        yield from (_spanned(one) for one in self._number_tests(number, {**query, "aggregate": numbers}, spanned))
        texts = {**query, "aggregate": self._aggregate(["most_frequent"], {})}
        yield from (_spanned(one) for one in self._text_tests(texts, spanned, presence=False))
        yield _object(
            {**query, "on_at_least": _whole(1, MOST_DAYS), "of_last": _whole(1, MOST_DAYS)},
            {**where, "unit": _one_of(("days", "weeks"))},
        )

    def _aggregate(self, functions: Iterable[str], optional: Mapping[str, Any]) -> dict[str, Any]:
        return _object({"fn": _one_of(functions), "property": _text(LONGEST_NAME)}, optional)

    def _sequence(self) -> dict[str, Any]:
        step = {
            **_object(
                {},
                {
                    "event": _text(LONGEST_NAME),
                    "type": _one_of(EVENT_TYPES),
                    "where": self._ref("Where"),
                    "not": {"type": "boolean"},
                },
            ),
            "anyOf": [{"required": ["event"]}, {"required": ["type"]}],
        }
        steps = {"type": "array", "items": step, "minItems": 2, "maxItems": MOST_STEPS}
        return _object(
            {"sequence": steps, "within": self._ref("Duration")},
            {"since": self._ref("Duration"), "same": _text(LONGEST_NAME)},
        )

    # State

    def _state(self) -> Iterable[dict[str, Any]]:
        member = {"is": _one_of(("in", "not_in"))}
        for family in ("segment", "list", "label"):
            yield _object({family: _text(LONGEST_NAME)}, member)
        word = {"type": "string", "pattern": _WORD}
        words = {"type": "array", "items": word, "minItems": 1, "maxItems": MOST_LISTED}
        yield _object({"stage": {"oneOf": [word, words]}}, member)
        yield from self._number_tests(self._ref("Number"), {"score": word})
        yield _object({"consent": word, "is": _one_of(("granted", "denied", "unknown"))})
        yield _object({"identifier": _text(LONGEST_NAME)}, {"is": _one_of(PRESENCE)})
        yield _object({"status": _one_of(("identified", "anonymous"))})
        yield _object({"reachable": _one_of(("email", "phone", "push"))})
        yield from self._text_tests({"place": _one_of(FACTS["place"])})
        yield from self._text_tests({"device": _one_of(FACTS["device"])})
        yield from self._text_tests({"touch": _one_of(("first", "last")), "field": _one_of(FACTS["touch"])})
        percentage = {"type": "number", "minimum": 0, "maximum": 100}
        yield _object({"bucket": _object({"salt": _text(LONGEST_NAME), "from": percentage, "to": percentage})})


def _object(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": {**required, **(optional or {})}}
    if required:
        made["required"] = list(required)
    return {**made, "additionalProperties": False}


def _spanned(schema: dict[str, Any]) -> dict[str, Any]:
    """``within`` or ``between``, not both."""
    return {**schema, "not": {"required": ["within", "between"]}}


def _one_of(names: Iterable[str]) -> dict[str, Any]:
    return {"enum": list(names)}


def _text(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def _whole(low: int, high: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high}
