"""A bounded pool of threads with a session each, for a driver that blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.failures import Failure, Kind, LeftAlone
from leocdp.adapters.arango.pauses import Pauses

REPEAT_SECONDS: Final = 2.0
TRIES: Final = 6
_AGAIN: Final = (Kind.UNAVAILABLE, Kind.CONFLICT)

T = TypeVar("T")


class Threads:
    """``run`` and ``repeat`` raise Failure. A cancelled caller does not stop what has begun."""

    def __init__(self, connection: Connection, breaker: Breaker, count: int, name: str) -> None:
        self._connection = connection
        self._breaker = breaker
        self._count = count
        self._name = name
        self._mine = threading.local()
        self._opened: list[Database] = []
        self._host = 0
        self._executor: ThreadPoolExecutor | None = None
        self.stopping = threading.Event()

    def start(self) -> None:
        """Connects nowhere. Idempotent."""
        if self._executor is None:
            self.stopping.clear()
            self._mine = threading.local()
            self._executor = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)

    async def close(self) -> None:
        """Wait for what is running. Idempotent."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        self.stopping.set()
        await asyncio.to_thread(executor.shutdown)
        for database in self._opened:
            database.close()
        self._opened.clear()

    async def run(self, work: Callable[[Database], T]) -> T:
        """Once."""
        return await self._submit(lambda: self._once(work))

    async def repeat(self, work: Callable[[Database], T]) -> T:
        """A few times while the server does not answer or others are in the way: for what may be done twice."""
        return await self._submit(lambda: self._again(work))

    async def _submit(self, work: Callable[[], T]) -> T:
        if self._executor is None:
            raise Failure(Kind.UNAVAILABLE, "The store is not open: call start() first")
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    # Below: on the pool's own threads.

    def _again(self, work: Callable[[Database], T]) -> T:
        pauses = Pauses(self.stopping, REPEAT_SECONDS, TRIES)
        while True:
            try:
                return self._once(work)
            except LeftAlone:
                raise
            except Failure as error:
                if error.kind not in _AGAIN or not pauses.another():
                    raise

    def _once(self, work: Callable[[Database], T]) -> T:
        host = self._host
        try:
            return work(self._database(host))
        except Failure as error:
            if error.kind is Kind.UNAVAILABLE and self._host == host:
                self._host = (host + 1) % len(self._connection.hosts)
            raise

    def _database(self, host: int) -> Database:
        """This thread's session with the host."""
        held: tuple[int, Database] | None = getattr(self._mine, "held", None)
        if held is None or held[0] != host:
            database = Database(self._connection, self._breaker, self._connection.hosts[host])
            self._opened.append(database)
            self._mine.held = held = (host, database)
        return held[1]
