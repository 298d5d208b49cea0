"""What SQL asks back while it runs: SQLite calls into this process, so the meaning of a condition is never said twice.

SQL compares otherwise than conditions do (1, 1.0, ``true`` and ``"1"``; case; what lies in lists; sums of doubles). So
values are compared here, by the rules of ``domain.segments``, and SQL chooses whose values are looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

import msgspec

from leocdp.adapters.sqlite.profiles.codec import PackedId, unpack_id
from leocdp.domain.profiles.state import Person, Profile, State
from leocdp.domain.segments.audience import Audience
from leocdp.domain.segments.subject import EventFact, Subject, subject_of
from leocdp.ports.profile_reader import Question

StateTest = Callable[[Subject], bool]
BodyTest = Callable[[Any, int], bool]
"""Of the properties of an event, and its time."""
EventsTest = Callable[[Sequence[EventFact]], bool]
IdTest = Callable[[str], bool]


class _Body(msgspec.Struct):
    """Of an event's body what conditions see."""

    properties: dict[str, Any] = msgspec.field(default_factory=dict)


SCALARS: Final[Mapping[str, int]] = {"state_holds": 5, "body_holds": 3, "id_holds": 2, "period_of": 2}
"""Name → arguments; the first one is the number of the test."""
AGGREGATE: Final = "events_hold"
AGGREGATED: Final = 6
_properties_of: Final = msgspec.json.Decoder(_Body).decode


@dataclass(slots=True)
class Functions:
    """The tests of one condition, by their numbers. Used by one statement at a time."""

    states: list[StateTest] = field(default_factory=list)
    bodies: list[BodyTest] = field(default_factory=list)
    events: list[EventsTest] = field(default_factory=list)
    ids: list[IdTest] = field(default_factory=list)
    periods: list[Callable[[int], int]] = field(default_factory=list)
    parts: frozenset[str] = frozenset()
    """Fields of ``State`` that the tests of states look at."""


@contextmanager
def registered(connection: sqlite3.Connection, functions: Functions, question: Question) -> Iterator[None]:
    """Inside, the connection knows the functions that printed conditions call."""
    people = _People(question, functions.parts)
    states, bodies, ids, periods = functions.states, functions.bodies, functions.ids, functions.periods
    called: Mapping[str, Callable[..., int]] = {
        "state_holds": lambda test, *row: states[test](people.subject(*row)),
        "body_holds": lambda test, body, at: bodies[test](_properties_of(body).properties, at),
        "id_holds": lambda test, packed: ids[test](unpack_id(packed)),
        "period_of": lambda which, at: periods[which](at),
    }
    for name, arguments in SCALARS.items():
        connection.create_function(name, arguments, called[name], deterministic=True)
    collecting = cast(Any, type("Collecting", (Collected,), {"tests": functions.events}))
    connection.create_aggregate(AGGREGATE, AGGREGATED, collecting)
    try:
        yield
    finally:
        for name, arguments in SCALARS.items():
            connection.create_function(name, arguments, None)
        connection.create_aggregate(AGGREGATE, AGGREGATED, cast(Any, None))


class Collected:
    """An aggregate over events of a person. Without any it is not asked."""

    tests: Sequence[EventsTest] = ()

    def __init__(self) -> None:
        self._test = 0
        self._facts: list[EventFact] = []

    def step(self, test: int, at: int, message_id: str, type_: str, name: str | None, body: bytes) -> None:
        self._test = test
        self._facts.append(EventFact(at, message_id, type_, name, _properties_of(body).properties))

    def finalize(self) -> int:
        return self.tests[self._test](self._facts)


class _People:
    """Rows of people as conditions see them. Several tests of one row decode it once."""

    def __init__(self, question: Question, parts: frozenset[str]) -> None:
        self._question = question
        state = _part_of(State, parts)
        self._state = msgspec.msgpack.Decoder(state).decode
        self._person = msgspec.msgpack.Decoder(msgspec.defstruct("Part", [("state", state)])).decode
        self._audience = msgspec.msgpack.Decoder(_part_of(Audience, frozenset({"computed", "scores", "stage"}))).decode
        self._last: tuple[PackedId, Subject] | None = None

    def subject(self, packed: PackedId, state: bytes | None, person: bytes | None, audience: bytes | None) -> Subject:
        if self._last is None or self._last[0] != packed:
            self._last = (packed, self._decoded(packed, state, person, audience))
        return self._last[1]

    def _decoded(self, packed: PackedId, state: bytes | None, person: bytes | None, audience: bytes | None) -> Subject:
        known = self._state(state or b"\x80") if person is None else cast(Person, self._person(person)).state
        kept = None if audience is None else cast(Audience, self._audience(audience))
        profile = Profile(unpack_id(packed), 0, cast(State, known), audience=kept)
        # Members are asked of their table.
        question = self._question
        return subject_of(profile, segments={}, half_lives=question.half_lives, now=question.now)


@lru_cache(maxsize=64)
def _part_of(kind: type[msgspec.Struct], names: Collection[str]) -> type[msgspec.Struct]:
    """A record of some fields of another: decoding it skips the rest, and a person may have much of that."""
    fields: list[tuple[str, Any, Any]] = []
    for one in msgspec.structs.fields(kind):
        if one.name in names:
            made = one.default
            if made is msgspec.NODEFAULT:
                made = msgspec.field(default_factory=cast(Callable[[], Any], one.default_factory))
            fields.append((one.name, one.type, made))
    return msgspec.defstruct(kind.__name__, fields)
