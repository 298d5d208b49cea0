"""A small history of people and operators, and the means to read its log again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from leocdp.contracts.topics import PROCESSOR_GROUP, PROFILES_CHANGED
from leocdp.domain.identity.identifiers import parse_key
from leocdp_processor import runner
from tests.unit.processor.driving import Running, running, track, until

SECRET = "a secret of more than thirty-two characters"
EVENTS = 60


def start(data_dir: Path, **settings: Any) -> Any:
    return running(data_dir, erasure_key=SECRET, **settings)


async def profile_of(processor: Running, key: str) -> str:
    found = await processor.reader.find(parse_key(key))
    assert found is not None, key
    return found.id


async def announced(processor: Running) -> dict[str, list[str]]:
    """Id of each published outbox record → its causes, in the order of publication."""
    log = processor.environment.log
    causes: dict[str, list[str]] = {}
    for partition in range(await log.partitions(PROFILES_CHANGED)):
        for record in await log.read(PROFILES_CHANGED, partition, 0, max_records=10_000):
            body = json.loads(record.value or b"")
            causes.setdefault(body["id"], []).append(body["cause"])
    return causes


async def published(processor: Running) -> None:
    async def nothing_waits() -> bool:
        return not await processor.environment.store.pending_outbox(1)

    await until(nothing_waits)


async def visible(processor: Running) -> None:
    """Wait until the log knows how far the processor has come."""
    log, store = processor.environment.log, processor.environment.store

    async def all_of_it() -> bool:
        stored = await store.positions(log.log_id)
        group = await log.group_positions(PROCESSOR_GROUP)
        return bool(stored) and all(group.get(key, 0) == at for key, at in stored.items())  # type: ignore[call-overload]

    await until(all_of_it)


async def next_millisecond() -> None:
    """What several partitions take in the same millisecond has no order that a replay could know."""
    now = Running.now()
    while Running.now() == now:
        await asyncio.sleep(0)


async def traffic(processor: Running) -> None:
    """People who browse, log in and share devices, over several partitions; and an operator at work meanwhile."""
    for number in range(EVENTS):
        who = number % 7
        fields: dict[str, Any] = {"anonymousId": f"device-{who if number % 5 else 0}"}
        if number % 3:
            fields["userId"] = f"user-{who}"
        if number % 4 == 1:
            fields |= {"context": {"consent": {"categoryPreferences": {"marketing": bool(number % 8 == 1)}}}}
        event = track(f"m-{number}", **fields)
        if number % 6 == 2:
            event |= {"type": "identify", "traits": {"email": f"user{who}@example.vn", "visits": number}}
        await processor.send(event, partition=number % 5)
        await next_millisecond()
    await processor.counted(lambda counts: counts.events == EVENTS)
    one, two, three = [await profile_of(processor, f"user_id:user-{n}") for n in (1, 2, 3)]
    merged = await processor.command("merge", "cmd_merge", profile=one, **{"with": two})
    await processor.command("consent", "cmd_consent", profile=one, consents={"analytics": "denied"})
    await processor.command("label", "cmd_label", profile=three, labels=["vip"])
    await processor.send(b'{"userId": "user-4", broken', track("more-1", userId="user-1"), partition=3)
    await processor.counted(lambda counts: counts.dead_letters == 1)
    await processor.command("unmerge", "cmd_undo", merge_id=merged.result["merge_id"], identifier="keep")
    letter = (await processor.reader.problem_events(outcome="dead-lettered")).data[0]
    await processor.command("replay", "cmd_replay", ids=[letter.id])
    erased = await processor.command("erase", "cmd_erase", profile=await profile_of(processor, "user_id:user-5"))
    assert erased.result["events"] > 0
    await processor.send(track("back-1", userId="user-5"), track("more-2", userId="user-2"), partition=1)
    await processor.counted(lambda counts: counts.events == EVENTS - erased.result["events"] + 3)


def empty(data_dir: Path) -> None:
    for name in ("profiles.db", "profiles.db-wal", "profiles.db-shm"):
        (data_dir / name).unlink(missing_ok=True)


async def read_whole(processor: Running) -> None:
    log, store = processor.environment.log, processor.environment.store

    async def at_the_end() -> bool:
        stored = await store.positions(log.log_id)
        ends = {(topic, n): one.end for topic in runner.TOPICS for n, one in (await log.bounds(topic)).items()}
        return all(stored.get(key, 0) == end for key, end in ends.items()) and not await processor.environment.ready()

    await until(at_the_end)


@asynccontextmanager
async def rebuilt(data_dir: Path, **settings: Any) -> AsyncIterator[Running]:
    empty(data_dir)
    async with start(data_dir, **settings) as processor:
        await read_whole(processor)
        yield processor
