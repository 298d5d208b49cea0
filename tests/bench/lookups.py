"""Benchmark of reading: look-ups, searches, and what the page of a person asks for, through the reader that admin uses.

Store: built first, by the processor's own steps (parse, load, decide, commit) in batches of 20,000 events: people with
names as frequent as in Vietnam, with e-mail address, phone number, user id and anonymous id, and some with a long
story. Load: closed loop, one question at a time, of people drawn evenly; a tenth of each round first to warm up. The
file is in the system's cache, the reader's own page cache is as small as admin's. Figures are the 99th percentile of
each round. The limit is what plain SQL takes for the bare rows in the same round.
The build fails unless the store holds the people and events that were made, and every question must find its answer.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.profiles.codec import pack_key
from leocdp.adapters.sqlite.profiles.connection import Tuning, open_for_reading
from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.identity.rules import default_rules
from leocdp.ports.event_log import Record
from leocdp.ports.profile_reader import EventQuery, ProfileQuery
from leocdp.ports.profile_store import PositionKey, PositionMove
from leocdp_processor.decide.batch import decide, load_request
from leocdp_processor.parse import parse
from tests.bench.figures import Figure, figure
from tests.bench.processes import DoesNotAddUp, full, percentile

SMALL, LARGE = 200_000, 1_000_000
ROUNDS = 3
BATCH = 20_000
BUSY, STORY = 500, 100
"""So many people have a story of so many events more."""
BEGAN = 1_772_352_000_000
ADMIN_CACHE = Tuning(cache_mb=32)
FAMILY = ("Nguyễn",) * 6 + ("Trần", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ")
MIDDLE = ("Thị", "Văn", "Minh", "Ngọc", "Đức", "Thu", "Hoài", "Quốc", "Thanh", "Kim", "Bảo")
GIVEN = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khang", "Lan", "Nam", "Oanh", "Phúc", "Quân", "Trang", "Yến")


@dataclass(frozen=True)
class Person:
    number: int

    @property
    def phone(self) -> str:
        return f"+849{self.number * 7_919_003 % 10**8:08d}"

    @property
    def email(self) -> str:
        return f"khach.{self.number}@example.vn"

    @property
    def user_id(self) -> str:
        return f"kh-{self.number:08d}"

    @property
    def anonymous_id(self) -> str:
        return f"{self.number * 2_654_435_761 % (1 << 32):08x}-4b1d-8c22"

    @property
    def name(self) -> str:
        mixed = self.number * 2_654_435_761 % (1 << 32) >> 8
        return f"{FAMILY[mixed % 16]} {MIDDLE[mixed // 16 % 11]} {GIVEN[mixed // 176 % 14]}"

    def identify(self) -> Item:
        traits = {"name": self.name, "email": self.email, "phone": self.phone, "city": "Hà Nội"}
        return self._item("identify", f"identify-{self.number}", traits=traits)

    def view(self, number: int) -> Item:
        properties = {"product_id": f"SP{number % 300}", "price": 145_000, "currency": "VND"}
        return self._item("track", f"view-{self.number}-{number}", event="Product Viewed", properties=properties)

    def _item(self, kind: str, message_id: str, **fields: object) -> Item:
        ids = {"messageId": message_id, "userId": self.user_id, "anonymousId": self.anonymous_id}
        context = {"locale": "vi-VN", "page": {"path": "/san-pham", "url": "https://shop.example.vn/san-pham"}}
        return Item(kind, json.dumps({**ids, **fields, "context": context}).encode())


def all_items(people: int) -> Iterator[Item]:
    for number in range(people):
        yield Person(number).identify()
    for story in range(STORY):
        for number in range(BUSY):
            yield Person(busy(number, people)).view(story)


def busy(number: int, people: int) -> int:
    """The people with a story are spread over all."""
    return number * (people // BUSY)


def batches(people: int) -> Iterator[Record]:
    """Records that are far larger than an observer's: one is a batch."""
    waiting: list[Item] = []
    offset = 0
    for item in all_items(people):
        waiting.append(item)
        if len(waiting) == BATCH:
            yield _record(waiting, offset)
            waiting, offset = [], offset + 1
    if waiting:
        yield _record(waiting, offset)


def _record(items: list[Item], offset: int) -> Record:
    at = BEGAN + offset * 4_000
    value = encode(AcceptedRecord(VERSION, [RequestBlock(at, "shop", "segment", items, authenticated=True)]))
    return Record(EVENTS_ACCEPTED, 0, offset, at, None, value)


async def build(path: Path, people: int) -> float:
    """Seconds that it took. Raises DoesNotAddUp."""
    began = time.perf_counter()
    store = SQLiteProfileStore(path)
    await store.start()
    rules, key = default_rules(), PositionKey("bench", EVENTS_ACCEPTED, 0)
    for record in batches(people):
        work = parse([record], rules).work
        snapshot = await store.load(load_request(work, rules))
        changes = decide(work, snapshot, rules, record.timestamp)
        move = PositionMove(key, record.offset or None, record.offset + 1)
        await store.commit(changes, [move], record.timestamp)
    await store.close()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        found = file.execute("SELECT (SELECT count(*) FROM profiles), (SELECT count(*) FROM events)").fetchone()
    if found != (people, people + BUSY * STORY):
        raise DoesNotAddUp(f"{people} people with {people + BUSY * STORY} events were made; stored are {found}")
    return time.perf_counter() - began


Question = Callable[[SQLiteProfileReader, Person], Awaitable[object]]
Plain = Callable[[sqlite3.Connection, Person], object]


@dataclass(frozen=True)
class Case:
    what: str
    ask: Question
    plain: Plain
    plain_what: str
    count: int
    """Questions a round."""
    target: float
    only_busy: bool = False


def identifier(person: Person) -> Identifier:
    """Of a different kind for each person in turn."""
    kinds = (
        ("email", person.email),
        ("phone", person.phone),
        ("user_id", person.user_id),
        ("anonymous_id", person.anonymous_id),
    )
    return Identifier(*kinds[person.number // 7 % 4])


async def find(reader: SQLiteProfileReader, person: Person) -> object:
    return await reader.find(identifier(person))


async def page(reader: SQLiteProfileReader, person: Person) -> object:
    """What both tabs of a person's page ask for."""
    root = await reader.find(identifier(person))
    if root is None:
        return None
    again = await reader.find(root.id)
    story = await reader.events(root.leaf_ids, EventQuery(limit=50))
    history = await reader.identity_history(root.leaf_ids)
    return (again, story.data, history) if story.data else None


async def timeline(reader: SQLiteProfileReader, person: Person) -> object:
    """Two pages of a long story."""
    root = await reader.find(identifier(person))
    if root is None:
        return None
    first = await reader.events(root.leaf_ids, EventQuery(limit=50))
    return first.next and (await reader.events(root.leaf_ids, EventQuery(limit=50, cursor=first.next))).data


def search(text: Callable[[Person], str]) -> Question:
    async def ask(reader: SQLiteProfileReader, person: Person) -> object:
        return (await reader.search(ProfileQuery(text(person)))).data

    return ask


def plain_find(store: sqlite3.Connection, person: Person) -> object:
    sql = "SELECT p.state FROM identifiers i JOIN profiles p ON p.id = i.leaf WHERE i.key = ?"
    return store.execute(sql, (pack_key(identifier(person).key),)).fetchall()


def plain_events(store: sqlite3.Connection, person: Person) -> object:
    sql = (
        "SELECT e.* FROM identifiers i JOIN events e ON e.leaf = i.leaf WHERE i.key = ?"
        " ORDER BY e.timestamp DESC LIMIT 100"
    )
    return store.execute(sql, (pack_key(identifier(person).key),)).fetchall()


def plain_part(store: sqlite3.Connection, person: Person) -> object:
    sql = "SELECT rowid FROM texts_fts WHERE texts_fts MATCH ? LIMIT 50"
    return store.execute(sql, (f'"{person.phone[4:10]}"',)).fetchall()


def plain_everyone(store: sqlite3.Connection, person: Person) -> object:
    sql = "SELECT state FROM profiles WHERE root IS NULL AND status = 1 ORDER BY last_seen DESC LIMIT 50"
    return store.execute(sql).fetchall()


CASES = (
    Case("look-up by identifier", find, plain_find, "index and row by SQL", 2_000, 10),
    Case("page of a person, all its queries", page, plain_find, "index and row by SQL", 500, 200),
    Case(f"timeline of {STORY} events, two pages", timeline, plain_events, "the rows by SQL", 200, 200, True),
    Case("search by e-mail address", search(lambda p: p.email), plain_find, "index and row by SQL", 200, 200),
    Case("search by six digits of a phone", search(lambda p: p.phone[4:10]), plain_part, "trigram index", 200, 200),
    Case("search by a full name", search(lambda p: p.name), plain_everyone, "50 rows by SQL", 40, 200),
    Case("search by the commonest name", search(lambda _: "nguyen"), plain_everyone, "50 rows by SQL", 20, 200),
    Case("search by one letter", search(lambda _: "h"), plain_everyone, "50 rows by SQL", 20, 200),
    Case("list by last activity", search(lambda _: ""), plain_everyone, "50 rows by SQL", 40, 200),
)


@dataclass(frozen=True)
class Round:
    seconds: list[float]
    cpu: float
    plain: list[float]


async def one_round(
    case: Case, reader: SQLiteProfileReader, store: sqlite3.Connection, people: Sequence[Person]
) -> Round:
    warm = len(people) // 10
    seconds, plain = [], []
    cpu = 0.0
    for at, person in enumerate(people):
        used, began = time.process_time(), time.perf_counter()
        found = await case.ask(reader, person)
        ended = time.perf_counter()
        if at >= warm:
            seconds.append(ended - began)
            cpu += time.process_time() - used
        if not found:
            raise DoesNotAddUp(f"{case.what}: person {person.number} was not found")
        began = time.perf_counter()
        case.plain(store, person)
        if at >= warm:
            plain.append(time.perf_counter() - began)
    return Round(seconds, cpu, plain)


async def ask_all(path: Path, people: int) -> list[Figure]:
    reader = SQLiteProfileReader(path, tuning=ADMIN_CACHE)
    await reader.start()
    random = Random(people)
    figures = []
    with closing(open_for_reading(path, ADMIN_CACHE)) as store:
        for case in CASES:
            rounds = []
            for _ in range(ROUNDS):
                drawn = [
                    random.randrange(BUSY) if case.only_busy else random.randrange(people) for _ in range(case.count)
                ]
                asked = [Person(busy(one, people) if case.only_busy else one) for one in drawn]
                rounds.append(await one_round(case, reader, store, asked))
            figures.append(shown(case, rounds, people))
    await reader.close()
    return figures


def shown(case: Case, rounds: Sequence[Round], people: int) -> Figure:
    p50 = sorted(percentile(one.seconds, 0.5) for one in rounds)[len(rounds) // 2] * 1000
    cpu = sorted(one.cpu / len(one.seconds) for one in rounds)[len(rounds) // 2] * 1000
    return figure(
        f"{case.what}, {people:,} people, p99",
        [percentile(one.seconds, 0.99) * 1000 for one in rounds],
        "ms",
        limits=[percentile(one.plain, 0.99) * 1000 for one in rounds],
        limit_of=case.plain_what,
        target=case.target,
        at_most=True,
        absolute=True,
        note=f"p50 {p50:.2f} ms, {cpu:.2f} ms of CPU",
    )


def measure(people: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as name:
        path = Path(name) / "profiles.db"
        took = asyncio.run(build(path, people))
        size = path.stat().st_size >> 20
        print(f"  {people:,} people built in {took:.0f} s, {size:,} MiB", flush=True)
        return asyncio.run(ask_all(path, people))


def main() -> Sequence[Figure]:
    return measure(SMALL) + (measure(LARGE) if full() else [])


if __name__ == "__main__":
    for one in measure(int(sys.argv[1]) if len(sys.argv) > 1 else SMALL):
        print(f"{one.what}: {one.value:,.2f} ms ({one.low:,.2f}–{one.high:,.2f}), {one.note}")
        print(f"  {one.limit_of}: {one.limit:,.2f} ms", flush=True)
