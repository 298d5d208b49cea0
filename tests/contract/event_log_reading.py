"""The contract of ``leocdp.ports.event_log``: reading, by groups and followers, in one process and in several."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import Counter

import pytest

from leocdp.contracts.topics import COMMANDS, CONFIG, EVENTS_ACCEPTED
from leocdp.ports.event_log import EventLog, NewRecord, TopicPartition
from tests.contract.event_log_harness import (
    DEADLINE,
    Harness,
    assert_consecutive,
    event,
    fetch_count,
    fetch_until,
    run_appender,
    started,
    texts,
    until_caught_up,
)


class ReadingContract:
    @pytest.fixture
    async def log(self, harness: Harness) -> EventLog:
        return await harness.open()

    async def test_a_lone_member_has_all_partitions(self, log: EventLog) -> None:
        consumer = await started(log, EVENTS_ACCEPTED, COMMANDS)
        expected = {TopicPartition(EVENTS_ACCEPTED, p) for p in range(24)} | {TopicPartition(COMMANDS, 0)}
        assert await consumer.assignment() == expected
        await consumer.close()

    async def test_a_consumer_sees_every_record_in_the_order_of_offsets(self, log: EventLog) -> None:
        consumer = await started(log, EVENTS_ACCEPTED, COMMANDS)
        for step in range(20):
            await log.append([event(p, f"{p}-{step}") for p in range(24)] + [event(0, f"c-{step}", COMMANDS)])
        records = await fetch_count(consumer, 500, max_bytes=700)
        assert_consecutive(records)
        await consumer.close()

    async def test_a_group_does_not_remember_where_to_read(self, log: EventLog) -> None:
        await log.append([event(0, "a"), event(0, "b")])
        consumer = await started(log)
        await fetch_count(consumer, 2)
        await consumer.commit({TopicPartition(EVENTS_ACCEPTED, 0): 2})
        await consumer.close()
        again = await started(log)
        assert texts(await fetch_count(again, 2)) == ["a", "b"]
        await again.close()

    async def test_seek_moves_some_partitions_and_leaves_the_others(self, log: EventLog) -> None:
        await log.append([event(p, f"{p}-{n}") for n in range(5) for p in (0, 1)])
        consumer = await started(log)
        await consumer.seek({TopicPartition(EVENTS_ACCEPTED, 0): 3, TopicPartition("no.such.topic", 0): 9})
        assert sorted(texts(await fetch_count(consumer, 7))) == ["0-3", "0-4"] + [f"1-{n}" for n in range(5)]
        await consumer.seek({TopicPartition(EVENTS_ACCEPTED, 1): 4})
        assert texts(await fetch_count(consumer, 1)) == ["1-4"]
        await consumer.close()

    async def test_fetch_is_empty_after_its_wait(self, log: EventLog) -> None:
        consumer = await started(log)
        begun = time.monotonic()
        assert list(await consumer.fetch(max_bytes=1 << 20, max_wait=0.2)) == []
        assert time.monotonic() - begun >= 0.19
        await consumer.close()

    async def test_fetch_brings_about_max_bytes_and_at_least_one_record(self, log: EventLog) -> None:
        await log.append([NewRecord(EVENTS_ACCEPTED, 0, b"x" * 10_000) for _ in range(30)])
        consumer = await started(log)
        assert len(await fetch_until(consumer, bool, max_bytes=1)) <= 2
        some = await fetch_until(consumer, bool, max_bytes=100_000)
        assert len(some) <= 20
        rest = await fetch_until(consumer, lambda found: len(found) + len(some) >= 28)
        assert all(len(record.value or b"") == 10_000 for record in rest)
        await consumer.close()

    async def test_a_fetch_that_was_cancelled_loses_nothing(self, log: EventLog) -> None:
        consumer = await started(log)
        waiting = asyncio.create_task(consumer.fetch(max_bytes=1 << 20, max_wait=30))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await log.append([event(0, "a")])
        assert texts(await fetch_count(consumer, 1)) == ["a"]
        await consumer.close()

    async def test_paused_partitions_wait_and_lose_nothing(self, log: EventLog) -> None:
        consumer = await started(log)
        paused = frozenset({TopicPartition(EVENTS_ACCEPTED, 0)})
        await log.append([event(0, "0-0"), event(1, "1-0")])
        assert sorted(texts(await fetch_count(consumer, 2))) == ["0-0", "1-0"]
        await consumer.pause(paused)
        for n in range(1, 6):
            await log.append([event(0, f"0-{n}"), event(1, f"1-{n}")])
        assert texts(await fetch_count(consumer, 5)) == [f"1-{n}" for n in range(1, 6)]
        await consumer.resume(paused)
        assert texts(await fetch_count(consumer, 5)) == [f"0-{n}" for n in range(1, 6)]
        await consumer.close()

    async def test_a_busy_partition_starves_no_other(self, log: EventLog) -> None:
        for _ in range(30):
            await log.append([NewRecord(EVENTS_ACCEPTED, 0, b"x" * 2_000) for _ in range(50)])
        await log.append([event(9, "quiet")])
        consumer = await started(log)
        before = await fetch_until(
            consumer, lambda found: any(record.partition == 9 for record in found), max_bytes=20_000
        )
        assert len(before) < 750
        await consumer.close()

    async def test_groups_do_not_know_of_each_other(self, log: EventLog) -> None:
        await log.append([event(0, "a")])
        first, second = await started(log, group="one"), await started(log, group="two")
        assert texts(await fetch_count(first, 1)) == ["a"]
        assert texts(await fetch_count(second, 1)) == ["a"]
        await first.close()
        await second.close()

    async def test_committed_positions_are_visible_to_others(self, harness: Harness) -> None:
        log, other = await harness.open(), await harness.open()
        consumer = await started(log, EVENTS_ACCEPTED, COMMANDS, group="g1")
        positions = {TopicPartition(EVENTS_ACCEPTED, 3): 7, TopicPartition(COMMANDS, 0): 1}
        await consumer.commit(positions)
        await consumer.commit({TopicPartition(EVENTS_ACCEPTED, 3): 9})
        assert await other.group_positions("g1") == positions | {TopicPartition(EVENTS_ACCEPTED, 3): 9}
        assert await other.group_positions("g2") == {}
        await consumer.close()
        await consumer.close()

    @pytest.mark.parametrize("seed", range(6))
    async def test_whatever_happens_each_partition_is_read_in_order_and_completely(
        self, harness: Harness, seed: int
    ) -> None:
        chance = random.Random(seed)
        log, writer = await harness.open(), await harness.open()
        consumer = await started(log, EVENTS_ACCEPTED, COMMANDS)
        everything = sorted(await consumer.assignment())
        used = [everything[0], *chance.sample(everything, 5)]
        appended: Counter[TopicPartition] = Counter()
        expected: Counter[TopicPartition] = Counter()
        paused: frozenset[TopicPartition] = frozenset()
        for _ in range(120):
            match chance.choice(["append", "append", "append", "fetch", "fetch", "pause", "resume", "seek"]):
                case "append":
                    hot = chance.choice(used)
                    chosen = [chance.choice([hot, hot, *used]) for _ in range(chance.choice([1, 1, 5, 60]))]
                    await chance.choice([log, writer]).append(
                        [NewRecord(t, p, b"x" * chance.choice([1, 100, 5000])) for t, p in chosen]
                    )
                    appended.update(chosen)
                case "fetch":
                    for record in await consumer.fetch(max_bytes=chance.choice([1, 500, 20_000]), max_wait=0):
                        assert record.topic_partition not in paused
                        assert record.offset == expected[record.topic_partition]
                        expected[record.topic_partition] += 1
                case "pause":
                    paused |= {chance.choice(used)}
                    await consumer.pause(paused)
                case "resume":
                    await consumer.resume(paused)
                    paused = frozenset()
                case "seek":
                    where = chance.choice(used)
                    expected[where] = chance.randint(0, appended[where])
                    await consumer.seek({where: expected[where]})
        await consumer.resume(paused)
        left = sum(appended.values()) - sum(expected.values())
        rest = await fetch_count(consumer, left) if left else []
        assert_consecutive(rest, expected)
        await consumer.close()

    # follow

    async def test_follow_tells_when_it_has_caught_up_and_goes_on(self, harness: Harness) -> None:
        log, other = await harness.open(), await harness.open()
        await log.append([event(p, f"{p}-0") for p in range(24)])
        following = log.follow(EVENTS_ACCEPTED)
        first = await until_caught_up(following)
        assert sorted(texts(first)) == sorted(f"{p}-0" for p in range(24))
        await other.append([event(5, "5-1")])
        assert texts(await until_caught_up(following)) == ["5-1"]
        await following.aclose()  # type: ignore[attr-defined]

    async def test_follow_of_an_empty_topic_has_caught_up_at_once(self, log: EventLog) -> None:
        following = log.follow(CONFIG)
        assert list(await asyncio.wait_for(anext(following), DEADLINE)) == []
        await following.aclose()  # type: ignore[attr-defined]

    async def test_follow_starts_at_positions(self, log: EventLog) -> None:
        await log.append([event(p, f"{p}-{n}") for n in range(3) for p in (0, 1)])
        following = log.follow(EVENTS_ACCEPTED, {0: 2})
        assert sorted(texts(await until_caught_up(following))) == ["0-2", "1-0", "1-1", "1-2"]
        await following.aclose()  # type: ignore[attr-defined]

    async def test_a_compacted_topic_has_at_least_the_newest_record_of_each_key(self, log: EventLog) -> None:
        for version in range(40):
            await log.append([NewRecord(CONFIG, 0, f"{key}@{version}".encode(), key.encode()) for key in "abc"])
        await log.append([NewRecord(CONFIG, 0, None, b"b")])
        following = log.follow(CONFIG)
        newest = {record.key: record.value for record in await until_caught_up(following)}
        assert newest.pop(b"b") is None
        assert newest == {b"a": b"a@39", b"c": b"c@39"}
        await following.aclose()  # type: ignore[attr-defined]

    # several processes

    async def test_a_waiting_reader_wakes_soon_after_another_process_appends(self, harness: Harness) -> None:
        log = await harness.open()
        consumer = await started(log)
        process = await run_appender(harness.url, "on-demand")
        assert process.stdin is not None
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        delays = []
        for _ in range(15):
            waiting = asyncio.create_task(fetch_count(consumer, 1))
            process.stdin.write(b"\n")
            (record,) = await waiting
            delays.append((time.time_ns() - int(record.value or b"0")) / 1e6)
        process.stdin.close()
        assert await process.wait() == 0
        assert statistics.median(delays) < 50, delays
        await consumer.close()

    async def test_two_processes_append_at_once(self, harness: Harness) -> None:
        log = await harness.open()
        processes = [await run_appender(harness.url, "burst", name, "400") for name in ("left", "right")]
        outputs = await asyncio.gather(*(process.communicate() for process in processes))
        assert [process.returncode for process in processes] == [0, 0]
        acknowledged = {}
        for output, _ in outputs:
            for line in output.decode().splitlines():
                partition, offset, text = line.split()
                acknowledged[int(partition), int(offset)] = text
        assert len(acknowledged) == 800
        records = [r for p in range(4) for r in await log.read(EVENTS_ACCEPTED, p, 0, max_records=1000)]
        assert_consecutive(records)
        assert {
            (record.partition, record.offset): text for record, text in zip(records, texts(records), strict=True)
        } == acknowledged
