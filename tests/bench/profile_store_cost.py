"""What the embedded profile store costs per event, next to plain SQLite writing the same rows.

``python -m tests.bench.profile_store_cost --profiles 100000 [--batches 25] [--dir DIR]``

Load model: batches of 4,000 events in a closed loop, one new person to four known ones, 3 identifiers a person, all of
them random (no person is visited more than another, which is the worst case for caches). The decision is imitated by
the smallest change of a state. Times are CPU seconds of the process; the store is reconciled at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.profiles.codec import STATES, pack_id, pack_key
from leocdp.adapters.sqlite.profiles.connection import Tuning
from leocdp.contracts.stored_event import event_body
from leocdp.domain.decisions import Changes, EventWrite, LoadRequest, Owner, OwnerWrite
from leocdp.domain.events import Address, Envelope, SourceFacts, profile_id_for
from leocdp.domain.identity.identifiers import parse_key
from leocdp.domain.profiles.state import IdentifierCell, Profile, Register, State
from leocdp.ports.profile_reader import ProfileQuery, ProfileSort
from leocdp.ports.profile_store import PositionKey, PositionMove

T0 = 1_790_000_000_000
BATCH = 4_000
FAMILY = (
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Huỳnh",
    "Hoàng",
    "Phan",
    "Vũ",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
)
MIDDLE = ("Văn", "Thị", "Minh", "Ngọc", "Đức", "Thu", "Hoài", "Quốc", "Thanh", "Kim")
GIVEN = ("An", "Bình", "Chi", "Dũng", "Đức", "Giang", "Hà", "Hoa", "Khang", "Lan", "Linh", "Mai", "Nam", "Oanh", "Phúc")
SOURCE = SourceFacts("src_web_shop")
POSITION = PositionKey("log-bench", "leocdp.events.accepted.v1", 0)
EVENT_NAMES = ("Product Viewed", "Product Added", "Order Completed", "Cart Viewed", "Checkout Started")


@dataclass
class World:
    """Who there is, and the next event number."""

    people: int = 0
    events: int = 0
    position: int | None = None
    clock: int = T0
    random: random.Random = field(default_factory=lambda: random.Random(7))

    def move(self) -> list[PositionMove]:
        old, self.position = self.position, (self.position or 0) + 1
        return [PositionMove(POSITION, old, self.position)]


def keys_of(number: int) -> tuple[str, str, str]:
    mixed = number * 2_654_435_761 % (1 << 32)
    return (
        f"user_id:u-{mixed:08x}",
        f"phone:+849{mixed % 10**8:08d}{number % 7}",
        f"anonymous_id:{mixed:08x}-{number:012x}",
    )


def profile_of(number: int) -> str:
    return profile_id_for(SOURCE.id, f"p-{number}", T0 + number)


def event_of(world: World, number: int) -> Envelope:
    world.events += 1
    world.clock += 3
    properties = {
        "product_id": f"sku-{world.events % 5000}",
        "price": 125_000,
        "currency": "VND",
        "quantity": 1,
        "category": "shoes",
        "url": f"https://shop.example.vn/p/{world.events % 5000}",
    }
    context = {
        "page": {"path": "/p", "referrer": "https://google.com/", "title": "Giày thể thao nam"},
        "userAgent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
        "locale": "vi-VN",
    }
    return Envelope(
        message_id=f"{world.random.getrandbits(128):032x}",
        type="track",
        name=EVENT_NAMES[world.events % 5],
        source=SOURCE,
        protocol="segment",
        received_at=world.clock,
        timestamp=world.clock,
        address=Address(POSITION.topic, 0, 0, 0),
        anonymous_id=keys_of(number)[2].partition(":")[2],
        user_id=keys_of(number)[0].partition(":")[2],
        properties=properties,
        context=context,
    )


def new_person(number: int, event: Envelope) -> Profile:
    state = State(first_seen=event.timestamp)
    name = f"{FAMILY[number % 15]} {MIDDLE[number // 15 % 10]} {GIVEN[number // 150 % 15]} {number % 1000}"
    for trait, value in {"name": name, "plan": "basic", "city": "Hà Nội"}.items():
        state.traits[trait] = Register(value, event.timestamp, event.message_id, SOURCE.id)
    for key in keys_of(number):
        state.identifiers[key] = IdentifierCell(event.timestamp, event.timestamp, SOURCE.id, event.message_id)
    apply(state, event)
    return Profile(profile_of(number), event.received_at, state)


def apply(state: State, event: Envelope) -> None:
    state.total += 1
    state.by_type[event.type] = state.by_type.get(event.type, 0) + 1
    state.by_name[event.name or ""] = state.by_name.get(event.name or "", 0) + 1
    state.last_seen = event.timestamp
    state.lasts["touch"] = Register({"source": "google", "medium": "cpc"}, event.timestamp, event.message_id)
    for cell in state.identifiers.values():
        cell.last_seen = event.timestamp


@dataclass
class Cost:
    load: float = 0.0
    commit: float = 0.0
    plain: float = 0.0
    wall: float = 0.0


async def create(store: SQLiteProfileStore, plain: PlainSQLite, world: World, count: int) -> None:
    """New people, one event each."""
    changes = Changes()
    for number in range(world.people, world.people + count):
        event = event_of(world, number)
        profile = new_person(number, event)
        changes.profiles.append(profile)
        changes.owners += [OwnerWrite(key, Owner(profile.id)) for key in profile.state.identifiers]
        changes.events.append(EventWrite(event, profile.id))
        changes.names_changed.add(profile.id)
    await store.commit(changes, world.move(), world.clock)
    plain.write(changes)
    world.people += count


async def batch(store: SQLiteProfileStore, plain: PlainSQLite, world: World) -> Cost:
    """One measured batch through the store, and the same rows through plain SQLite."""
    cost = Cost()
    new = range(world.people, world.people + BATCH // 5)
    known = world.random.sample(range(world.people), BATCH - len(new))
    events = {number: event_of(world, number) for number in [*known, *new]}
    request = LoadRequest(
        frozenset(key for number in events for key in keys_of(number)),
        frozenset(event.dedup_key for event in events.values()),
    )
    wall = time.perf_counter()
    started = time.process_time()
    snapshot = await store.load(request)
    cost.load = time.process_time() - started
    loading = time.perf_counter() - wall
    assert len(snapshot.owners) == 3 * len(known)
    changes = Changes()
    for number in known:
        profile = snapshot.profiles[profile_of(number)]
        apply(profile.state, events[number])
        changes.profiles.append(profile)
        changes.events.append(EventWrite(events[number], profile.id))
    for number in new:
        profile = new_person(number, events[number])
        changes.profiles.append(profile)
        changes.owners += [OwnerWrite(key, Owner(profile.id)) for key in profile.state.identifiers]
        changes.events.append(EventWrite(events[number], profile.id))
        changes.names_changed.add(profile.id)
    wall = time.perf_counter()
    started = time.process_time()
    await store.commit(changes, world.move(), world.clock)
    cost.commit = time.process_time() - started
    cost.wall = loading + time.perf_counter() - wall
    world.people += len(new)
    cost.plain = plain.write(changes)
    return cost


class PlainSQLite:
    """The limit: the same rows upserted by the driver alone, with the indexes that they cannot do without."""

    def __init__(self, path: Path, tuning: Tuning) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run(f"PRAGMA cache_size = {-1024 * tuning.cache_mb}")
        run(f"PRAGMA mmap_size = {tuning.mmap_mb << 20}")
        run(f"PRAGMA wal_autocheckpoint = {tuning.checkpoint_pages}")
        run("CREATE TABLE profiles (id BLOB PRIMARY KEY, last_seen INTEGER, state BLOB)")
        run("CREATE INDEX profiles_last_seen ON profiles (last_seen)")
        run("CREATE TABLE identifiers (key TEXT PRIMARY KEY, leaf BLOB) WITHOUT ROWID")
        run("CREATE TABLE events (seq INTEGER PRIMARY KEY, hash BLOB, leaf BLOB, timestamp INTEGER, body BLOB)")
        run("CREATE UNIQUE INDEX events_hash ON events (hash)")
        run("CREATE INDEX events_leaf ON events (leaf, timestamp)")

    def write(self, changes: Changes) -> float:
        """CPU seconds, without making the rows."""
        profiles = [(pack_id(one.id), one.state.last_seen, STATES.encode(one.state)) for one in changes.profiles]
        owners = [(pack_key(one.key), pack_id(one.owner.leaf)) for one in changes.owners]
        events = [
            (one.envelope.dedup_key, pack_id(one.leaf or ""), one.envelope.timestamp, event_body(one.envelope))
            for one in changes.events
        ]
        started = time.process_time()
        run = self._connection.executemany
        self._connection.execute("BEGIN IMMEDIATE")
        run(
            "INSERT INTO profiles VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET last_seen = excluded.last_seen, state = excluded.state",
            profiles,
        )
        run("INSERT INTO identifiers VALUES (?, ?)", owners)
        run("INSERT INTO events (hash, leaf, timestamp, body) VALUES (?, ?, ?, ?)", events)
        self._connection.execute("COMMIT")
        return time.process_time() - started

    def close(self) -> None:
        self._connection.close()


async def searches(path: Path, world: World) -> Iterator[tuple[str, float, float]]:
    """(what, median ms, worst ms) with warm and cold rows mixed, as they come."""
    reader = SQLiteProfileReader(path)
    await reader.start()
    rows: list[tuple[str, float, float]] = []

    async def timed(what: str, calls: Sequence[Callable[[], Awaitable[object]]]) -> None:
        times = []
        for call in calls:
            started = time.perf_counter()
            await call()
            times.append((time.perf_counter() - started) * 1000)
        times.sort()
        rows.append((f"{what} (n={len(times)})", median(times), times[int(len(times) * 0.99)]))

    def finding(key: str) -> Callable[[], Awaitable[object]]:
        return lambda: reader.find(parse_key(key))

    def searching(q: str, sort: ProfileSort = "last_seen") -> Callable[[], Awaitable[object]]:
        return lambda: reader.search(ProfileQuery(q, sort=sort))

    numbers = [world.random.randrange(world.people) for _ in range(1_000)]
    for at, kind in enumerate(("user_id", "phone", "anonymous_id")):
        await timed(f"find by {kind}", [finding(keys_of(number)[at]) for number in numbers])
    phones = [keys_of(number)[1].partition(":")[2] for number in numbers[:50]]
    queries = {
        "search exact phone": phones,
        "search part of a phone (6 digits)": [phone[4:10] for phone in phones],
        "search name `nguyen`": ["nguyen"] * 5,
        "search beginning of a name `nguy`": ["nguy"] * 5,
        "search name `nguyen van an`": ["Nguyễn Văn An"] * 5,
        "search rare part of a name": [f"linh {n}" for n in range(100, 150)],
        "search one character `h`": ["h"] * 5,
        "search device id prefix": [keys_of(number)[2].partition(":")[2][:14] for number in numbers[:50]],
    }
    for what, texts in queries.items():
        await timed(what, [searching(text) for text in texts])
    await timed("list by last_seen", [searching("")] * 20)
    await timed("list by name", [searching("", "name")] * 20)
    await timed("counts", [reader.counts] * 20)
    await reader.close()
    return iter(rows)


async def run(folder: Path, profiles: int, batches: int, cache_mb: int) -> None:
    tuning = Tuning(cache_mb=cache_mb)
    store = SQLiteProfileStore(folder / "profiles.db", tuning=tuning)
    await store.start()
    plain = PlainSQLite(folder / "plain.db", tuning)
    world = World()
    started = time.process_time()
    while world.people < profiles:
        count = min(10_000, profiles - world.people)
        await create(store, plain, world, count)
    print(f"built {world.people:,} people in {time.process_time() - started:.0f} CPU s (both stores)", flush=True)
    costs = [await batch(store, plain, world) for _ in range(batches)]
    for what, values in {
        "load": [cost.load for cost in costs],
        "commit": [cost.commit for cost in costs],
        "load + commit": [cost.load + cost.commit for cost in costs],
        "plain SQLite": [cost.plain for cost in costs],
        "load + commit, wall": [cost.wall for cost in costs],
    }.items():
        each = sorted(value / BATCH * 1e6 for value in values)
        print(
            f"| {what} | {mean(each):6.1f} µs per event | median {median(each):.1f}, {each[0]:.1f} – {each[-1]:.1f} |"
        )
    plain_cost = sum(cost.plain for cost in costs)
    print(f"ratio plain / (load + commit): {plain_cost / sum(cost.load + cost.commit for cost in costs):.2f}")
    print(f"ratio plain / commit: {plain_cost / sum(cost.commit for cost in costs):.2f}")
    reader = SQLiteProfileReader(folder / "profiles.db")
    await reader.start()
    counts = await reader.counts()
    await reader.close()
    assert (counts.events, counts.profiles) == (world.events, world.people), "the store does not reconcile"
    for what, middle, worst in await searches(folder / "profiles.db", world):
        print(f"| {what} | median {middle:.2f} ms | p99 {worst:.2f} ms |")
    await store.close()
    plain.close()
    for file in ("profiles.db", "plain.db"):
        print(f"{file}: {(folder / file).stat().st_size >> 20} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=25)
    parser.add_argument("--cache-mb", type=int, default=256)
    parser.add_argument("--dir", type=Path, default=None)
    given = parser.parse_args()
    folder = given.dir or Path(tempfile.mkdtemp(prefix="profile-store-cost-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(run(folder, given.profiles, given.batches, given.cache_mb))
    finally:
        if given.dir is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
