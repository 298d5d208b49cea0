"""Retention and compaction of the embedded log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.adapters.sqlite.log import writer
from leocdp.adapters.sqlite.log.upkeep import UpkeepPolicy
from leocdp.contracts.topics import DAY_MS, TopicSpec
from leocdp.ports.event_log import Bounds, NewRecord, Record
from tests.contract.event_log_harness import DEADLINE, fetch_until, started, texts, until_caught_up

TIMED = TopicSpec("timed", 2, retention_ms=10 * DAY_MS, retention_bytes=None)
SMALL = TopicSpec("small", 2, retention_ms=None, retention_bytes=50_000)
KEYED = TopicSpec("keyed", 1, retention_ms=None, retention_bytes=None, compacted=True)


class SettableClock:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def now(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def log(tmp_path: Path, clock: SettableClock) -> AsyncIterator[SQLiteEventLog]:
    """Upkeep is always due: time stands still unless a test moves it, and every_ms is about real time."""
    policy = UpkeepPolicy(every_ms=5, compact_every_ms=DAY_MS, compact_after=20)
    log = SQLiteEventLog(tmp_path / "log.db", topics=[TIMED, SMALL, KEYED], clock=clock, upkeep=policy)
    await log.start()
    ticking = asyncio.create_task(_tick(clock))
    yield log
    ticking.cancel()
    await log.close()


async def _tick(clock: SettableClock) -> None:
    while True:
        clock.ms += 5
        await asyncio.sleep(0.005)


async def eventually(true: Callable[[], Awaitable[bool]], seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_records_past_their_time_go_and_offsets_are_not_used_again(
    log: SQLiteEventLog, clock: SettableClock
) -> None:
    await log.append([NewRecord("timed", p, b"old") for p in (0, 0, 1)])
    clock.ms += 6 * DAY_MS
    await log.append([NewRecord("timed", 0, b"young")])
    clock.ms += 6 * DAY_MS

    async def gone() -> bool:
        return await log.bounds("timed") == {0: Bounds(2, 3), 1: Bounds(1, 1)}

    await eventually(gone)
    assert texts(await log.read("timed", 0, 0)) == ["young"]
    clock.ms += 6 * DAY_MS

    async def empty() -> bool:
        return await log.bounds("timed") == {0: Bounds(3, 3), 1: Bounds(1, 1)}

    await eventually(empty)
    assert list(await log.append([NewRecord("timed", 0, b"new"), NewRecord("timed", 1, b"new")])) == [3, 1]


async def test_what_retention_removed_is_not_left_in_the_file(
    log: SQLiteEventLog, clock: SettableClock, tmp_path: Path
) -> None:
    secret = b"a-person-who-wants-to-be-forgotten"
    await log.append([NewRecord("timed", 0, secret * 300)])
    clock.ms += 11 * DAY_MS

    async def gone() -> bool:
        return not any(secret in file.read_bytes() for file in tmp_path.iterdir())

    await eventually(gone)


async def test_a_topic_keeps_to_its_bytes(log: SQLiteEventLog) -> None:
    for number in range(200):
        await log.append([NewRecord("small", number % 2, f"{number:04}".encode() * 250)])

    async def held() -> int:
        return sum([len(r.value or b"") for p in (0, 1) for r in await log.read("small", p, 0, max_records=1000)])

    async def within() -> bool:
        return await held() <= 50_000

    await eventually(within)
    assert await held() > 40_000
    (last,) = await log.read("small", 1, 99)
    assert (last.value or b"")[:4] == b"0199"
    bounds = await log.bounds("small")
    assert bounds[0].begin > 70
    assert (bounds[0].end, bounds[1].end) == (100, 100)


async def test_a_reader_whose_position_was_removed_goes_on_with_what_is_left(log: SQLiteEventLog) -> None:
    consumer = await started(log, "small")
    for number in range(200):
        await log.append([NewRecord("small", 0, f"{number:04}".encode() * 250)])

    async def trimmed() -> bool:
        return (await log.bounds("small"))[0].begin > 100

    await eventually(trimmed)
    records = await fetch_until(consumer, lambda found: bool(found) and found[-1].offset == 199)
    assert records[0].offset > 100
    assert [record.offset for record in records] == list(range(records[0].offset, 200))
    await consumer.close()


async def keyed(log: SQLiteEventLog) -> list[Record]:
    following = log.follow("keyed")
    records = await until_caught_up(following)
    await following.aclose()  # type: ignore[attr-defined]
    return records


async def test_compaction_keeps_the_newest_record_of_each_key_at_its_offset(
    log: SQLiteEventLog, clock: SettableClock
) -> None:
    for version in range(30):
        await log.append([NewRecord("keyed", 0, f"{key}{version}".encode(), key.encode()) for key in "abc"])
        if version == 10:
            await log.append([NewRecord("keyed", 0, b"only", b"d")])

    async def compacted() -> bool:
        return len(await keyed(log)) < 40

    # One that ran half-way through may leave too little for another before a day is over.
    clock.ms += DAY_MS
    await eventually(compacted)
    newest = {record.key: (record.offset, record.value) for record in await keyed(log)}
    assert newest == {b"a": (88, b"a29"), b"b": (89, b"b29"), b"c": (90, b"c29"), b"d": (33, b"only")}
    assert (await log.bounds("keyed"))[0].end == 91
    assert list(await log.append([NewRecord("keyed", 0, b"next", b"a")])) == [91]


async def test_tombstones_stay_a_day_and_then_go_with_their_key(log: SQLiteEventLog, clock: SettableClock) -> None:
    await log.append([NewRecord("keyed", 0, b"v", b"gone"), NewRecord("keyed", 0, b"v", b"kept")])
    await log.append([NewRecord("keyed", 0, None, b"gone")])
    for number in range(25):
        await log.append([NewRecord("keyed", 0, str(number).encode(), b"other")])

    async def only_tombstone() -> bool:
        return [record.value for record in await keyed(log) if record.key == b"gone"] == [None]

    await eventually(only_tombstone)
    clock.ms += 2 * DAY_MS

    async def no_trace() -> bool:
        return {record.key for record in await keyed(log)} == {b"kept", b"other"}

    await eventually(no_trace)


async def test_appends_go_on_while_much_is_removed(log: SQLiteEventLog, clock: SettableClock) -> None:
    for _ in range(40):
        await log.append([NewRecord("timed", p, b"x" * 2_000) for p in (0, 1) for _ in range(100)])
    clock.ms += 11 * DAY_MS
    appended = 0

    async def emptied() -> bool:
        nonlocal appended
        await log.append([NewRecord("timed", 0, b"during")])
        appended += 1
        return (await log.bounds("timed"))[1].begin == 4000

    await eventually(emptied)
    assert (await log.bounds("timed"))[0] == Bounds(4000, 4000 + appended)


async def test_the_journal_stays_short_while_two_append_on_and_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_BYTES", 200_000)
    monkeypatch.setattr(writer, "LONG_JOURNAL_BYTES", 400_000)
    logs = [SQLiteEventLog(tmp_path / "log.db", topics=[TIMED]) for _ in range(2)]
    for log in logs:
        await log.start()
    appended = longest = 0

    async def append_on(log: SQLiteEventLog) -> None:
        nonlocal appended, longest
        for _ in range(50):
            await log.append([NewRecord("timed", 0, b"x" * 5_000)])
            appended += 5_000
            longest = max(longest, (tmp_path / "log.db-wal").stat().st_size)

    async def several_times_over() -> bool:
        # A start anew may fail while others are busy, so a starved machine takes more rounds, not a longer journal.
        await asyncio.gather(*(append_on(log) for log in logs for _ in range(6)))
        return appended > 4 * longest

    await eventually(several_times_over, seconds=60)
    assert (await logs[0].bounds("timed"))[0].end == appended // 5_000
    for log in logs:
        await log.close()
