"""Conditions, and people and events that nearly satisfy them: everything follows from the number of a case.

Names and values are few, so that kinds collide (``"1"``, ``1``, ``1.0``, ``true``), and times lie a millisecond around
the edges of the windows that conditions name, and around local midnights. A condition is always one that ``parse``
accepts: ``to_json(node)`` is how it is written. Values are such that every store can hold them.

    for case in cases(10_000): …            # plain and fast
    @given(st_cases(families=("trait",)))   # the same for Hypothesis
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final, Literal, cast
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from leocdp.domain.profiles.state import ConsentCell, IdentifierCell, Profile, Register, State
from leocdp.domain.segments.audience import Audience, Points, list_label, member_key
from leocdp.domain.segments.nodes import (
    Aggregate,
    All,
    Any_,
    Bucket,
    Compare,
    Consent,
    EventCount,
    EventNode,
    EventQuery,
    Everyone,
    Fact,
    FirstTime,
    Fn,
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
    PropertyTest,
    Reachable,
    Regularity,
    Scalar,
    Score,
    Sequence_,
    Span,
    Stage,
    Status,
    Step,
    TestOperator,
    Trait,
    ValueTest,
)
from leocdp.domain.segments.subject import EventFact, Setting, Subject, subject_of
from leocdp.domain.segments.time_rules import day_of, midnight_of

Family = Literal["trait", "count", "first", "pick", "aggregate", "sequence", "regularity", "state"]
FAMILIES: Final[tuple[Family, ...]] = (
    "trait", "count", "first", "pick", "aggregate", "sequence", "regularity", "state",
)  # fmt: skip
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

ZONES: Final = tuple(
    map(ZoneInfo, ("UTC", "Asia/Ho_Chi_Minh", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe"))
)
_NOWS: Final = tuple(
    int(datetime.fromisoformat(text).timestamp() * 1000)
    for text in (
        "2026-03-15T10:00:00.123+00:00",
        "2024-02-29T05:30:00+00:00",  # a leap day
        "2026-02-28T17:00:00+00:00",  # a midnight in Ho Chi Minh City
        "2026-03-08T12:00:00+00:00",  # New York puts clocks forward
        "2018-11-04T03:00:00+00:00",  # the midnight that São Paulo skipped
        "2018-02-18T02:30:00+00:00",  # the hour before midnight that São Paulo had twice
        "2026-01-01T00:00:00+00:00",
    )
)
WINDOWS: Final = (MINUTE, 5 * MINUTE, HOUR, 2 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY)
SEGMENTS: Final[Mapping[str, int]] = {"sgm_a": 1, "sgm_b": 3}
HALF_LIVES: Final[Mapping[str, int | None]] = {"lead": 7 * DAY, "loyalty": None, "engagement": HOUR}
NAMES: Final = ("Viewed", "Order Completed", "viewed", "Cart")
NO_DATES: Final = ("2026-02-29", "20260301", "2026-03-01 10:00", "2026-3-1", "yesterday", "2026-03-01T24:00Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TYPES: Final = ("track", "page", "screen", "identify")
TRAITS: Final = ("plan", "tags", "n", "flag", "born", "address", "address.city", "items", "lifetime")
PATHS: Final[tuple[Path, ...]] = (
    *((name,) for name in TRAITS if "." not in name),
    ("address", "city"), ("address", "geo", "lat"), ("items", "id"), ("items", "tags"), ("plan", "x"), ("none",),
)  # fmt: skip
TEXTS: Final = (
    "pro", "Pro", "PRO", "", "pro plan", "1", "1.0", "-2.5e1", "true", "straße", "STRASSE", "Đà Nẵng", " pro", "a.b",
    "İ", "null", "1e999", "0x10", "a'b\"c\\", "%", "_",
)  # fmt: skip
NUMBERS: Final = (0, 1, 2, -1, 1.0, 1.5, 100, 0.1, 2**53 - 1, 1e15, -25, 0.30000000000000004, 0.3)
PATTERNS: Final = ("^pro", "p.o$", "(?i)PRO", r"\d+", "a|b", "^$", "ß", "[[:upper:]]", r"\bpro\b", ".")
KINDS: Final = ("email", "phone", "user_id", "push_token", "social", "social:zalo", "anonymous_id")
IDENTIFIERS: Final = (
    "email:a@x.vn", "email:b@x.vn", "phone:+84901234567", "user_id@shop:u1", "push_token:t", "social:zalo:7",
    "anonymous_id:n",
)  # fmt: skip
_FNS: Final[tuple[Fn, ...]] = ("sum", "avg", "min", "max", "distinct", "most_frequent")
_COMPARES: Final[tuple[Compare, ...]] = ("eq", "ne", "gt", "gte", "lt", "lte", "between")


@dataclass(frozen=True)
class Person:
    """A root as it is stored, with its events."""

    profile: Profile
    events: Sequence[EventFact] = ()


@dataclass(frozen=True)
class Case:
    """A condition put to somebody."""

    number: int
    node: Node
    person: Person
    now: int
    setting: Setting
    segments: Mapping[str, int] = field(default_factory=lambda: SEGMENTS)
    half_lives: Mapping[str, int | None] = field(default_factory=lambda: HALF_LIVES)

    @property
    def subject(self) -> Subject:
        return subject_of(self.person.profile, segments=self.segments, half_lives=self.half_lives, now=self.now)


def cases(count: int, *, start: int = 0, families: Sequence[Family] = FAMILIES) -> Iterator[Case]:
    """Cases ``start`` … ``start + count − 1``."""
    for number in range(start, start + count):
        yield case(number, families)


def case(number: int, families: Sequence[Family] = FAMILIES) -> Case:
    random = Random(f"case {number} {','.join(families)}")
    now, zone = random.choice(_NOWS) + random.choice((0, 0, 1, -1, 999)), random.choice(ZONES)
    made = Maker(random, now, zone)
    return Case(number, made.condition(families), made.person(f"prf_{number}"), now, Setting(zone))


def conditions(
    count: int, *, now: int, zone: ZoneInfo, start: int = 0, families: Sequence[Family] = FAMILIES
) -> Iterator[Node]:
    """Conditions that are asked at one time, to be put to all ``people`` of that time."""
    for number in range(start, start + count):
        yield Maker(Random(f"condition {number} {now} {zone.key} {','.join(families)}"), now, zone).condition(families)


def people(count: int, *, now: int, zone: ZoneInfo, start: int = 0) -> Iterator[Person]:
    for number in range(start, start + count):
        yield Maker(Random(f"person {number} {now} {zone.key}"), now, zone).person(f"prf_{number}")


def st_cases(families: Sequence[Family] = FAMILIES) -> st.SearchStrategy[Case]:
    return st.integers(0, 2**32).map(lambda number: case(number, families))


def st_conditions(families: Sequence[Family] = FAMILIES) -> st.SearchStrategy[Node]:
    return st_cases(families).map(lambda one: one.node)


class Maker:
    """Everything of one case, drawn from one source."""

    def __init__(self, random: Random, now: int, zone: ZoneInfo) -> None:
        self._random = random
        self._now = now
        self._zone = zone
        self._focus = random.choice(WINDOWS)
        """The window that is named more often than others, so that edges of one thing meet those of another."""

    # Times

    def window(self) -> int:
        return self._focus if self._random.random() < 0.5 else self._random.choice(WINDOWS)

    def near_now(self) -> int:
        """A time at which something may be about to change."""
        random = self._random
        edge = random.choice(("window", "window", "windows", "inside", "inside", "inside", "midnight", "any"))
        if edge == "midnight":
            at = midnight_of(day_of(self._now, self._zone) - random.choice((0, 1, 2, 6, 7, 30)), self._zone)
        elif edge == "any":
            at = self._now - random.randrange(40 * DAY)
        else:
            windows = [self.window() for _ in range(2 if edge == "windows" else 1)]
            at = self._now - (random.randrange(windows[0]) if edge == "inside" else sum(windows))
        return min(at + random.choice((0, 0, -1, 1)), self._now)

    def date_text(self) -> str:
        """As people write dates: plain days, with and without an offset; now and then none at all."""
        random = self._random
        at = self._now + random.choice((-1, 1)) * (self._now - self.near_now())
        draw = random.randrange(8)
        if draw == 0:
            return random.choice(NO_DATES)
        moment = _EPOCH + timedelta(milliseconds=at)
        if draw == 1:
            return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
        if draw == 2:
            return f"{moment:%Y-%m-%dT%H:%M}Z"
        local = moment.astimezone(self._zone)
        if draw == 3:
            return local.replace(tzinfo=None).isoformat(timespec="milliseconds")
        if draw == 4:
            return local.isoformat(timespec="milliseconds")
        if draw < 7:
            return local.date().isoformat()
        return f"{random.choice((1980, 1996, 2000, 2027))}-{local:%m-%d}" if local.day < 29 else "2000-02-29"

    def moment(self) -> Moment:
        random = self._random
        at = self.near_now()
        if random.random() < 0.6:
            return date.fromordinal(day_of(at, self._zone) + random.choice((-1, 0, 0, 1)))
        return at

    # Values

    def value(self, depth: int = 2) -> Any:
        random = self._random
        draw = random.random()
        if draw < 0.35:
            return random.choice(TEXTS)
        if draw < 0.55:
            return random.choice(NUMBERS)
        if draw < 0.63:
            return random.random() < 0.5
        if draw < 0.75:
            return self.date_text()
        if draw < 0.8 or not depth:
            return None
        if draw < 0.9:
            return [self.value(depth - 1) for _ in range(random.randrange(4))]
        return self.object(depth)

    def object(self, depth: int) -> dict[str, Any]:
        random = self._random
        names = random.sample(("city", "geo", "id", "tags", "x", "geo.lat"), random.randrange(1, 4))
        return {name: {"lat": self.value(0)} if name == "geo" else self.value(depth - 1) for name in names}

    def items(self) -> list[Any]:
        return [
            self.object(2) if self._random.random() < 0.8 else self.value(1) for _ in range(self._random.randrange(4))
        ]

    def scalar(self) -> Scalar:
        random = self._random
        draw = random.random()
        if draw < 0.55:
            return random.choice(TEXTS)
        if draw < 0.85:
            return self.number()
        return self.date_text() if draw < 0.92 else random.random() < 0.5

    def number(self) -> int | float:
        number = self._random.choice(NUMBERS)
        return int(number) if number == int(number) else number

    # Tests

    def test(self, *, text: bool = False, relative: bool = True) -> ValueTest:
        random = self._random
        families: list[Callable[[], ValueTest]] = [self._equal, self._set, self._text]
        if text:
            return random.choice(families)() if random.random() < 0.8 else self._presence()
        families += [self._order, self._list, self._presence, self._size, self._date]
        if relative:
            families.append(self._relative)
        return random.choice(families)()

    def _equal(self) -> ValueTest:
        return self._cased(self._random.choice(("eq", "ne")), value=self.scalar())

    def _set(self) -> ValueTest:
        values = tuple(self.scalar() for _ in range(self._random.randrange(1, 4)))
        return self._cased(self._random.choice(("in", "not_in")), values=values)

    def _list(self) -> ValueTest:
        values = tuple(self.scalar() for _ in range(self._random.randrange(1, 4)))
        test = self._cased(self._random.choice(("contains_any", "contains_all", "contains_none")), values=values)
        return ValueTest(test.op, values=values) if test.as_number else test

    def _cased(self, op: TestOperator, *, value: Scalar | None = None, values: tuple[Scalar, ...] = ()) -> ValueTest:
        draw = self._random.random()
        literals = (*values, value) if value is not None else values
        if draw < 0.3 and all(isinstance(one, str) for one in literals):
            return ValueTest(op, value, values, ignore_case=True)
        casts = draw > 0.6 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in literals)
        return ValueTest(op, value, values, as_number=casts)

    def _text(self) -> ValueTest:
        random = self._random
        op: TestOperator = random.choice(("contains", "not_contains", "starts_with", "ends_with", "matches"))
        part = random.choice(PATTERNS) if op == "matches" else random.choice([one for one in TEXTS if one])
        return ValueTest(op, part, ignore_case=random.random() < 0.4)

    def _order(self) -> ValueTest:
        random = self._random
        casts = random.random() < 0.3
        if random.random() < 0.25:
            low, high = sorted((self.number(), self.number()))
            return ValueTest("between", values=(low, high), as_number=casts)
        return ValueTest(random.choice(("gt", "gte", "lt", "lte")), self.number(), as_number=casts)

    def _presence(self) -> ValueTest:
        return ValueTest(self._random.choice(("exists", "missing")))

    def _size(self) -> ValueTest:
        return ValueTest("size", size=self.count())

    def _date(self) -> ValueTest:
        op: TestOperator = self._random.choice(("before", "after", "on_day"))
        moment = self.moment()
        if op == "on_day" and isinstance(moment, int):
            moment = date.fromordinal(day_of(moment, self._zone))
        return ValueTest(op, moment=moment)

    def _relative(self) -> ValueTest:
        random = self._random
        op: TestOperator = random.choice(("within_last", "within_next", "older_than", "anniversary"))
        if op == "anniversary":
            return ValueTest(op, window=random.choice((0, 1, 7, 30, 364, 365)) * DAY)
        return ValueTest(op, window=self.window())

    def count(self, most: int = 4) -> NumberTest:
        random = self._random
        op = random.choice(_COMPARES)
        if op == "between":
            low, high = sorted(random.choices(range(most), k=2))
            return NumberTest(op, low, high)
        return NumberTest(op, max(random.randrange(most), 1 if op == "lt" else 0))

    # Conditions

    def condition(self, families: Sequence[Family] = FAMILIES, depth: int = 2) -> Node:
        random = self._random
        draw = random.random()
        if not depth or draw < 0.6:
            return self.leaf(random.choice(families))
        if draw < 0.7:
            return Not(self.condition(families, depth - 1))
        parts = tuple(self.condition(families, depth - 1) for _ in range(random.randrange(1, 4)))
        return All(parts) if draw < 0.85 else Any_(parts)

    def leaf(self, family: Family) -> Node:
        if family == "trait":
            test = self.test()
            return Trait(self._fit(test, ("born",), ("tags",), ("n",), self._random.choice(PATHS)), test)
        return self.state_node() if family == "state" else self.event_node(family)

    def event_node(self, family: Family) -> EventNode:
        random = self._random
        query = self.query()
        if family == "count":
            return EventCount(query, NumberTest("gte", 1) if random.random() < 0.3 else self.count(), self.span())
        if family == "first":
            return FirstTime(query, self.span())
        if family == "pick":
            path, test = self._tested_property()
            return Pick(query, random.choice(("first", "last")), path, test, self.span())
        if family == "aggregate":
            return self._aggregate(query)
        if family == "regularity":
            last = random.choice((1, 2, 3, 7, 8))
            unit = cast(Any, random.choice(("days", "weeks")))
            return Regularity(query, random.randrange(1, min(last, 4) + 1), last, unit)
        return self._sequence()

    def _aggregate(self, query: EventQuery) -> Aggregate:
        random = self._random
        fn = random.choice(_FNS)
        if fn == "most_frequent":
            op: TestOperator = random.choice(("eq", "ne"))
            test = random.choice((self._text, lambda: ValueTest(op, random.choice(TEXTS), ignore_case=True)))()
        elif random.random() < 0.3:
            test = ValueTest("between", values=tuple(sorted((self.number(), self.number()))))
        else:
            test = ValueTest(random.choice(("eq", "ne", "gt", "gte", "lt", "lte")), self.number())
        casts = fn != "most_frequent" and random.random() < 0.3
        return Aggregate(query, fn, self._property(), test, self.span(), casts)

    def _sequence(self) -> Sequence_:
        random = self._random
        count = random.choice((2, 2, 2, 3, 4))
        steps = [Step(self.query()) for _ in range(count)]
        if random.random() < 0.5:
            steps[-1] = Step(steps[-1].query, True)
        since = None if random.random() < 0.3 else self.window()
        same = random.choice((("product_id",), ("items", "id"))) if random.random() < 0.4 else None
        return Sequence_(tuple(steps), random.choice((MINUTE, 5 * MINUTE, self.window())), since, same)

    def query(self) -> EventQuery:
        random = self._random
        draw = random.random()
        where = (PropertyTest(*self._tested_property()),) if random.random() < 0.25 else ()
        if draw < 0.8:
            return EventQuery(random.choice(NAMES[:2]), where)
        if draw < 0.9:
            return EventQuery(random.choice(NAMES), where, random.choice(TYPES[:3]))
        return EventQuery(None, where, random.choice(TYPES))

    def _tested_property(self) -> tuple[Path, ValueTest]:
        test = self.test()
        return self._fit(test, ("when",), ("tags",), ("total",), self._property()), test

    def _fit(self, test: ValueTest, dates: Path, lists: Path, numbers: Path, any_: Path) -> Path:
        """Mostly where values are of the kind that the test is for."""
        if self._random.random() < 0.3:
            return any_
        if test.window or test.moment is not None or test.op == "anniversary":
            return dates
        if test.op in ("contains_any", "contains_all", "contains_none", "size"):
            return lists
        return numbers if test.op in ("gt", "gte", "lt", "lte", "between") else any_

    def _property(self) -> Path:
        return self._random.choice(
            (("total",), ("total",), ("total",), ("product_id",), ("tags",), ("items", "id"), ("items", "x"), ("when",))
        )

    def span(self) -> Span:
        random = self._random
        draw = random.random()
        if draw < 0.3:
            return Span()
        if draw < 0.75:
            return Span(within=self.window())
        first, last = self.near_now(), self.near_now()
        days = sorted((date.fromordinal(day_of(first, self._zone)), date.fromordinal(day_of(last, self._zone))))
        if random.random() < 0.5:
            return Span(between=(days[0], days[1]))
        return Span(between=(min(first, last), max(first, last) + 1))

    def state_node(self) -> Node:
        random = self._random
        negated = random.random() < 0.4
        words = ("eq", "ne")
        places: dict[str, tuple[str, ...]] = {
            "place": ("country", "region", "city"),
            "device": ("type", "os", "browser"),
            "touch_first": ("source", "medium", "campaign", "referrer_host"),
            "touch_last": ("source", "medium", "campaign", "referrer_host"),
        }
        register = random.choice(tuple(places))
        low = random.choice((0, 10, 50, 33.3))
        makers: tuple[Callable[[], Node], ...] = (
            Everyone,
            lambda: InSegment(random.choice(("sgm_a", "sgm_b", "sgm_c")), negated),
            lambda: InList(random.choice(("lst_a", "lst_b")), negated),
            lambda: Bucket(random.choice(("s", "campaign-7")), low, low + random.choice((0.5, 10, 50))),
            lambda: Score(random.choice(("lead", "loyalty", "engagement", "none")), self._score_test()),
            lambda: Consent(random.choice(("marketing", "analytics")), random.choice(("granted", "denied", "unknown"))),
            lambda: HasIdentifier(random.choice(KINDS), negated),
            lambda: Status(random.choice(("identified", "anonymous"))),
            lambda: Reachable(random.choice(("email", "phone", "push"))),
            lambda: Fact(cast(Any, register), random.choice(places[register]), self._fact_test(words)),
            lambda: Stage(
                tuple(random.sample(("", "lead", "prospect", "customer")[1:], random.randrange(1, 3))), negated
            ),
            lambda: Label(random.choice(("vip", "VIP")), negated),
        )
        return random.choice(makers)()

    def _score_test(self) -> NumberTest:
        random = self._random
        op = random.choice(_COMPARES)
        low, high = sorted(random.choices((0, 5, 10, 20, 40, -10, 2.5), k=2))
        return NumberTest(op, low, high) if op == "between" else NumberTest(op, low)

    def _fact_test(self, words: Sequence[str]) -> ValueTest:
        test = self.test(text=True)
        literals = (*test.values, *(() if test.value is None else (test.value,)))
        if all(isinstance(one, str) for one in literals):
            return ValueTest(test.op, test.value, test.values, ignore_case=test.ignore_case)
        return ValueTest(cast(TestOperator, self._random.choice(words)), self._random.choice(TEXTS))

    # People

    def person(self, id: str) -> Person:
        profile = Profile(id, self._now - 40 * DAY, self.state(), revision=0)
        profile.audience = self.audience()
        return Person(profile, self.events())

    def state(self) -> State:
        random = self._random
        state = State()
        makers: dict[str, Callable[[], Any]] = {
            "born": self.date_text,
            "tags": self.tags,
            "address": lambda: self.object(2),
            "items": self.items,
            "n": self.number,
        }
        for name in random.sample(TRAITS, random.randrange(4, len(TRAITS) + 1)):
            fit = makers.get(name) if random.random() < 0.8 else None
            value = self.value() if fit is None else fit()
            state.traits[name] = Register(value, self._now - DAY, f"t-{name}")
        for label in random.sample(("vip", "VIP", list_label("lst_a"), list_label("lst_b")), random.randrange(4)):
            state.labels[label] = Register(True if random.random() < 0.7 else None, 1, "l")
        self._registers(state)
        self._identifiers(state)
        return state

    def tags(self) -> list[Any]:
        return [self.scalar() for _ in range(self._random.randrange(4))]

    def _registers(self, state: State) -> None:
        random = self._random
        found = {
            "touch": {"source": random.choice(TEXTS[:5]), "medium": "cpc"},
            "device": {"type": "mobile", "os": random.choice(("iOS", "Android"))},
            "place": {"country": random.choice(("VN", "vn", "TH")), "city": random.choice(TEXTS)},
        }
        for name in random.sample(tuple(found), random.randrange(4)):
            state.lasts[name] = Register(found[name], 5, "m5")
            if name == "touch" and random.random() < 0.7:
                state.firsts[name] = Register({"source": random.choice(TEXTS[:5])}, 1, "m1")

    def _identifiers(self, state: State) -> None:
        random = self._random
        keys = (
            "email:a@x.vn",
            "phone:+84901234567",
            "user_id@shop:u1",
            "push_token:t",
            "social:zalo:7",
            "anonymous_id:n",
        )
        for key in random.sample(keys, random.randrange(len(keys))):
            state.identifiers[key] = IdentifierCell(
                1, 5, "shop", "m", random.choice(("active", "active", "former", "shared"))
            )
            for purpose in ("marketing", "analytics"):
                if random.random() < 0.3:
                    state.consents.setdefault(purpose, {})[key] = ConsentCell(random.random() < 0.6, 3)

    def audience(self) -> Audience | None:
        random = self._random
        if random.random() < 0.15:
            return None
        audience = Audience(generation=1, stage=random.choice(("", "lead", "prospect", "customer")))
        for name in HALF_LIVES:
            if random.random() < 0.5:
                points = Points(random.choice((10.0, 40.0, 5.0, -10.0, 20.0)), self.near_now(), 1)
                audience.scores[name] = {"a": points, "b": Points(random.choice((0.0, 10.0, 0.1)), self.near_now(), 2)}
        for id, version in (*SEGMENTS.items(), ("sgm_b", 2), ("sgm_c", 1)):
            if random.random() < 0.4:
                audience.members[member_key(id, version)] = self.near_now()
        if random.random() < 0.5:
            audience.computed = {"lifetime": self.number(), **({"plan": "pro"} if random.random() < 0.2 else {})}
        return audience

    def events(self) -> list[EventFact]:
        """Several of them at one time; a quarter of the people have none."""
        random = self._random
        count = 0 if random.random() < 0.25 else random.choice((1, 2, 3, 5, 8, 12))
        times = [self.near_now() for _ in range(max(1, count // 2 + 1))]
        events = [self.event(f"m{number:02d}", random.choice(times)) for number in range(count)]
        random.shuffle(events)
        return events

    def event(self, message_id: str, at: int) -> EventFact:
        random = self._random
        type_ = random.choice(("track", "track", "track", *TYPES))
        if type_ == "identify":
            return EventFact(at, message_id, type_, None, {})
        name = random.choice((*NAMES, *NAMES[:2], *NAMES[:2]))
        if type_ != "track" and random.random() < 0.2:
            return EventFact(at, message_id, type_, None, self.properties())
        return EventFact(at, message_id, type_, name, self.properties())

    def properties(self) -> dict[str, Any]:
        random = self._random
        found: dict[str, Any] = {
            "total": self.number() if random.random() < 0.7 else self.value(),
            "product_id": random.choice(("p1", "p2", 1, "1", True)),
            "tags": self.tags(),
            "items": self.items(),
            "when": self.date_text(),
            "items.id": random.choice(("p1", 1, None)),
        }
        return {name: value for name, value in found.items() if random.random() < 0.7}
