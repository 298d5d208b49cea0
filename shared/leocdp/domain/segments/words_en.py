"""Conditions in English. A phrase is a relative clause after “People”: “who did …”, “whose … is …”."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Final

from leocdp.domain.segments.nodes import (
    Aggregate,
    Bucket,
    Consent,
    EventCount,
    EventQuery,
    Fact,
    FirstTime,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    NumberTest,
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
from leocdp.domain.segments.phrases import Phrases, clock, quoted, quoted_path

_COMPARE: Final = {
    "eq": "exactly {}",
    "ne": "not {}",
    "gt": "more than {}",
    "gte": "at least {}",
    "lt": "fewer than {}",
    "lte": "at most {}",
}
_OF_NUMBERS: Final = {**_COMPARE, "eq": "{}", "lt": "less than {}"}
_OF_TEXT: Final = {
    "contains": "contains {}",
    "not_contains": "does not contain {}",
    "starts_with": "starts with {}",
    "ends_with": "ends with {}",
    "matches": "matches the pattern {}",
    "before": "is before {}",
    "after": "is after {}",
    "on_day": "is on {}",
    "within_last": "is in the last {}",
    "within_next": "is in the next {}",
    "older_than": "is at least {} ago",
}
_OF_LISTS: Final = {
    "in": ("is one of {}", "or"),
    "not_in": ("is none of {}", "or"),
    "contains_any": ("contains any of {}", "or"),
    "contains_all": ("contains all of {}", "and"),
    "contains_none": ("contains none of {}", "or"),
}
_FUNCTIONS: Final = {
    "sum": "the sum of {}",
    "avg": "the average {}",
    "min": "the smallest {}",
    "max": "the largest {}",
    "distinct": "the number of different values of {}",
    "most_frequent": "the most frequent {}",
}
_UNITS: Final = {"d": "day", "h": "hour", "m": "minute"}
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_FACTS: Final = {
    ("place", "country"): "country (last seen)",
    ("place", "region"): "region (last seen)",
    ("place", "city"): "city (last seen)",
    ("device", "type"): "kind of device (last seen)",
    ("device", "os"): "operating system (last seen)",
    ("device", "browser"): "browser (last seen)",
}
_TOUCH: Final = {"source": "source", "medium": "medium", "campaign": "campaign", "referrer_host": "referring site"}
_SCORES: Final = {"data_quality": "data quality"}
_IDENTIFIERS: Final = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "user_id": "a user id",
    "push_token": "a push token",
}
_CHANNELS: Final = {"email": "by e-mail", "phone": "by phone", "push": "by push notification"}
_EVENTS_OF_TYPE: Final = {
    "track": ("did any tracked event", "do any tracked event", "tracked event"),
    "page": ("viewed any page", "view any page", "page view"),
    "screen": ("viewed any screen", "view any screen", "screen view"),
    "identify": ("were identified", "get identified", "identification"),
    "group": ("were put into any group", "get put into any group", "membership of a group"),
    "alias": ("were given another id", "get another id", "change of id"),
}


class English(Phrases):
    everyone: ClassVar[str] = "Everyone"
    nobody: ClassVar[str] = "Nobody"
    and_: ClassVar[str] = "and"
    or_: ClassVar[str] = "or"

    def people(self, phrase: str) -> str:
        return f"People {phrase}"

    def without(self, phrase: str) -> str:
        return f"who are not among the people {phrase}"

    def more(self, count: int) -> str:
        return f"{count:,} more"

    def units(self, count: int, unit: str) -> str:
        return f"{count:,} {_UNITS[unit]}{'' if count == 1 else 's'}"

    def day(self, day: date) -> str:
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def instant(self, at: datetime) -> str:
        return f"{self.day(at)}, {clock(at)} UTC"

    def lately(self, ms: int) -> str:
        """“the last day”, not “the last 1 day”."""
        return self.duration(ms).removeprefix("1 ")

    def boolean(self, value: bool) -> str:
        return "true" if value else "false"

    def number(self, number: float) -> str:
        return f"{number:,}"

    # Comparisons: “is at least 100”

    def test(self, test: ValueTest) -> str:
        notes = [
            *(["ignoring case"] if test.ignore_case else []),
            *(["as a number"] if test.as_number else []),
        ]
        return f"{self._test(test)} ({', '.join(notes)})" if notes else self._test(test)

    def _test(self, test: ValueTest) -> str:
        op = test.op
        if op in ("exists", "missing"):
            return "is known" if op == "exists" else "is not known"
        if test.size is not None:
            return f"has {self.compared(test.size)} entries"
        if op == "between":
            low, high = (self.value(end) for end in test.values)
            return f"is between {low} and {high}"
        if op in ("in", "not_in") and len(test.values) == 1:
            return f"is {'not ' if op == 'not_in' else ''}{self.value(test.values[0])}"
        if op in _OF_LISTS:
            form, word = _OF_LISTS[op]
            return form.format(self.listed(test.values, word))
        if op == "anniversary":
            return "has its anniversary today" + (f" or in the next {self.lately(test.window)}" if test.window else "")
        if op in _OF_TEXT:
            return _OF_TEXT[op].format(self._literal(test))
        return f"is {_OF_NUMBERS[op].format(self._literal(test))}"

    def _literal(self, test: ValueTest) -> str:
        if test.moment is not None:
            return self.moment(test.moment)
        if test.window:
            return self.duration(test.window) if test.op == "older_than" else self.lately(test.window)
        return "" if test.value is None else self.value(test.value)

    def compared(self, test: NumberTest) -> str:
        if test.op == "between":
            return f"{self.number(test.low)} to {self.number(test.high)}"
        return _COMPARE[test.op].format(self.number(test.low))

    def trait(self, node: Trait) -> str:
        return f"whose {quoted_path(node.path)} {self.test(node.test)}"

    # Events

    def where(self, query: EventQuery) -> str:
        tests = [f"{quoted_path(one.path)} {self.test(one.test)}" for one in query.where]
        return f" (where {self.joined(tests, 'and')})" if tests else ""

    def did(self, query: EventQuery) -> str:
        if query.name is None:
            return _EVENTS_OF_TYPE[query.type or "track"][0] + self.where(query)
        return f"{'viewed' if query.type in ('page', 'screen') else 'did'} {self._object(query)}"

    def do(self, query: EventQuery) -> str:
        if query.name is None:
            return _EVENTS_OF_TYPE[query.type or "track"][1] + self.where(query)
        return f"{'view' if query.type in ('page', 'screen') else 'do'} {self._object(query)}"

    def _object(self, query: EventQuery) -> str:
        shown = f"the {query.type} " if query.type in ("page", "screen") else ""
        return f"{shown}{quoted(query.name or '')}{self.where(query)}"

    def event(self, query: EventQuery) -> str:
        """As a noun."""
        if query.name is None:
            return _EVENTS_OF_TYPE[query.type or "track"][2] + self.where(query)
        shown = f"view of the {query.type} " if query.type in ("page", "screen") else ""
        return f"{shown}{quoted(query.name)}{self.where(query)}"

    def span(self, span: Span) -> str:
        if span.within is not None:
            return f" in the last {self.lately(span.within)}"
        if span.between is None:
            return ""
        first, second = (self.moment(end) for end in span.between)
        if not isinstance(span.between[0], date):
            return f" from {first} until before {second}"
        return f" on {first}" if first == second else f" from {first} to {second}"

    def count(self, node: EventCount) -> str:
        test, span = node.count, self.span(node.span)
        if (test.op, test.low) in (("gte", 1), ("gt", 0)):
            return f"who {self.did(node.query)}{span}"
        if (test.op, test.low) in (("eq", 0), ("lt", 1), ("lte", 0)):
            return f"who did not {self.do(node.query)}{span}" if span else f"who never {self.did(node.query)}"
        return f"who {self.did(node.query)} {self._times(test)}{span}"

    def _times(self, test: NumberTest) -> str:
        if test.op != "between" and test.low == 1:
            return _COMPARE[test.op].format("once")
        return f"{self.compared(test)} times"

    def first_time(self, node: FirstTime) -> str:
        return f"who {self.did(node.query)} for the first time ever{self.span(node.span)}"

    def pick(self, node: Pick) -> str:
        picked = f"{node.which} {self.event(node.query)}{self.span(node.span)}"
        return f"for whom the {quoted_path(node.path)} of the {picked} {self.test(node.test)}"

    def aggregate(self, node: Aggregate) -> str:
        result = _FUNCTIONS[node.fn].format(quoted_path(node.path) + (" (as a number)" if node.as_number else ""))
        return f"for whom {result} over all {self.event(node.query)}{self.span(node.span)} {self.test(node.test)}"

    def sequence(self, node: Sequence_) -> str:
        first, *others = node.steps
        steps = [f"who {self.did(first.query)}", *(self._step(step) for step in others)]
        same = f", all with the same {quoted_path(node.same)}" if node.same is not None else ""
        since = f", beginning in the last {self.lately(node.since)}" if node.since is not None else ""
        return f"{', then '.join(steps)} within {self.duration(node.within)}{same}{since}"

    def _step(self, step: Step) -> str:
        return f"did not {self.do(step.query)}" if step.negated else self.did(step.query)

    def regularity(self, node: Regularity) -> str:
        word = "on" if node.unit == "days" else "in"
        return f"who {self.did(node.query)} {word} at least {node.at_least} of the last {node.of_last} {node.unit}"

    # State

    def segment(self, node: InSegment) -> str:
        return f"who are {'not ' if node.negated else ''}in the segment {self.name_of(node.segment)}"

    def list(self, node: InList) -> str:
        return f"who are {'not ' if node.negated else ''}in the list {self.name_of(node.list)}"

    def bucket(self, node: Bucket) -> str:
        part = f"from {self.number(node.low)}% to {self.number(node.high)}%"
        return f"who are in the part {part} of the random split {quoted(node.salt)}"

    def score(self, node: Score) -> str:
        name = _SCORES.get(node.name, node.name.replace("_", " "))
        if node.test.op == "between":
            return f"whose {name} score is between {self.number(node.test.low)} and {self.number(node.test.high)}"
        return f"whose {name} score is {_OF_NUMBERS[node.test.op].format(self.number(node.test.low))}"

    def consent(self, node: Consent) -> str:
        purpose = quoted(node.purpose)
        if node.state == "unknown":
            return f"who have neither granted nor denied consent for {purpose}"
        return f"who have {node.state} consent for {purpose}"

    def identifier(self, node: HasIdentifier) -> str:
        kind = _IDENTIFIERS.get(node.kind, f"an identifier of the kind {quoted(node.kind)}")
        return f"who do not have {kind}" if node.negated else f"who have {kind}"

    def status(self, node: Status) -> str:
        return f"who are {node.state}"

    def reachable(self, node: Reachable) -> str:
        return f"who can be reached {_CHANNELS[node.channel]}"

    def fact(self, node: Fact) -> str:
        shown = _FACTS.get((node.register, node.field))
        if shown is None:
            shown = f"{_TOUCH[node.field]} of the {node.register.removeprefix('touch_')} touch"
        return f"whose {shown} {self.test(node.test)}"

    def stage(self, node: Stage) -> str:
        stages = [self.name_of(stage) for stage in node.stages]
        shown = f"stage {stages[0]}" if len(stages) == 1 else f"stages {self.joined(stages, 'or')}"
        return f"who are {'not ' if node.negated else ''}in the funnel {shown}"

    def label(self, node: Label) -> str:
        return f"who {'do not have' if node.negated else 'have'} the label {quoted(node.label)}"
