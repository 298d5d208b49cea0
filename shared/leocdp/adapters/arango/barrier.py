"""The barrier in the head of the profile store, which every commit takes its turn by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from time import monotonic, time
from typing import Final, TypeVar

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Transaction
from leocdp.adapters.arango.profiles.errors import translated
from leocdp.adapters.arango.profiles.head import Head, StoredBarrier
from leocdp.adapters.arango.profiles.schema import LEDGER
from leocdp.adapters.arango.threads import Threads
from leocdp.adapters.arango.turns import Held, Turns
from leocdp.contracts.times import iso
from leocdp.ports.barrier import Barrier, BarrierRefused

PATIENCE: Final = 60.0
"""Seconds that setting and lifting wait for their turn among the commits."""
EMPTYING: Final = 20.0
"""Seconds that setting waits for a bucket that is emptied; a processor that died may have left it to the next."""
EMPTYING_POLL: Final = 0.5

T = TypeVar("T")


def held(head: Head) -> Held | None:
    """By this machine's clock; those of all machines have to agree within seconds."""
    barrier = head.barrier
    return Held(barrier.until) if barrier is not None and time() * 1000 < barrier.until else None


def passing(head: Head) -> Held | None:
    """As ``held``, for a commit. It takes away a barrier that has ended, by whichever clock: so whoever set it can tell
    that something was committed after it."""
    found = held(head)
    if found is None:
        head.barrier = None
    return found


class ArangoBarrier:
    """``ports.barrier.BarrierControl``."""

    def __init__(self, connection: Connection, *, patience: float = PATIENCE, emptying: float = EMPTYING) -> None:
        self._connection = connection
        self._emptying = emptying
        self._threads = Threads(connection, Breaker(), 1, "arango-barrier")
        self._turns = Turns(LEDGER, self._threads.stopping, patience)

    async def start(self) -> None:
        self._threads.start()

    async def close(self) -> None:
        await self._threads.close()

    async def set(self, barrier: Barrier) -> None:
        deadline = monotonic() + self._emptying
        is_set = False
        while not is_set:
            is_set = await self._in_turn(_setting(barrier, at_once=monotonic() > deadline))
            await asyncio.sleep(0 if is_set else EMPTYING_POLL)

    async def lift(self, barrier_id: str = "") -> bool:
        def write(_: Transaction, head: Head) -> bool:
            there = head.barrier
            if there is not None and barrier_id and there.id != barrier_id:
                raise BarrierRefused(f"The barrier that is set is {there.id}, not {barrier_id}. Nothing was lifted.")
            head.barrier = None
            return there is not None

        return await self._in_turn(write)

    async def current(self) -> Barrier | None:
        with translated(self._connection):
            there = (await self._threads.repeat(LEDGER.read)).barrier
        return None if there is None else Barrier(there.id, there.since, there.until, there.version)

    async def _in_turn(self, work: Callable[[Transaction, Head], T]) -> T:
        with translated(self._connection):
            return await self._threads.run(lambda database: self._turns.run(database, work))


def _setting(barrier: Barrier, *, at_once: bool) -> Callable[[Transaction, Head], bool]:
    """False, unless ``at_once``, while a bucket of old message ids is emptied: that takes no turn."""

    def write(_: Transaction, head: Head) -> bool:
        there = head.barrier
        if there is not None and there.id != barrier.id and there.until > barrier.since:
            raise BarrierRefused(
                f"The barrier {there.id} stands already, set at {iso(there.since)}, until {iso(there.until)}: "
                f"another backup is under way, or died. `leocdp barrier lift {there.id}` ends it."
            )
        if head.retired and not at_once:
            return False
        head.barrier = StoredBarrier(**asdict(barrier))
        return True

    return write
