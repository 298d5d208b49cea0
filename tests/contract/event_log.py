"""The contract of ``leocdp.ports.event_log``, once per adapter: subclass EventLogContract and give it a harness."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest

from leocdp.contracts.topics import COMMANDS, CONFIG, EVENTS_ACCEPTED, TOPICS
from leocdp.ports.event_log import (
    MAX_RECORD_BYTES,
    Bounds,
    EventLog,
    LogUnavailable,
    NewRecord,
    RecordTooLarge,
    UnknownTopic,
)
from tests.contract.event_log_harness import Harness, assert_consecutive, event, texts
from tests.contract.event_log_reading import ReadingContract


class EventLogContract(ReadingContract):
    # append

    async def test_offsets_of_a_partition_start_at_zero_and_are_consecutive(self, log: EventLog) -> None:
        assert list(await log.append([event(3, "a"), event(3, "b"), event(4, "c"), event(3, "d")])) == [0, 1, 0, 2]
        assert list(await log.append([event(4, "e"), event(3, "f")])) == [1, 3]

    async def test_one_append_may_go_to_several_topics(self, log: EventLog) -> None:
        assert list(await log.append([event(0, "a"), event(0, "b", COMMANDS), event(0, "c")])) == [0, 0, 1]
        assert texts(await log.read(COMMANDS, 0, 0)) == ["b"]
        assert texts(await log.read(EVENTS_ACCEPTED, 0, 0)) == ["a", "c"]

    async def test_appended_records_can_be_read_at_once_as_they_were(self, log: EventLog) -> None:
        before = time.time_ns() // 1_000_000
        values = [b"", b"\x00\xff" * 50, "người".encode()]
        await log.append([NewRecord(EVENTS_ACCEPTED, 1, value) for value in values])
        await log.append([NewRecord(CONFIG, 0, None, b"kind:a"), NewRecord(CONFIG, 0, b"v", b"")])
        records = await log.read(EVENTS_ACCEPTED, 1, 0)
        assert [record.value for record in records] == values
        assert [(record.topic, record.partition, record.key) for record in records] == [(EVENTS_ACCEPTED, 1, None)] * 3
        assert all(before - 1000 <= record.timestamp <= time.time_ns() // 1_000_000 + 1000 for record in records)
        keyed = await log.read(CONFIG, 0, 0)
        assert [(record.key, record.value) for record in keyed] == [(b"kind:a", None), (b"", b"v")]

    async def test_appending_nothing_is_nothing(self, log: EventLog) -> None:
        assert list(await log.append([])) == []
        assert (await log.bounds(EVENTS_ACCEPTED))[0] == Bounds(0, 0)

    async def test_the_largest_record_is_taken_and_a_larger_one_is_refused(self, log: EventLog) -> None:
        largest = NewRecord(EVENTS_ACCEPTED, 0, b"x" * MAX_RECORD_BYTES)
        assert list(await log.append([largest])) == [0]
        with pytest.raises(RecordTooLarge):
            await log.append([NewRecord(EVENTS_ACCEPTED, 0, b"x" * (MAX_RECORD_BYTES + 1))])
        assert list(await log.append([largest, event(0, "after")])) == [1, 2]
        records = await log.read(EVENTS_ACCEPTED, 0, 0)
        assert [len(record.value or b"") for record in records] == [MAX_RECORD_BYTES, MAX_RECORD_BYTES, 5]

    async def test_what_is_not_in_the_topic_table_is_unknown(self, log: EventLog) -> None:
        for record in (event(0, "a", "no.such.topic"), event(24, "a"), event(-1, "a"), event(1, "a", COMMANDS)):
            with pytest.raises(UnknownTopic):
                await log.append([record])
        with pytest.raises(UnknownTopic):
            await log.partitions("no.such.topic")
        with pytest.raises(UnknownTopic):
            await log.bounds("no.such.topic")
        with pytest.raises(UnknownTopic):
            await log.read("no.such.topic", 0, 0)
        with pytest.raises(UnknownTopic):
            await anext(log.follow("no.such.topic"))

    async def test_partitions_are_those_of_the_topic_table(self, log: EventLog) -> None:
        assert {spec.name: await log.partitions(spec.name) for spec in TOPICS} == {
            spec.name: spec.partitions for spec in TOPICS
        }

    async def test_bounds_are_the_first_offset_and_the_next(self, log: EventLog) -> None:
        await log.append([event(2, "a"), event(2, "b"), event(5, "c")])
        bounds = await log.bounds(EVENTS_ACCEPTED)
        assert (bounds[2], bounds[5], bounds[0]) == (Bounds(0, 2), Bounds(0, 1), Bounds(0, 0))
        assert set(bounds) == set(range(24))

    async def test_concurrent_appends_are_all_there_once_and_keep_the_order_of_each_caller(self, log: EventLog) -> None:
        async def caller(name: int) -> list[int]:
            return [(await log.append([event(name % 3, f"{name}-{step}")]))[0] for step in range(25)]

        offsets = await asyncio.gather(*(caller(name) for name in range(40)))
        assert all(list(own) == sorted(own) for own in offsets)
        records = [r for p in range(3) for r in await log.read(EVENTS_ACCEPTED, p, 0, max_records=2000)]
        assert_consecutive(records)
        assert Counter(texts(records)) == Counter(f"{n}-{s}" for n in range(40) for s in range(25))

    async def test_a_caller_that_gives_up_harms_nobody(self, log: EventLog) -> None:
        given_up = asyncio.create_task(log.append([event(0, "maybe")]))
        others = [asyncio.create_task(log.append([event(0, f"sure-{n}")])) for n in range(5)]
        given_up.cancel()
        await asyncio.gather(*others)
        found = texts(await log.read(EVENTS_ACCEPTED, 0, 0))
        assert [text for text in found if text != "maybe"] == [f"sure-{n}" for n in range(5)]

    # identity, opening and closing

    async def test_the_identity_is_the_logs_and_outlives_its_clients(self, harness: Harness) -> None:
        first = await harness.open()
        second = await harness.open()
        assert first.log_id
        assert first.log_id == second.log_id
        await first.append([event(0, "kept")])
        await first.close()
        await second.close()
        third = await harness.open()
        assert third.log_id == first.log_id
        assert texts(await third.read(EVENTS_ACCEPTED, 0, 0)) == ["kept"]

    async def test_closing_twice_is_fine_and_a_closed_log_is_unavailable(self, log: EventLog) -> None:
        await log.close()
        await log.close()
        with pytest.raises(LogUnavailable):
            await log.append([event(0, "late")])
        with pytest.raises(LogUnavailable):
            await log.read(EVENTS_ACCEPTED, 0, 0)

    async def test_closing_writes_what_was_appended_before(self, harness: Harness) -> None:
        log = await harness.open()
        appends = [asyncio.create_task(log.append([event(0, str(n))])) for n in range(50)]
        await asyncio.sleep(0)
        await log.close()
        await asyncio.gather(*appends)
        again = await harness.open()
        assert texts(await again.read(EVENTS_ACCEPTED, 0, 0)) == [str(n) for n in range(50)]

    # read

    async def test_read_starts_at_an_offset_and_is_empty_at_the_end(self, log: EventLog) -> None:
        for start in range(0, 30, 3):
            await log.append([event(7, str(n)) for n in range(start, start + 3)])
            await log.append([event(8, "other")])
        for offset in range(30):
            records = await log.read(EVENTS_ACCEPTED, 7, offset, max_records=4)
            assert texts(records) == [str(n) for n in range(offset, min(offset + 4, 30))]
        assert list(await log.read(EVENTS_ACCEPTED, 7, 30)) == []
        assert list(await log.read(EVENTS_ACCEPTED, 9, 0)) == []
