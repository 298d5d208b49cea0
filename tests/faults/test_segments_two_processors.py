"""Two processors share the people of a store: events of any partition bring them in, timers of shards take them out."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.times import iso
from leocdp.contracts.topics import EVENTS_ACCEPTED, SEGMENTS_MEMBERSHIP, TOPICS
from leocdp.kit import metric_catalogue as m
from leocdp.ports.config_view import publish_entry
from leocdp.ports.event_log import EventLog, NewRecord
from leocdp_processor import environment
from leocdp_processor.environment import Environment
from tests.faults.test_kafka_processors import PARTITIONS, PEOPLE, DistantStore, Load, applied, processor, until
from tests.kafka import Kafka, logs_at

AGO = 48_000
"""ms: what is seen was so long ago, so that the minute is over soon."""


class Late(Load):
    """Events that come late. Each person's come in two partitions, so that two processors meet."""

    def _record(self, number: int) -> NewRecord:
        person, now = number % PEOPLE, time.time_ns() // 1_000_000
        self.sent[f"user-{person}"] += 1
        body = {
            "type": "track",
            "messageId": f"m-{number}",
            "userId": f"user-{person}",
            "event": "Seen",
            "timestamp": iso(now - AGO),
        }
        block = RequestBlock(now, "shop", "segment", [Item("track", json.dumps(body).encode())])
        partition = (person + number // PEOPLE % 2 * (PARTITIONS // 2)) % PARTITIONS
        return NewRecord(EVENTS_ACCEPTED, partition, encode(AcceptedRecord(VERSION, [block])))


async def define(log: EventLog) -> None:
    current = {"version": 1, "condition": {"event": "Seen", "within": "1m"}}
    data = {"id": "sgm_seen", "name": "Seen", "current": current}
    at = time.time_ns() // 1_000_000
    await publish_entry(log, ConfigEntry(kind="segment", id="sgm_seen", version=1, at=at, data=data))


def refreshed(one: Environment) -> int:
    """People whose timers this processor has taken."""
    name = f"{m.PROCESSOR_REFRESHED.name.removesuffix('_total')}_total"
    return int(one.metrics.registry.get_sample_value(name, {"why": "due"}) or 0)


async def told(log: EventLog) -> dict[str, list[dict[str, Any]]]:
    """Profile → its facts in the order of its versions, each once."""
    facts: dict[str, dict[str, Any]] = {}
    for partition in range(await log.partitions(SEGMENTS_MEMBERSHIP)):
        offset = 0
        while records := await log.read(SEGMENTS_MEMBERSHIP, partition, offset, max_records=1_000):
            offset = records[-1].offset + 1
            for record in records:
                fact = json.loads(record.value or b"")
                assert facts.setdefault(fact["id"], fact) == fact
    people: dict[str, list[dict[str, Any]]] = {}
    for fact in sorted(facts.values(), key=lambda one: int(one["version"])):
        people.setdefault(fact["profile_id"], []).append(fact)
    return people


@pytest.mark.timeout(300)
async def test_each_step_is_decided_by_one_of_them(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DistantStore()
    monkeypatch.setattr(environment, "open_profile_store", lambda _: store)
    async with logs_at(kafka.url()) as logs:
        log = await logs.open(TOPICS)
        await define(log)
        load = Late(log)
        loading = asyncio.create_task(load.run())
        async with AsyncExitStack() as both:
            one = await both.enter_async_context(processor(logs.url, tmp_path))
            other = await both.enter_async_context(processor(logs.url, tmp_path))
            await until(lambda: applied(one) > 200 and applied(other) > 200, 90)
            load.stop()
            await loading
            ends = sum(bound.end for bound in (await log.bounds(EVENTS_ACCEPTED)).values())
            await until(lambda: sum(store.moves.values()) == ends, 90)
            await until(lambda: not any(store.members.values()), 90)
            await until(lambda: not store.outbox, 90)
            assert min(refreshed(one), refreshed(other)) > 0
        people = await told(log)
    assert len(people) == PEOPLE
    for facts in people.values():
        steps = [(fact["kind"], fact["cause"]) for fact in facts]
        assert steps == [("segment_entered", "event"), ("segment_left", "time")] * (len(steps) // 2), steps
