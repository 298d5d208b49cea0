"""Processors join and leave a group all the time, some without a word: each event is applied once.

``LEOCDP_TORTURE_SECONDS`` sets for how long (default 20; the long run is ``make torture`` with 60).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.contracts.topics import TOPICS
from tests.contract.arango_backend import double_database
from tests.faults.databases import store_environment, store_settings
from tests.faults.event_load import EventLoad, until, worked_off
from tests.faults.processors import Fleet, Processor, fleet
from tests.faults.reconcile import reconcile_store
from tests.kafka import Kafka, logs_at

SECONDS = float(os.environ.get("LEOCDP_TORTURE_SECONDS", "20"))
MOST = 3
"""Processors at a time: what a machine with two cores can start while they work."""


@pytest.mark.timeout(300 + 3 * SECONDS)
async def test_processors_join_and_leave_at_any_moment(kafka: Kafka, tmp_path: Path) -> None:
    async with logs_at(kafka.url()) as logs:
        log = await logs.open(TOPICS)
        with double_database() as (double, connection):
            double.server.sessions.idle = 2.0  # Seconds until the turn of a processor that was killed is given away.
            environment = {"LEOCDP_LOG_URL": logs.url, "LEOCDP_LOG_SESSION_TIMEOUT": "6"}
            with fleet(tmp_path, **environment, **store_environment(connection)) as processors:
                load = EventLoad(log)
                storm = Storm(processors, Random(11))
                loading = asyncio.create_task(load.run(per_second=200))
                await storm.rage(SECONDS)
                load.stop()
                await loading
                await storm.calm()
                store = ArangoProfileStore(connection)
                await store.start()
                await worked_off(log, store, 90, processors.tail)
                await store.close()
                await until(lambda: storm.last.reasons() == [], 60, processors.tail)
                print(f"{dict(storm.done)}, {len(load.acknowledged)} events, applied by {storm.last.applied}")
            counts = await reconcile_store(store_settings(connection), load.acknowledged, load.users)
            # Positions alone keep it so: not even the message ids had to tell a duplicate.
            assert counts.duplicates == 0
            assert processors.failures() == []
            assert storm.was_one(), (storm.done, storm.at_work)


class Storm:
    """Lets processors come and go."""

    def __init__(self, processors: Fleet, random: Random) -> None:
        self._processors = processors
        self._random = random
        self.done: Counter[str] = Counter()
        self.last: Processor

    async def rage(self, seconds: float) -> None:
        """One of them joins, leaves or is killed, whether it is at work or not yet; never all of them."""
        self._join()
        """For so long, and until there was something of everything: on a busy machine they come to work late."""
        end = time.monotonic() + seconds
        while time.monotonic() < end or not (self.was_one() or time.monotonic() > end + 120):
            alive = self._processors.alive
            if len(alive) < 2 or (len(alive) < MOST and self._random.random() < 0.5):
                self._join()
            else:
                self._leave(self._random.choice(alive))
            await asyncio.sleep(self._random.uniform(0.3, 1.5))

    @property
    def at_work(self) -> int:
        """How many have come as far as to work."""
        return sum('"event": "processing"' in one.log() for one in self._processors.all)

    def was_one(self) -> bool:
        return min(self.done[what] for what in ("join", "leave", "kill")) >= 2 and self.at_work >= 3

    def _join(self) -> None:
        self.last = self._processors.start()
        self.done["join"] += 1

    def _leave(self, one: Processor) -> None:
        killed = self._random.random() < 0.5
        one.send(signal.SIGKILL if killed else signal.SIGTERM)
        self.done["kill" if killed else "leave"] += 1

    async def calm(self) -> None:
        """One joins and stays, the others leave as they are asked to."""
        others = self._processors.alive
        self._join()
        for one in others:
            one.send(signal.SIGTERM)
        for one in others:
            status = await asyncio.to_thread(one.ended)
            assert status in (0, -signal.SIGTERM), one.tail()
