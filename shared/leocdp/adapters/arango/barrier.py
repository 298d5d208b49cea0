"""The barrier in the head of the profile store, which every commit takes its turn by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from time import time
from typing import Final, TypeVar

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Transaction
from leocdp.adapters.arango.profiles.errors import translated
from leocdp.adapters.arango.profiles.head import Head, StoredBarrier
from leocdp.adapters.arango.profiles.schema import LEDGER
from leocdp.adapters.arango.threads import Threads
from leocdp.adapters.arango.turns import Held, Turns
from leocdp.ports.barrier import Barrier, BarrierRefused

PATIENCE: Final = 60.0
"""Seconds that setting and lifting wait for their turn among the commits."""

T = TypeVar("T")


def held(head: Head) -> Held | None:
    """By this machine's clock; those of all machines have to agree within seconds."""
    barrier = head.barrier
    return Held(barrier.until) if barrier is not None and time() * 1000 < barrier.until else None


class ArangoBarrier:
    """``ports.barrier.BarrierControl``."""

    def __init__(self, connection: Connection, *, patience: float = PATIENCE) -> None:
        self._connection = connection
        self._threads = Threads(connection, Breaker(), 1, "arango-barrier")
        self._turns = Turns(LEDGER, self._threads.stopping, patience)

    async def start(self) -> None:
        self._threads.start()

    async def close(self) -> None:
        await self._threads.close()

    async def set(self, barrier: Barrier) -> None:
        def write(_: Transaction, head: Head) -> None:
            there = head.barrier
            if there is not None and there.id != barrier.id and there.until > barrier.since:
                raise BarrierRefused(
                    f"The barrier {there.id} stands already: another backup is under way, or died. "
                    f"`leocdp barrier lift {there.id}` ends it."
                )
            head.barrier = StoredBarrier(**asdict(barrier))

        await self._in_turn(write)

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
