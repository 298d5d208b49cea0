"""Events that a test puts into the log itself, as observers do, and where the log ends then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import EventLog, NewRecord

PARTITIONS = 24
PEOPLE = 60
PORTION = 20
BROKEN = b'{"messageId": "broken", '


class Positions(Protocol):
    """What a profile store knows of the log."""

    async def positions(self, log_id: str) -> Mapping[tuple[str, int], int]: ...


class EventLoad:
    """Portions of events, one to a record; each person's stand in one partition.

    ``acknowledged``: message ids that the log has.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._number = 0
        self._stopping = asyncio.Event()
        self.acknowledged: set[str] = set()
        self.dead_letters = 0

    @property
    def users(self) -> list[str]:
        return [f"user-{person}" for person in range(min(self._number, PEOPLE))]

    async def portion(self) -> None:
        """Twenty events, of twenty people."""
        numbers = range(self._number, self._number + PORTION)
        self._number += PORTION
        await self._log.append([_record(number) for number in numbers])
        self.acknowledged.update(f"m-{number}" for number in numbers)

    async def broken(self) -> None:
        """As many that cannot be read. Nothing but the positions keeps them from becoming dead letters twice."""
        await self._log.append([_record_of(partition, BROKEN) for partition in range(PORTION)])
        self.dead_letters += PORTION

    async def run(self, per_second: int) -> None:
        """At this pace until stopped."""
        while not self._stopping.is_set():
            await self.portion()
            await asyncio.sleep(PORTION / per_second)

    def stop(self) -> None:
        self._stopping.set()


def _record(number: int) -> NewRecord:
    person = number % PEOPLE
    body = f'{{"type":"track","messageId":"m-{number}","userId":"user-{person}","event":"Seen","properties":{{}}}}'
    return _record_of(person % PARTITIONS, body.encode())


def _record_of(partition: int, body: bytes) -> NewRecord:
    block = RequestBlock(int(time.time() * 1000), "shop", "segment", [Item("track", body)])
    return NewRecord(EVENTS_ACCEPTED, partition, encode(AcceptedRecord(VERSION, [block])))


async def ends(log: EventLog) -> Mapping[tuple[str, int], int]:
    """(topic, partition) → end, of the partitions that hold accepted events."""
    bounds = await log.bounds(EVENTS_ACCEPTED)
    return {(EVENTS_ACCEPTED, partition): bound.end for partition, bound in bounds.items() if bound.end}


async def worked_off(log: EventLog, store: Positions, seconds: float, told: Callable[[], str]) -> None:
    """Wait until the positions in the store are where the log ends."""
    wanted = await ends(log)
    deadline = time.monotonic() + seconds
    while not wanted.items() <= (await store.positions(log.log_id)).items():
        assert time.monotonic() < deadline, f"the backlog is not worked off\n{told()}"
        await asyncio.sleep(0.1)


async def until(true: Callable[[], bool], seconds: float, told: Callable[[], str]) -> None:
    """Poll beside whatever else runs on this loop."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, f"waited for {seconds:.0f} s\n{told()}"
        await asyncio.sleep(0.1)
