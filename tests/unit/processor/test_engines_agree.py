"""One stream of events gives the same people on the embedded engine, through Kafka, and in ArangoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from leocdp.contracts.log_records import VERSION, AcceptedRecord, RequestBlock, encode
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import EventLog, NewRecord
from leocdp.ports.profile_reader import Counts
from tests.contract.arango_backend import double_database
from tests.faults.databases import store_fields
from tests.kafka import Kafka, logs_at
from tests.unit.processor.driving import item, running, track

RECEIVED = 1_790_000_000_000
PEOPLE = 12
EVENTS = 240
PARTITIONS = 6


def recorded() -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """(partition, time received, event): people with two devices each, who log in on one before the other.

    Each device stands in one partition, as observers put it; the two of a person stand in different ones. Every
    seventh event comes twice, some say that they happened hours before, and some carry names in Vietnamese.
    """
    for number in range(EVENTS):
        person, turn = number % PEOPLE, number // PEOPLE
        device = turn % 2
        fields: dict[str, Any] = {"anonymousId": f"device-{person}-{device}"}
        if turn >= 6 + 4 * device:
            fields["userId"] = f"user-{person}"
        if turn % 5 == 3:
            fields["timestamp"] = f"2026-09-2{turn % 3}T08:{turn:02d}:{person:02d}.000Z"
        if turn % 6 == 5:
            fields |= {"context": {"consent": {"categoryPreferences": {"marketing": turn % 4 == 1}}}}
        event = track(f"m-{number}", name="Đã mua" if turn % 3 else "Viewed", **fields)
        if turn % 4 == 2:
            event |= {"type": "identify", "traits": {"email": f"{person}@example.vn", "name": f"Lân {turn}"}}
        partition = (person + device) % PARTITIONS
        yield partition, RECEIVED + number * 1000, event
        if number % 7 == 0:
            yield partition, RECEIVED + number * 1000 + 400, event


async def put(log: EventLog) -> None:
    def record(partition: int, at: int, event: Mapping[str, Any]) -> NewRecord:
        block = RequestBlock(at, "shop", "segment", [item(event)], authenticated=True)
        return NewRecord(EVENTS_ACCEPTED, partition, encode(AcceptedRecord(VERSION, [block])))

    await log.append([record(*one) for one in recorded()])


async def outcome(data_dir: Path, **settings: Any) -> tuple[str, Counts]:
    async with running(data_dir, **settings) as processor:
        await put(processor.environment.log)
        counts = await processor.counted(lambda counts: counts.events >= EVENTS)
        return await processor.reader.digest(), counts


@pytest.mark.timeout(300)
async def test_the_same_people_on_every_engine(kafka: Kafka, tmp_path: Path) -> None:
    digest, counts = await outcome(tmp_path / "embedded")
    assert (counts.events, counts.people) == (EVENTS, PEOPLE)
    async with logs_at(kafka.url()) as logs:
        assert (await outcome(tmp_path / "kafka", log_url=logs.url))[0] == digest
    with double_database() as (_, connection):
        async with logs_at(kafka.url()) as logs:
            found, counts = await outcome(tmp_path / "arangodb", log_url=logs.url, **store_fields(connection))
        assert found == digest
        assert (counts.events, counts.people) == (EVENTS, PEOPLE)
