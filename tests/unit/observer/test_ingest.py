"""Group append on a real embedded log: shared by everyone in flight, bounded, drained."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.log_records import (
    Item,
    RejectedItem,
    RequestBlock,
    decode_accepted,
    decode_rejected,
    encode_block,
)
from leocdp.contracts.topics import EVENTS_ACCEPTED, EVENTS_REJECTED
from leocdp.ports.event_log import NewRecord
from leocdp_observer.ingest import Ingest, records
from leocdp_observer.pace import Pace
from leocdp_observer.refusals import Refusal
from leocdp_observer.rejects import MAX_WAITING, Rejects
from leocdp_observer.tally import Tally


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SQLiteEventLog]:
    log = SQLiteEventLog(tmp_path / "log.db")
    await log.start()
    yield log
    await log.close()


def block(text: bytes = b"{}", count: int = 1) -> bytes:
    return encode_block(RequestBlock(1, "s", "segment", [Item("track", text)] * count))


async def ends(log: SQLiteEventLog, topic: str = EVENTS_ACCEPTED) -> int:
    return sum(bound.end for bound in (await log.bounds(topic)).values())


async def test_requests_in_flight_share_records(log: SQLiteEventLog) -> None:
    ingest = Ingest(log, Tally(), max_waiting_bytes=1 << 20)
    await asyncio.gather(*[ingest.store([(number % 2, block())]) for number in range(100)])
    assert await ends(log) == 2
    assert ingest.waiting_bytes == 0


def test_records_are_of_bounded_size_and_keep_the_order() -> None:
    blocks = [(0, block(b"x" * 100_000)) for _ in range(5)] + [(1, block())]
    made = records(blocks)
    assert [(one.partition, len(one.value or b"") // 100_000) for one in made] == [(0, 2), (0, 2), (0, 1), (1, 0)]


async def test_what_cannot_wait_is_refused_at_once(log: SQLiteEventLog) -> None:
    ingest = Ingest(log, Tally(), max_waiting_bytes=1_000)
    results = await asyncio.gather(*[ingest.store([(0, block(b"x" * 400))]) for _ in range(3)], return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), Refusal]
    await ingest.store([(0, block(b"x" * 400))])


async def test_a_failing_log_is_told_to_everyone_in_flight(log: SQLiteEventLog) -> None:
    ingest = Ingest(log, Tally(), max_waiting_bytes=1 << 20)
    await log.close()
    results: Sequence[object] = await asyncio.gather(
        *[ingest.store([(0, block())]) for _ in range(10)], return_exceptions=True
    )
    assert {type(result) for result in results} == {Refusal}
    assert ingest.failed_at is not None
    assert ingest.waiting_bytes == 0
    await log.start()
    await ingest.store([(0, block())])
    assert ingest.failed_at is None
    assert await ends(log) == 1


async def test_a_cancelled_request_does_not_disturb_the_others(log: SQLiteEventLog) -> None:
    ingest = Ingest(log, Tally(), max_waiting_bytes=1 << 20)
    tasks = [asyncio.create_task(ingest.store([(0, block())])) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, BaseException) for result in results] == [False, True, False]
    await ingest.drain()
    assert await ends(log) == 1


def refusal(number: int, payload: str = "{}") -> RejectedItem:
    return RejectedItem(1, f"source-{number}", "segment", "/v1/track", "missing_id", "…", payload)


async def kept(log: SQLiteEventLog) -> list[RejectedItem]:
    found = []
    for partition in range(await log.partitions(EVENTS_REJECTED)):
        for record in await log.read(EVENTS_REJECTED, partition, 0):
            found += decode_rejected(record.value or b"").items
    return found


async def test_refused_items_are_written_in_the_background(log: SQLiteEventLog) -> None:
    rejects = Rejects(log, Tally())
    rejects.add([refusal(number, "x" * 60_000) for number in range(20)])
    await rejects.close()
    assert len(await kept(log)) == 20


async def test_refused_items_wait_for_a_log_that_is_away_and_are_bounded(log: SQLiteEventLog) -> None:
    tally = Tally()
    rejects = Rejects(log, tally)
    await log.close()
    rejects.add([refusal(number, "x" * 60_000) for number in range(100)])
    await asyncio.sleep(0)
    await log.start()
    await rejects.close()
    written = await kept(log)
    assert 0 < len(written) <= MAX_WAITING // 60_000
    assert f"leocdp_observer_rejections_lost_total {100.0 - len(written)}" in tally.expose().body.decode()


class SlowLog(SQLiteEventLog):
    """A log whose appends take as long as those of one on the network."""

    appends = 0

    async def append(self, records: Sequence[NewRecord]) -> Sequence[int]:
        self.appends += 1
        await asyncio.sleep(0.006)
        return await super().append(records)


async def test_clients_that_send_one_event_after_the_other_share_appends(tmp_path: Path) -> None:
    log = SlowLog(tmp_path / "log.db")
    await log.start()
    ingest = Ingest(log, Tally(), max_waiting_bytes=1 << 20)
    rounds, clients = 30, 48

    async def client(number: int) -> None:
        # They begin at different times and think a moment, so without waiting they would stay in two groups.
        await asyncio.sleep(number % 4 * 0.002)
        for _ in range(rounds):
            await ingest.store([(0, block())])
            await asyncio.sleep(0.0005)

    await asyncio.gather(*[client(number) for number in range(clients)])
    assert await stored(log) == rounds * clients
    assert log.appends <= 1.5 * rounds
    await log.close()


async def stored(log: SQLiteEventLog) -> int:
    found = await log.read(EVENTS_ACCEPTED, 0, 0, max_records=10_000)
    return sum(len(one.items) for record in found for one in decode_accepted(record.value or b"").blocks)


def paced(stored: int, waiting: int, seconds: float) -> Pace:
    pace = Pace()
    for _ in range(100):
        pace.appended(stored, waiting, seconds)
    return pace


@pytest.mark.parametrize(
    ("pace", "waiting", "seconds"),
    [
        (Pace(), 1, 0.0),
        (paced(1, 1, 0.01), 1, 0.0),
        (paced(20, 30, 0.01), 30, 0.002),
        (paced(20, 30, 0.003), 30, 0.0015),
        (paced(20, 30, 0.01), 50, 0.0),
        (paced(20, 30, 0.0015), 30, 0.0),
        (paced(500, 400, 0.01), 64, 0.0),
    ],
    ids=["first", "alone", "crowd", "quicker", "all here", "quick log", "large anyway"],
)
def test_waiting_for_others_is_worth_it_in_a_crowd_before_a_slow_log(pace: Pace, waiting: int, seconds: float) -> None:
    assert pace.wait(waiting) == pytest.approx(seconds, rel=0.01)
