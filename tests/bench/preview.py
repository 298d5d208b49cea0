"""Benchmark of previews: how soon a condition is answered from the sample, and how long the exact answer takes.

Store: built first, by commits of 10,000 people with three events each, over the last 60 days: every fifth event an
order, a fifth of the people on the plan ``pro``, names and identifiers as in ``profile_store_cost``.
Load: closed loop, one preview at a time through the reader that admin uses (its page cache is as small as admin's, the
file is in the system's cache): the size from the sample, then ten people. The first preview of each condition counts
like the others. The limit is reading the rows of the sample by plain SQL.
Every answer is held against what was stored: the estimate must contain the true share within its error, or twice that
(one of twenty intervals may miss), and the exact count must be it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.profiles.connection import Tuning, open_for_reading
from leocdp.domain.decisions import Changes, EventWrite, Owner, OwnerWrite
from leocdp.domain.events import Address, Envelope, SourceFacts, profile_id_for
from leocdp.domain.profiles.state import IdentifierCell, Profile, Register, State
from leocdp.domain.segments.nodes import Node
from leocdp.domain.segments.parse import parse_condition
from leocdp.ports.profile_reader import Question
from tests.bench.figures import Figure, figure
from tests.bench.lookups import ADMIN_CACHE, Person
from tests.bench.processes import DoesNotAddUp, full

SMALL, LARGE = 100_000, 1_000_000
ROUNDS = 3
PREVIEWS = 5
BATCH = 10_000
EVENTS = 3
NOW = 1_790_000_000_000
DAY = 86_400_000
SOURCE = SourceFacts("bench")
PLANS = ("pro", "free", "free", "basic", "free")


@dataclass(frozen=True)
class Story:
    """What happened to a person, by number; the numbers are mixed so that nothing follows the order of storing."""

    number: int

    @property
    def mixed(self) -> int:
        return self.number * 2_654_435_761 % (1 << 32) >> 4

    @property
    def plan(self) -> str:
        return PLANS[self.mixed % 5]

    def happened(self, event: int) -> tuple[str, int, int]:
        """Name, time and total of an event."""
        mixed = (self.mixed * 31 + event * 7_919) % 1_000_003
        name = "Order Completed" if mixed % 5 == 0 else "Product Viewed"
        return name, NOW - 1 - mixed % (60 * DAY // 1_000) * 1_000, mixed % 200

    @property
    def recent_orders(self) -> int:
        """Of 100 or more, within 30 days."""
        happened = map(self.happened, range(EVENTS))
        return sum(name == "Order Completed" and at > NOW - 30 * DAY and total >= 100 for name, at, total in happened)

    @property
    def bought_after_viewing(self) -> bool:
        """Within 10 days."""
        happened = [self.happened(event) for event in range(EVENTS)]
        views = [at for name, at, _ in happened if name == "Product Viewed"]
        orders = [at for name, at, _ in happened if name == "Order Completed"]
        return any(view <= order <= view + 10 * DAY for view in views for order in orders)


def added(changes: Changes, number: int) -> None:
    """One person with everything."""
    person, story = Person(number), Story(number)
    profile_id = profile_id_for(SOURCE.id, f"p-{number}", NOW - 61 * DAY)
    state = State(first_seen=NOW - 60 * DAY, last_seen=NOW, total=EVENTS)
    for trait, value in {"name": person.name, "plan": story.plan, "city": "Hà Nội", "orders": number % 7}.items():
        state.traits[trait] = Register(value, NOW, "m", SOURCE.id)
    keys = (f"user_id:{person.user_id}", f"email:{person.email}", f"anonymous_id:{person.anonymous_id}")
    for key in keys:
        state.identifiers[key] = IdentifierCell(NOW, NOW, SOURCE.id, "m")
        changes.owners.append(OwnerWrite(key, Owner(profile_id)))
    changes.profiles.append(Profile(profile_id, NOW - 61 * DAY, state))
    changes.names_changed.add(profile_id)
    for event in range(EVENTS):
        changes.events.append(EventWrite(_envelope(number, event, story), profile_id))


def _envelope(number: int, event: int, story: Story) -> Envelope:
    name, at, total = story.happened(event)
    properties = {"total": total, "product_id": f"SP{number % 300}", "currency": "VND"}
    context = {"locale": "vi-VN", "page": {"path": "/san-pham", "url": "https://shop.example.vn/san-pham"}}
    return Envelope(
        message_id=f"m-{number}-{event}",
        type="track",
        name=name,
        source=SOURCE,
        protocol="segment",
        received_at=NOW,
        timestamp=at,
        address=Address("bench", 0, 0, 0),
        properties=properties,
        context=context,
    )


async def build(path: Path, people: int) -> None:
    store = SQLiteProfileStore(path)
    await store.start()
    for begin in range(0, people, BATCH):
        changes = Changes()
        for number in range(begin, min(begin + BATCH, people)):
            added(changes, number)
        await store.commit(changes, [], NOW)
    await store.close()


@dataclass(frozen=True)
class Case:
    what: str
    condition: Node
    true: int
    """How many people satisfy it."""


def cases(people: int) -> Sequence[Case]:
    stories = [Story(number) for number in range(people)]
    orders = {
        "event": "Order Completed",
        "where": [{"property": "total", "is": "gte", "value": 100}],
        "within": "30d",
    }
    pro = {"trait": "plan", "is": "eq", "value": "pro"}
    then = {"sequence": [{"event": "Product Viewed"}, {"event": "Order Completed"}], "within": "10d"}
    absent = {"event": "Order Completed", "count": {"is": "eq", "value": 0}}
    return (
        Case("a trait", parse_condition(pro), sum(one.plan == "pro" for one in stories)),
        Case("orders in a window", parse_condition(orders), sum(one.recent_orders >= 1 for one in stories)),
        Case(
            "a trait and no recent order",
            parse_condition({"all": [pro, {**orders, "count": absent["count"]}]}),
            sum(one.plan == "pro" and not one.recent_orders for one in stories),
        ),
        Case("a sequence", parse_condition(then), sum(one.bought_after_viewing for one in stories)),
    )


async def preview(reader: SQLiteProfileReader, case: Case, people: int, at: int) -> float:
    """Seconds. Raises DoesNotAddUp."""
    question = Question(case.condition, at, ZoneInfo("Asia/Ho_Chi_Minh"))
    began = time.perf_counter()
    size = await reader.size_of(question, sample=True)
    some = await reader.matching(question, limit=10)
    took = time.perf_counter() - began
    if abs(size.count - case.true) > 2 * size.error or len(some) != 10 or size.exact != (people <= 20_000):
        raise DoesNotAddUp(f"{case.what}: {case.true} people, but the preview says {size} and finds {len(some)}")
    return took


async def exact(reader: SQLiteProfileReader, case: Case) -> float:
    question = Question(case.condition, NOW, ZoneInfo("Asia/Ho_Chi_Minh"))
    began = time.perf_counter()
    size = await reader.size_of(question, sample=False)
    if (size.count, size.exact) != (case.true, True):
        raise DoesNotAddUp(f"{case.what}: {case.true} people, but the exact answer is {size}")
    return time.perf_counter() - began


def plain(path: Path, tuning: Tuning) -> float:
    sql = "SELECT id, state, audience FROM profiles INDEXED BY profiles_sample WHERE sample < 16 AND root IS NULL"
    with closing(open_for_reading(path, tuning)) as connection:
        began = time.perf_counter()
        _read_all(connection, sql)
        return time.perf_counter() - began


def _read_all(connection: sqlite3.Connection, sql: str) -> None:
    if not connection.execute(sql).fetchall():
        raise DoesNotAddUp("the sample is empty")


async def ask_all(path: Path, people: int) -> list[Figure]:
    reader = SQLiteProfileReader(path, tuning=ADMIN_CACHE)
    await reader.start()
    figures = []
    for case in cases(people):
        took, limits = [], []
        for _ in range(ROUNDS):
            took.append(max([await preview(reader, case, people, NOW) for _ in range(PREVIEWS)]))
            limits.append(plain(path, ADMIN_CACHE))
        seconds = await exact(reader, case)
        figures.append(
            figure(
                f"preview of {case.what}, {people:,} people, slowest of {PREVIEWS}",
                [one * 1000 for one in took],
                "ms",
                limits=[one * 1000 for one in limits],
                limit_of="the sample's rows by SQL",
                target=1_000,
                at_most=True,
                absolute=True,
                note=f"exact after {seconds:.1f} s",
            )
        )
    await reader.close()
    return figures


def measure(people: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name:
        path = Path(name) / "profiles.db"
        began = time.perf_counter()
        asyncio.run(build(path, people))
        size = path.stat().st_size >> 20
        print(f"  {people:,} people built in {time.perf_counter() - began:.0f} s, {size:,} MiB", flush=True)
        return asyncio.run(ask_all(path, people))


def main() -> Sequence[Figure]:
    return measure(SMALL) + (measure(LARGE) if full() else [])


if __name__ == "__main__":
    for one in measure(int(sys.argv[1]) if len(sys.argv) > 1 else SMALL):
        print(
            f"{one.what}: {one.value:,.1f} ms ({one.low:,.1f}–{one.high:,.1f}), {one.note}; limit {one.limit:,.1f} ms"
        )
