"""The JSON of a condition, in one canonical spelling: equal trees give equal JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from leocdp.domain.segments.nodes import (
    Aggregate,
    All,
    Any_,
    Bucket,
    Consent,
    EventCount,
    EventQuery,
    Everyone,
    Fact,
    FirstTime,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    Moment,
    Node,
    Not,
    NumberTest,
    Path,
    Pick,
    Reachable,
    Regularity,
    Score,
    Sequence_,
    Span,
    Stage,
    Status,
    Step,
    Trait,
    ValueTest,
)
from leocdp.domain.segments.reading import UNITS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_json(node: Node) -> dict[str, Any]:
    """``parse_condition(to_json(node)) == node`` for every tree that ``parse_condition`` has made."""
    return _PRINTERS[type(node)](node)


def duration(ms: int) -> str:
    """``30d``, ``2h``, ``90m``. Weeks are days: people say “the last 30 days”."""
    for unit in "dhm":
        if ms % UNITS[unit] == 0:
            return f"{ms // UNITS[unit]}{unit}"
    raise ValueError(f"{ms} ms are no whole minutes")


def moment(value: Moment) -> str:
    """ISO 8601."""
    if isinstance(value, date):
        return value.isoformat()
    text = (_EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def dotted(path: Path) -> str:
    return ".".join(path)


def number_test(test: NumberTest) -> dict[str, Any]:
    value = [test.low, test.high] if test.op == "between" else test.low
    return {"is": test.op, "value": value}


def value_test(test: ValueTest) -> dict[str, Any]:
    if test.size is not None:
        return {"size": number_test(test.size)}
    found: dict[str, Any] = {"is": test.op}
    if test.op == "anniversary":
        if test.window:
            found["within_next"] = duration(test.window)
    elif test.moment is not None:
        found["value"] = moment(test.moment)
    elif test.window:
        found["value"] = duration(test.window)
    elif test.values:
        found["value"] = list(test.values)
    elif test.value is not None:
        found["value"] = test.value
    if test.ignore_case:
        found["ignore_case"] = True
    if test.as_number:
        found["as"] = "number"
    return found


def span(value: Span) -> dict[str, Any]:
    if value.within is not None:
        return {"within": duration(value.within)}
    if value.between is not None:
        return {"between": [moment(end) for end in value.between]}
    return {}


def query(value: EventQuery) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if value.name is not None:
        found["event"] = value.name
    if value.type is not None:
        found["type"] = value.type
    if value.where:
        found["where"] = [{"property": dotted(one.path), **value_test(one.test)} for one in value.where]
    return found


def _count(node: EventCount) -> dict[str, Any]:
    return {**query(node.query), "count": number_test(node.count), **span(node.span)}


def _first(node: FirstTime) -> dict[str, Any]:
    return {**query(node.query), "first": True, **span(node.span)}


def _pick(node: Pick) -> dict[str, Any]:
    asked = {"pick": node.which, "property": dotted(node.path), **value_test(node.test)}
    return {**query(node.query), **asked, **span(node.span)}


def _aggregate(node: Aggregate) -> dict[str, Any]:
    asked = {"fn": node.fn, "property": dotted(node.path)} | ({"as": "number"} if node.as_number else {})
    return {**query(node.query), "aggregate": asked, **value_test(node.test), **span(node.span)}


def _step(step: Step) -> dict[str, Any]:
    return {**query(step.query), "not": True} if step.negated else query(step.query)


def _sequence(node: Sequence_) -> dict[str, Any]:
    found: dict[str, Any] = {"sequence": [_step(step) for step in node.steps], "within": duration(node.within)}
    if node.since is not None:
        found["since"] = duration(node.since)
    if node.same is not None:
        found["same"] = dotted(node.same)
    return found


def _regularity(node: Regularity) -> dict[str, Any]:
    asked = {"on_at_least": node.at_least, "of_last": node.of_last, "unit": node.unit}
    return {**query(node.query), **asked}


def _fact(node: Fact) -> dict[str, Any]:
    if node.register.startswith("touch_"):
        return {"touch": node.register.removeprefix("touch_"), "field": node.field, **value_test(node.test)}
    return {node.register: node.field, **value_test(node.test)}


def _stage(node: Stage) -> dict[str, Any]:
    return {"stage": node.stages[0] if len(node.stages) == 1 else list(node.stages), "is": _is_in(node.negated)}


def _is_in(negated: bool) -> str:
    return "not_in" if negated else "in"


_PRINTERS: Final[Mapping[type, Callable[[Any], dict[str, Any]]]] = {
    Everyone: lambda node: {"everyone": True},
    All: lambda node: {"all": [to_json(part) for part in node.parts]},
    Any_: lambda node: {"any": [to_json(part) for part in node.parts]},
    Not: lambda node: {"not": to_json(node.part)},
    Trait: lambda node: {"trait": dotted(node.path), **value_test(node.test)},
    EventCount: _count,
    FirstTime: _first,
    Pick: _pick,
    Aggregate: _aggregate,
    Sequence_: _sequence,
    Regularity: _regularity,
    InSegment: lambda node: {"segment": node.segment, "is": _is_in(node.negated)},
    InList: lambda node: {"list": node.list, "is": _is_in(node.negated)},
    Bucket: lambda node: {"bucket": {"salt": node.salt, "from": node.low, "to": node.high}},
    Score: lambda node: {"score": node.name, **number_test(node.test)},
    Consent: lambda node: {"consent": node.purpose, "is": node.state},
    HasIdentifier: lambda node: {"identifier": node.kind, "is": "missing" if node.negated else "exists"},
    Status: lambda node: {"status": node.state},
    Reachable: lambda node: {"reachable": node.channel},
    Fact: _fact,
    Stage: _stage,
    Label: lambda node: {"label": node.label, "is": _is_in(node.negated)},
}
