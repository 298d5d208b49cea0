"""Conditions put to everybody: how many people, and some of them.

Everybody is asked in steps, so that no reading thread is held for long and no snapshot is kept that the writer would
have to work around.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from leocdp.adapters.audience_sizes import SAMPLED, SMALL, estimate
from leocdp.adapters.sqlite.profiles.lists import read_hits
from leocdp.adapters.sqlite.profiles.reader_pool import ReaderPool
from leocdp.adapters.sqlite.segments.functions import registered
from leocdp.adapters.sqlite.segments.printer import Printed, print_condition
from leocdp.ports.profile_reader import ProfileHit, Question, Size

T = TypeVar("T")
STEP: Final = 5_000
"""Rows of profiles that one statement looks at."""
MOST_LOOKED_AT: Final = 200_000
"""Rows that are looked at to find some people, besides those of the sample."""
_SAMPLE: Final = f"FROM profiles AS p INDEXED BY profiles_sample WHERE p.sample < {SAMPLED} AND p.root IS NULL"
_STEP: Final = "FROM profiles AS p WHERE p.num > :after AND p.num <= :last AND p.root IS NULL"
_REST: Final = f"{_STEP} AND p.sample >= {SAMPLED}"


class Questions:
    """``at_once``: how many reading threads questions may take at a time; the others are left for all other reading."""

    def __init__(self, pool: ReaderPool, at_once: int) -> None:
        self._pool = pool
        self._turns = asyncio.Semaphore(at_once)

    async def size_of(self, question: Question, *, sample: bool) -> Size:
        printed = print_condition(question)
        people, last = await self._pool.run(_extent)
        if sample and people > SMALL:
            hits = await self._run(partial(_count, printed, _SAMPLE, {}))
            return estimate(hits, await self._run(_sampled), people)
        count = 0
        for after in range(0, last, STEP):
            count += await self._run(partial(_count, printed, _STEP, {"after": after, "last": after + STEP}))
        return Size(count, exact=True)

    async def matching(self, question: Question, *, limit: int) -> Sequence[ProfileHit]:
        """From the sample first, then the oldest profiles."""
        printed = print_condition(question)
        _, last = await self._pool.run(_extent)
        nums = await self._run(partial(_find, printed, _SAMPLE, {}, limit))
        for after in range(0, min(last, MOST_LOOKED_AT), STEP):
            if len(nums) >= limit:
                break
            bounds = {"after": after, "last": after + STEP}
            nums += await self._run(partial(_find, printed, _REST, bounds, limit - len(nums)))
        return await self._pool.run(lambda connection: read_hits(connection, nums))

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One step; those that wait get their turn between the steps of others."""
        async with self._turns:
            return await self._pool.run(work)


def _extent(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many people there are, and the last number of a profile."""
    people = connection.execute("SELECT n FROM counters WHERE name = 'people'").fetchone()
    last = connection.execute("SELECT max(num) FROM profiles").fetchone()[0]
    return people[0] if people else 0, last or 0


def _sampled(connection: sqlite3.Connection) -> int:
    return int(connection.execute(f"SELECT count(*) {_SAMPLE}").fetchone()[0])


def _count(printed: Printed, source: str, bounds: dict[str, int], connection: sqlite3.Connection) -> int:
    with registered(connection, printed.functions, printed.question):
        sql = f"SELECT count(*) {source} AND ({printed.text})"
        return int(connection.execute(sql, {**printed.binds, **bounds}).fetchone()[0])


def _find(
    printed: Printed, source: str, bounds: dict[str, int], limit: int, connection: sqlite3.Connection
) -> list[int]:
    with registered(connection, printed.functions, printed.question):
        sql = f"SELECT p.num {source} AND ({printed.text}) LIMIT :most"
        return [num for (num,) in connection.execute(sql, {**printed.binds, **bounds, "most": limit})]
