"""The processor as a whole: exactly once, dead letters, replay, restarts, the stop limit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from leocdp.contracts.log_records import VERSION, RejectedItem, RejectedRecord, encode
from leocdp.contracts.topics import EVENTS_ACCEPTED, EVENTS_DEAD_LETTER, EVENTS_REJECTED, PROFILES_CHANGED
from leocdp.domain.identity.identifiers import parse_key
from leocdp.ports.event_log import LogUnavailable, NewRecord
from leocdp_processor import pipeline
from tests.kafka import Kafka, logs_at
from tests.unit.processor.driving import Running, running, track, until
from tests.unit.processor.replaying import published

BROKEN = b'{"messageId": "broken", '


async def test_an_event_becomes_a_person_and_a_second_delivery_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(track("m1", userId="u1", anonymousId="a1"))
        await processor.send(track("m1", userId="u1", anonymousId="a1"))
        await processor.send(track("m2", userId="u1"), track("m2", userId="u1"))
        counts = await processor.counted(lambda counts: counts.events + counts.duplicates == 4)
        assert (counts.events, counts.duplicates, counts.people) == (2, 2, 1)
        person = await processor.reader.find(parse_key("anonymous_id:a1"))
        assert person is not None
        assert person.folded.total == 2


async def test_a_restart_goes_on_where_the_store_stands(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(track("m1", userId="u1"))
        await processor.counted(lambda counts: counts.events == 1)
        log_id = processor.environment.log.log_id
        assert await processor.environment.store.positions(log_id) == {(EVENTS_ACCEPTED, 0): 1}
    async with running(tmp_path) as processor:
        await processor.send(track("m2", userId="u1"))
        counts = await processor.counted(lambda counts: counts.events == 2)
        assert counts.duplicates == 0


async def test_what_cannot_be_read_is_a_dead_letter_and_can_be_replayed(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(track("m1", userId="u1"), BROKEN, track("m2", userId="u1"))
        counts = await processor.counted(lambda counts: counts.events == 2 and counts.dead_letters == 1)
        assert counts.people == 1
        letter = (await processor.reader.problem_events(outcome="dead-lettered")).data[0]
        assert (letter.topic, letter.partition, letter.offset, letter.index) == (EVENTS_ACCEPTED, 0, 0, 1)
        assert letter.payload == BROKEN.decode()
        letters = processor.environment.log
        assert sum([bound.end for bound in (await letters.bounds(EVENTS_DEAD_LETTER)).values()]) == 1

        outcome = await processor.command("replay", "cmd_replay", ids=[letter.id])
        assert outcome.result == {"replayed": 1}
        # It is as broken as before, so it comes back: a new dead letter, and the old one is marked.
        await processor.counted(lambda counts: counts.dead_letters == 1)

        async def came_back() -> bool:
            return len((await processor.reader.problem_events(outcome="dead-lettered")).data) == 2

        await until(came_back)


async def test_a_record_that_is_no_record_is_a_dead_letter(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.environment.log.append([NewRecord(EVENTS_ACCEPTED, 1, b"\xff\x00 no record")])
        await processor.send(track("m1", userId="u1"), partition=1)
        counts = await processor.counted(lambda counts: counts.events == 1)
        assert counts.dead_letters == 1


async def test_an_item_that_breaks_the_decision_is_set_aside_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = pipeline.decide

    def breaking(items, *others):  # type: ignore[no-untyped-def]
        if any(getattr(item, "message_id", "") == "poison" for item in items):
            raise RuntimeError("a defect of ours")
        return decide(items, *others)

    monkeypatch.setattr(pipeline, "decide", breaking)
    async with running(tmp_path) as processor:
        await processor.send(*(track(f"m{n}", userId="u1") for n in range(5)), track("poison", userId="u1"))
        counts = await processor.counted(lambda counts: counts.events == 5 and counts.dead_letters == 1)
        assert counts.people == 1
        letter = (await processor.reader.problem_events(outcome="dead-lettered")).data[0]
        assert (letter.reason, letter.message_id) == ("processing_failed", "poison")
        assert "a defect of ours" in letter.error


async def test_it_stops_instead_of_making_everything_a_dead_letter(tmp_path: Path) -> None:
    await stops_and_goes_on(tmp_path)


@pytest.mark.timeout(300)
async def test_it_stops_on_kafka_too(kafka: Kafka, tmp_path: Path) -> None:
    async with logs_at(kafka.url()) as logs:
        await stops_and_goes_on(tmp_path, log_url=logs.url, log_session_timeout=6)


async def stops_and_goes_on(data_dir: Path, **settings: Any) -> None:
    async with running(data_dir, processor_stop_window=20, **settings) as processor:
        await processor.send(*([BROKEN] * 30), track("m1", userId="u1"))

        async def stopped() -> bool:
            return any("Stopped" in reason for reason in await processor.environment.ready())

        await until(stopped)
        counts = await processor.reader.counts()
        assert (counts.dead_letters, counts.events) == (0, 0)
    async with running(data_dir, processor_stop_window=20, processor_stop_ratio=1, **settings) as processor:
        counts = await processor.counted(lambda counts: counts.dead_letters + counts.events >= 31)
        assert (counts.dead_letters, counts.events) == (30, 1)


async def test_what_the_edge_rejected_can_be_looked_at(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        refused = RejectedItem(
            int(time.time() * 1000), "shop", "segment", "/v1/track", "event_missing", "A track call needs a name.", "{}"
        )
        value = encode(RejectedRecord(VERSION, [refused]))
        await processor.environment.log.append([NewRecord(EVENTS_REJECTED, 2, value)])
        await processor.counted(lambda counts: counts.rejected == 1)
        problem = (await processor.reader.problem_events(outcome="rejected")).data[0]
        assert (problem.reason, problem.error) == ("event_missing", "A track call needs a name.")


async def test_changes_are_published(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(track("m1", userId="u1"))
        log = processor.environment.log

        async def appended() -> bool:
            return any(bound.end for bound in (await log.bounds(PROFILES_CHANGED)).values())

        await until(appended)
        await published(processor)


async def test_what_cannot_be_published_is_seen_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as processor:
        log, metrics = processor.environment.log, processor.environment.metrics
        append = log.append

        async def refusing(records: Sequence[NewRecord]) -> Sequence[int]:
            if any(record.topic == PROFILES_CHANGED for record in records):
                raise LogUnavailable("the log takes nothing")
            return await append(records)

        async def waits() -> bool:
            return b"leocdp_processor_outbox_pending 1.0" in metrics.expose().body

        async def waits_no_more() -> bool:
            return b"leocdp_processor_outbox_pending 0.0" in metrics.expose().body

        with monkeypatch.context() as patched:
            patched.setattr(log, "append", refusing)
            await processor.send(track("m1", userId="u1"))
            await until(waits)
        await until(waits_no_more)
        assert list(await processor.environment.store.pending_outbox(10)) == []


async def test_another_log_is_noticed_and_not_read_in_silence(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(track("m1", userId="u1"))
        await processor.counted(lambda counts: counts.events == 1)
    for file in tmp_path.glob("log.db*"):
        file.unlink()
    async with running(tmp_path) as processor:
        await until(lambda: _says(processor, "another event log"))
        await processor.send(track("m2", userId="u1"))
        new_log = processor.environment.log.log_id
    async with running(tmp_path, processor_accept_log=new_log) as processor:
        await processor.counted(lambda counts: counts.events == 2)


async def test_two_people_are_united_and_separated_by_command(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(track("m1", userId="u1"), track("m2", userId="u2"))
        await processor.counted(lambda counts: counts.people == 2)
        one, two = [await processor.reader.find(parse_key(f"user_id:{user}")) for user in ("u1", "u2")]
        assert one is not None
        assert two is not None
        merged = await processor.command("merge", "cmd_1", profile=one.id, **{"with": two.id})
        assert merged.state == "applied", merged.reason
        assert (await processor.reader.counts()).people == 1
        undone = await processor.command("unmerge", "cmd_2", merge_id=merged.result["merge_id"], identifier="keep")
        assert undone.state == "applied", undone.reason
        assert (await processor.reader.counts()).people == 2
        again = await processor.command("unmerge", "cmd_3", merge_id=merged.result["merge_id"], identifier="keep")
        assert again.state == "refused"


async def _says(processor: Running, words: str) -> bool:
    return any(words in reason for reason in await processor.environment.ready())
