"""The profiles move to another database while events come in: planned, as from five servers to ten, and after a loss.

The log stays, Kafka; the backup and the restore are the scripts of the manifests. Databases are stand-ins.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.engines import open_profile_store
from leocdp.contracts.topics import TOPICS
from tests.deploy.backup_site import Site, site
from tests.faults.client import Sent
from tests.faults.event_load import until, worked_off
from tests.faults.moving import (
    PEOPLE,
    SEGMENT,
    Visitors,
    configure,
    digest_of,
    from_the_beginning,
    observers,
    reader_settings,
    settled,
    told,
)
from tests.faults.processors import Fleet, Processor, fleet
from tests.faults.reconcile import reconcile_store
from tests.kafka import Kafka, Logs, logs_at

pytestmark = [pytest.mark.timeout(600)]

SOME = 150
"""Events applied, after which the next step is taken."""


@dataclass
class Scene:
    """Observers take events all the time; two processors work on the old database."""

    logs: Logs
    folder: Path
    visitors: Visitors
    sending: asyncio.Task[Sent]
    five: Site
    ten: Site
    old: Fleet
    new: Fleet

    async def worked(self, processors: Callable[[], Sequence[Processor]], fleet_: Fleet) -> None:
        """Each of them, or all together, have applied some more."""
        before = sum(one.applied for one in processors())
        await until(lambda: sum(one.applied for one in processors()) > before + SOME, 120, fleet_.tail)

    async def stop_old(self) -> None:
        for one in self.old.all:
            one.send(signal.SIGTERM)
        for one in self.old.all:
            await asyncio.to_thread(one.ended, 60)

    async def backup(self) -> str:
        run = await asyncio.to_thread(self.five.run)
        assert run.last["event"] == "backup done", run.said
        return str(run.last["name"])

    async def restore(self, name: str) -> None:
        await asyncio.to_thread(self.ten.prepare)
        run = await asyncio.to_thread(lambda: self.ten.run(RESTORE=name))
        assert run.last["event"] == "restore done", run.said

    async def start_new(self, count: int) -> None:
        """As many more, at once, and ready."""
        started = [self.new.start() for _ in range(count)]
        await until(lambda: all(one.reasons() == [] for one in started), 120, self.new.tail)

    async def end(self) -> tuple[Sent, dict[str, list[dict[str, Any]]]]:
        """No more events come, and all of them are applied. What was sent, and what others were told."""
        self.visitors.stop()
        sent = await asyncio.wait_for(self.sending, 120)
        assert sent.unexpected == []
        log = self.logs.opened[0]
        store = open_profile_store(self.ten.settings())
        await store.start()
        try:
            await worked_off(log, store, 120, self.new.tail)
        finally:
            await store.close()
        for one in self.new.all:
            one.send(signal.SIGTERM)
        for one in self.new.all:
            await asyncio.to_thread(one.ended, 60)
        return sent, await told(log)


@asynccontextmanager
async def scene(kafka: Kafka, folder: Path) -> AsyncIterator[Scene]:
    async with logs_at(kafka.url()) as logs:
        log = await logs.open(TOPICS)
        await configure(log)
        environment = {"LEOCDP_LOG_URL": logs.url, "LEOCDP_LOG_SESSION_TIMEOUT": "6"}
        with ExitStack() as stack:
            five = stack.enter_context(site(folder / "five", folder / "backups"))
            ten = stack.enter_context(site(folder / "ten", folder / "backups"))
            for made in (five, ten):
                made.double.server.sessions.idle = 2.0
            await asyncio.to_thread(five.prepare)
            old = stack.enter_context(fleet(five.folder, **{**five.environment, **environment}))
            new = stack.enter_context(fleet(ten.folder, **{**ten.environment, **environment}))
            urls = await asyncio.to_thread(stack.enter_context, observers(2, folder, {"LEOCDP_LOG_URL": logs.url}))
            visitors = Visitors(urls)
            sending = asyncio.create_task(visitors.run())
            try:
                for one in [old.start(), old.start()]:
                    await until(lambda one=one: one.reasons() == [], 120, old.tail)  # type: ignore[misc]
                yield Scene(logs, folder, visitors, sending, five, ten, old, new)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)


async def check_people(moved: Scene, sent: Sent) -> None:
    """Stored and counted is what was accepted, each once; and the people are those that the whole log gives."""
    users = [f"user-{number}" for number in range(PEOPLE)]
    settings = reader_settings(moved.ten)
    counts = await reconcile_store(settings, sent.acknowledged, users)
    if not sent.retries:
        assert counts.duplicates == 0
    digest, _ = await digest_of(settings)
    log = moved.logs.opened[0]
    async with from_the_beginning(moved.logs.url, log, moved.folder / "single") as single:
        assert await digest_of(single) == (digest, counts)


def entered(facts: Mapping[str, list[dict[str, Any]]], *causes: str) -> Counter[str]:
    """Person → how often others were told for these causes that they entered the segment; the same id counts once."""
    firsts = [each[0] for each in facts.values() if each[0].get("segment_id") == SEGMENT]
    assert {fact["change"] for fact in firsts} == {"entered"}
    return Counter(fact["profile_id"] for fact in firsts if fact["cause"] in causes)


async def test_five_servers_become_ten(kafka: Kafka, tmp_path: Path) -> None:
    """Two processors stop, four start on the database that was restored: to others nothing has happened."""
    async with scene(kafka, tmp_path) as moved:
        await moved.worked(lambda: moved.old.all, moved.old)
        await moved.stop_old()
        await moved.restore(await moved.backup())
        await moved.start_new(4)
        await moved.worked(lambda: moved.new.all, moved.new)
        sent, facts = await moved.end()
        assert moved.old.failures() == moved.new.failures() == []
        await check_people(moved, sent)
    assert {fact["cause"] for each in facts.values() for fact in each} == {"event"}
    assert all(fact == each[0] for each in facts.values() for fact in each), "one id, and two facts"
    assert set(entered(facts, "event").values()) == {1}
    assert len(entered(facts, "event")) == len(moved.visitors.saw)


async def test_a_lost_database_comes_back_from_last_night(kafka: Kafka, tmp_path: Path) -> None:
    """What was processed after the backup is processed again, and others are told that it is a replay: nothing happens
    to anybody for a second time."""
    async with scene(kafka, tmp_path) as moved:
        await moved.worked(lambda: moved.old.all, moved.old)
        name = await moved.backup()
        await moved.worked(lambda: moved.old.all, moved.old)
        moved.five.double.stop()
        await settled(moved.logs.opened[0])
        await moved.stop_old()
        before = await told(moved.logs.opened[0])
        await moved.restore(name)
        await moved.start_new(1)
        await moved.start_new(1)
        await moved.worked(lambda: moved.new.all, moved.new)
        sent, facts = await moved.end()
        assert moved.new.failures() == []
        await check_people(moved, sent)
    again = [fact for id, each in facts.items() for fact in each[len(before.get(id, ())) :] if id in before]
    assert "replay" in {fact["cause"] for fact in again}, "nothing was processed after the backup"
    for each in facts.values():
        assert len({(fact["kind"], fact["profile_id"], fact["occurred_at"]) for fact in each}) == 1
    assert set(entered(facts, "event").values()) == {1}
    # Whoever entered in the moment of the loss, when it could not be told any more, is told of as a replay only.
    assert len(entered(facts, "event", "replay")) == len(moved.visitors.saw)
