"""A condition as the text of a WHERE clause over ``profiles AS p``, for roots only.

Said in SQL: who is looked at, which events, in which span of time, how many, the first, the last, which members, labels
and status. Asked back (``functions``): what values are compared with. Nothing of a condition stands in the text: names,
numbers and times are bound. Each part is 0 or 1, never NULL, so that ``NOT`` is plain negation.

Parts of ``all`` and ``any`` come in the order of what they cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from leocdp.adapters.sqlite.segments.functions import Functions
from leocdp.domain.profiles.apply import NAMED_TYPES
from leocdp.domain.segments.audience import list_label, member_key
from leocdp.domain.segments.evaluate import answer_with
from leocdp.domain.segments.event_answers import answer_events
from leocdp.domain.segments.node_state import build_all, telling
from leocdp.domain.segments.nodes import (
    Aggregate,
    All,
    Any_,
    Bucket,
    Consent,
    EventCount,
    EventNode,
    EventQuery,
    Everyone,
    Fact,
    FirstTime,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    Node,
    Not,
    NumberTest,
    Pick,
    Reachable,
    Regularity,
    Score,
    Sequence_,
    Span,
    Stage,
    Status,
    Trait,
)
from leocdp.domain.segments.subject import Setting, Subject
from leocdp.domain.segments.time_rules import bounds_of, period_of, period_start
from leocdp.domain.segments.values import answer_values, bucket_of, found, number_of
from leocdp.ports.profile_reader import Question

_ASKED: Final = (Trait, Fact, Score, Consent, HasIdentifier, Reachable, Stage)
"""Conditions on the state of a person, which is one record that only this process can read."""
_PARTS: Final[Mapping[type, tuple[str, ...]]] = {
    Trait: ("traits",),
    Fact: ("firsts", "lasts"),
    Consent: ("consents",),
    HasIdentifier: ("identifiers",),
    Reachable: ("identifiers", "consents"),
}
_SIGNS: Final = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_YES: Final = "1"
_NO: Final = ":no"
"""Bound to 0: where a condition is 0 for certain, SQLite finds no way to use the index that it is told to use."""
_NAMED: Final = ", ".join(f"'{one}'" for one in sorted(NAMED_TYPES))
_LEAVES: Final = "(SELECT p.id UNION ALL SELECT l.id FROM profiles AS l INDEXED BY profiles_root WHERE l.root = p.id)"
_EVENTS: Final = f"FROM events AS e INDEXED BY events_leaf WHERE e.leaf IN {_LEAVES}"
_STATE: Final = "p.id, CASE WHEN p.person IS NULL THEN p.state END, p.person, p.audience"


@dataclass(frozen=True, slots=True)
class Printed:
    """``text`` is for the question it was printed for: the functions know its time and zone."""

    question: Question
    text: str
    binds: Mapping[str, Any]
    functions: Functions


def print_condition(question: Question) -> Printed:
    printer = _Printer(question)
    text = printer.text(question.condition)
    return Printed(question, text, printer.binds, printer.functions)


@dataclass(slots=True)
class _Printer:
    question: Question
    binds: dict[str, Any] = field(default_factory=lambda: {"no": 0})
    functions: Functions = field(default_factory=Functions)

    @property
    def _setting(self) -> Setting:
        return Setting(self.question.zone)

    def bind(self, value: Any) -> str:
        name = f"v{len(self.binds)}"
        self.binds[name] = value
        return f":{name}"

    # The tree

    def text(self, node: Node) -> str:
        if is_asked(node):
            return self._asked(node)
        if isinstance(node, All | Any_):
            return self._several(node)
        if isinstance(node, Not):
            return f"NOT ({self.text(node.part)})"
        return _PRINTERS[type(node)](self, node)

    def _several(self, node: All | Any_) -> str:
        asked = tuple(part for part in node.parts if is_asked(part))
        others = [part for part in node.parts if not is_asked(part)]
        # What is asked of the state is asked together.
        parts = [*others, *([type(node)(asked)] if asked else [])]
        texts = [f"({self.text(part)})" for part in sorted(parts, key=_cost)]
        if not texts:
            return _YES if isinstance(node, All) else _NO
        return (" AND " if isinstance(node, All) else " OR ").join(texts)

    def _asked(self, node: Node) -> str:
        question, setting = self.question, self._setting

        def holds(subject: Subject) -> bool:
            return answer_with(node, subject, lambda _: None, question.now, setting).holds

        self.functions.states.append(holds)
        self.functions.parts |= _parts(node)
        return f"state_holds({len(self.functions.states) - 1}, {_STATE})"

    # What tables say of people

    def everyone(self, node: Everyone) -> str:
        return _YES

    def status(self, node: Status) -> str:
        return f"p.status = {1 if node.state == 'identified' else 0}"

    def label(self, node: Label | InList) -> str:
        label = node.label if isinstance(node, Label) else list_label(node.list)
        found = _NO
        if is_storable(label):
            bound = self.bind(label)
            found = f"EXISTS (SELECT 1 FROM labels AS b WHERE b.label = {bound} AND b.num = p.num)"  # noqa: S608 - bound
        return f"NOT ({found})" if node.negated else found

    def segment(self, node: InSegment) -> str:
        version, found = self.question.segments.get(node.segment), _NO
        if version is not None and is_storable(node.segment):
            key = self.bind(member_key(node.segment, version))
            found = (
                "EXISTS (SELECT 1 FROM members AS m WHERE m.profile = p.id"  # noqa: S608 - bound
                f" AND m.segment = (SELECT k.num FROM member_keys AS k WHERE k.key = {key}))"
            )
        return f"NOT ({found})" if node.negated else found

    def bucket(self, node: Bucket) -> str:
        self.functions.ids.append(lambda one: node.low <= bucket_of(node.salt, one) < node.high)
        return f"id_holds({len(self.functions.ids) - 1}, p.id)"

    # Events

    def count(self, node: EventCount) -> str:
        events = f"{self._events(node.query)}{self._in_span(node.span)}"
        most = self.bind(telling(node.count))
        return self._compared(f"(SELECT count(*) FROM (SELECT 1 {events} LIMIT {most}))", node.count)  # noqa: S608

    def first(self, node: FirstTime) -> str:
        first = f"(SELECT min(e.timestamp) {self._events(node.query)})"
        span = node.span
        if span.within is not None:
            return f"coalesce({first} > {self.bind(self.question.now - span.within)}, 0)"
        if span.between is None:
            return f"{first} IS NOT NULL"
        start, end = bounds_of(span.between, self.question.zone)
        return f"coalesce({first} BETWEEN {self.bind(start)} AND {self.bind(end - 1)}, 0)"

    def pick(self, node: Pick) -> str:
        question = self.question

        def holds(properties: Any, _: int) -> bool:
            return answer_values(node.test, found(properties, node.path), question.now, question.zone).holds

        events = f"{self._events(node.query)}{self._in_span(node.span)}"
        way = "ASC" if node.which == "first" else "DESC"
        chosen = f"SELECT e.seq {events} ORDER BY e.timestamp {way}, e.message_id {way} LIMIT 1"
        test = f"body_holds({self._body(holds)}, c.body, 0)"
        picked = f"SELECT {test} FROM events AS c WHERE c.seq = ({chosen})"  # noqa: S608 - bound
        return f"coalesce(({picked}), {self._without(node)})"

    def regularity(self, node: Regularity) -> str:
        zone, unit = self.question.zone, node.unit
        today = period_of(self.question.now, unit, zone)
        begin, end = (period_start(one, unit, zone) for one in (today - node.of_last + 1, today + 1))
        self.functions.periods.append(
            lambda at: period_of(period_start(period_of(at, unit, zone), unit, zone), unit, zone)
        )
        period = f"period_of({len(self.functions.periods) - 1}, e.timestamp)"
        events = f"{self._events(node.query)} AND e.timestamp >= {self.bind(begin)} AND e.timestamp < {self.bind(end)}"
        return f"(SELECT count(DISTINCT {period}) {events}) >= {self.bind(node.at_least)}"

    def aggregate(self, node: Aggregate) -> str:
        return self._collected(node, [node.query], self._in_span(node.span))

    def sequence(self, node: Sequence_) -> str:
        since = "" if node.since is None else f" AND e.timestamp > {self.bind(self.question.now - node.since)}"
        return self._collected(node, [step.query for step in node.steps], since)

    def _collected(self, node: EventNode, queries: Sequence[EventQuery], span: str) -> str:
        """All that may count is put together, and the node is asked."""
        question, setting = self.question, self._setting
        self.functions.events.append(
            lambda facts: answer_events(node, build_all(node, facts, setting), question.now, setting).holds
        )
        wanted = " OR ".join(dict.fromkeys(self._named(query) for query in queries))
        columns = "e.timestamp, e.message_id, e.type, e.name, e.body"
        called = f"events_hold({len(self.functions.events) - 1}, {columns})"
        return f"coalesce((SELECT {called} {_EVENTS}{span} AND ({wanted})), {self._without(node)})"

    def _without(self, node: EventNode) -> str:
        """What the node says of people who have no such event."""
        return _YES if answer_events(node, None, self.question.now, self._setting).holds else _NO

    def _events(self, query: EventQuery) -> str:
        where = ""
        if query.where:
            zone = self.question.zone

            def holds(properties: Any, at: int) -> bool:
                tests = query.where
                return all(answer_values(one.test, found(properties, one.path), at, zone).holds for one in tests)

            where = f" AND body_holds({self._body(holds)}, e.body, e.timestamp)"
        return f"{_EVENTS} AND {self._named(query)}{where}"

    def _named(self, query: EventQuery) -> str:
        if query.name is None:
            return _NO if query.type is None else f"e.type = {self.bind(query.type)}"
        if not is_storable(query.name) or query.type not in (None, *NAMED_TYPES):
            return _NO
        types = f"e.type IN ({_NAMED})" if query.type is None else f"e.type = {self.bind(query.type)}"
        return f"({types} AND e.name = {self.bind(query.name)})"

    def _in_span(self, span: Span) -> str:
        if span.within is not None:
            return f" AND e.timestamp > {self.bind(self.question.now - span.within)}"
        if span.between is None:
            return ""
        start, end = bounds_of(span.between, self.question.zone)
        return f" AND e.timestamp >= {self.bind(start)} AND e.timestamp < {self.bind(end)}"

    def _body(self, holds: Callable[[Any, int], bool]) -> int:
        self.functions.bodies.append(holds)
        return len(self.functions.bodies) - 1

    def _compared(self, number: str, test: NumberTest) -> str:
        low, high = number_of(test.low), number_of(test.high)
        if low is None or (test.op == "between" and high is None):
            return _NO
        if test.op == "between":
            return f"{number} BETWEEN {self.bind(low)} AND {self.bind(high)}"
        return f"{number} {_SIGNS[test.op]} {self.bind(low)}"


_PRINTERS: Final[Mapping[type, Callable[[_Printer, Any], str]]] = {
    Everyone: _Printer.everyone,
    Status: _Printer.status,
    Label: _Printer.label,
    InList: _Printer.label,
    InSegment: _Printer.segment,
    Bucket: _Printer.bucket,
    EventCount: _Printer.count,
    FirstTime: _Printer.first,
    Pick: _Printer.pick,
    Regularity: _Printer.regularity,
    Aggregate: _Printer.aggregate,
    Sequence_: _Printer.sequence,
}


def is_asked(node: Node) -> bool:
    """Whether all of it is about the state of a person, so that one call answers it."""
    if isinstance(node, All | Any_):
        return bool(node.parts) and all(map(is_asked, node.parts))
    return is_asked(node.part) if isinstance(node, Not) else isinstance(node, _ASKED)


def is_storable(text: str) -> bool:
    """Half of a surrogate pair cannot be bound, and no stored text has one."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _parts(node: Node) -> frozenset[str]:
    """Fields of a state that conditions look at."""
    if isinstance(node, All | Any_):
        return frozenset().union(*map(_parts, node.parts))
    return _parts(node.part) if isinstance(node, Not) else frozenset(_PARTS.get(type(node), ()))


def _cost(node: Node) -> int:
    """From what stands in a column to what reads all events of somebody."""
    if isinstance(node, All | Any_):
        return max(map(_cost, node.parts), default=0)
    if isinstance(node, Not):
        return _cost(node.part)
    if isinstance(node, Aggregate | Sequence_):
        return 4
    if isinstance(node, EventCount | FirstTime | Pick | Regularity):
        return 2
    return 3 if isinstance(node, _ASKED) else 0 if isinstance(node, Everyone | Status) else 1
