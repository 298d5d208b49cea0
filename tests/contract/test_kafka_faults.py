"""What can go wrong with a broker, and that the log says so, loses nothing and goes on afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from leocdp.adapters.kafka import feed
from leocdp.contracts.topics import EVENTS_ACCEPTED, TopicSpec
from leocdp.ports.event_log import LogUnavailable, NewRecord, Record
from tests.contract.event_log_harness import DEADLINE, assert_consecutive, fetch_count, run_appender, started, texts
from tests.kafka import Kafka, Logs, frozen, logs_at

TOPIC = TopicSpec("numbers", 4)


@pytest.fixture
async def logs(kafka: Kafka) -> AsyncIterator[Logs]:
    async with logs_at(kafka.url()) as logs:
        yield logs


def record(text: str, partition: int = 0) -> NewRecord:
    return NewRecord("numbers", partition, text.encode())


async def test_more_in_flight_than_allowed_is_refused_at_once(logs: Logs) -> None:
    log = await logs.open([TOPIC], max_in_flight=10_000)
    big = NewRecord("numbers", 0, b"x" * 4_000)
    appends = [asyncio.create_task(log.append([big])) for _ in range(5)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [isinstance(result, LogUnavailable) for result in results] == [False, False, True, True, True]
    assert list(await log.append([record("again")])) == [2]


async def test_an_append_that_is_not_acknowledged_in_time_has_failed_and_the_next_ones_go_on(
    kafka: Kafka, logs: Logs
) -> None:
    node = kafka.ours().nodes[0]
    log = await logs.open([TOPIC], timeout=1.5)
    assert list(await log.append([record("before", 1)])) == [0]
    with frozen(node):
        begun = time.monotonic()
        results = await asyncio.gather(
            *(log.append([record(f"frozen-{n}", n % 4)]) for n in range(8)), return_exceptions=True
        )
        assert 1.4 < time.monotonic() - begun < 10, "one after the other they would take twelve seconds"
        assert all(isinstance(result, LogUnavailable) for result in results), results
        assert "not acknowledged an append within 1.5 seconds" in str(results[0])
    await eventually_appended(log, "after")
    # Each of the others is there once or not at all: its caller was told that it may be either.
    found = [text for n in range(4) for text in texts(await log.read("numbers", n, 0))]
    assert found.count("before") == 1
    assert len(found) == len(set(found))


async def eventually_appended(log, text: str) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            await log.append([record(text)])
        except LogUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        else:
            return


async def test_closing_while_the_broker_is_away_does_not_hang(kafka: Kafka, logs: Logs) -> None:
    node = kafka.ours().nodes[0]
    log = await logs.open([TOPIC], timeout=1.0)
    consumer = await started(log, "numbers")
    with frozen(node):
        append = asyncio.create_task(log.append([record("lost")]))
        await asyncio.sleep(0)
        begun = time.monotonic()
        await consumer.close()
        await log.close()
        assert time.monotonic() - begun < 25
        with pytest.raises(LogUnavailable):
            await append


async def test_silence_is_noticed_by_who_reads(kafka: Kafka, logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "SILENCE_SECONDS", 2.0)
    node = kafka.ours().nodes[0]
    log = await logs.open([TOPIC])
    consumer = await started(log, "numbers")
    await log.append([record("a")])
    assert texts(await consumer.fetch(max_bytes=100, max_wait=DEADLINE)) == ["a"]
    with frozen(node), pytest.raises(LogUnavailable, match="has not answered for 2 seconds"):
        await fetch_count(consumer, 1)
    await consumer.close()


async def test_what_was_acknowledged_survives_a_kill_of_the_broker(kafka: Kafka, logs: Logs) -> None:
    """``kill -9`` and a restart while one appends and one reads: nothing is lost, nothing is there twice."""
    cluster = kafka.ours()
    process = await run_appender(logs.url, "burst", "k", "0")
    assert process.stdout is not None
    lines = [await asyncio.wait_for(process.stdout.readline(), DEADLINE) for _ in range(300)]
    log = await logs.open([TopicSpec(EVENTS_ACCEPTED, 24)])
    consumer = await started(log)

    node = cluster.nodes[0]
    node.kill()
    cluster.launch(node)
    await asyncio.to_thread(node.wait_started)
    seen = len(lines)
    while len(lines) < seen + 300:
        lines.append(await asyncio.wait_for(process.stdout.readline(), 2 * DEADLINE))
    process.kill()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()

    acknowledged = {}
    for line in lines:
        if line.endswith(b"\n"):
            partition, offset, text = line.decode().split()
            acknowledged[int(partition), int(offset)] = text
    assert len(acknowledged) >= 600
    records = [each for n in range(4) for each in await log.read(EVENTS_ACCEPTED, n, 0, max_records=10**6)]
    assert_consecutive(records)
    found = places(records)
    assert {place: found.get(place) for place in acknowledged} == acknowledged
    assert len(set(found.values())) == len(found), "stored twice"

    read: list[Record] = []
    deadline = time.monotonic() + 2 * DEADLINE
    while len(read) < len(found):
        assert time.monotonic() < deadline, f"{len(read)} of {len(found)}"
        read += await consumer.fetch(max_bytes=1 << 20, max_wait=0.5)
    assert_consecutive(read)
    assert places(read) == found
    await consumer.close()


def places(records: list[Record]) -> dict[tuple[int, int], str]:
    return {(each.partition, each.offset): text for each, text in zip(records, texts(records), strict=True)}
