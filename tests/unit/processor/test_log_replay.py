"""The same log into an empty store gives the same people, tells nobody twice, and brings nobody back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leocdp.contracts.topics import EVENTS_ACCEPTED, PROCESSOR_GROUP
from leocdp.domain.identity.identifiers import parse_key
from leocdp.ports.event_log import NewRecord
from leocdp_processor import runner
from tests.contract.arango_backend import double_database
from tests.faults.databases import store_fields
from tests.kafka import Kafka, logs_at
from tests.unit.processor.driving import Running, track, until
from tests.unit.processor.replaying import (
    announced,
    empty,
    profile_of,
    published,
    read_whole,
    rebuilt,
    start,
    traffic,
    visible,
)


@pytest.fixture
async def played(tmp_path: Path) -> tuple[Path, str, dict[str, list[str]]]:
    """A folder in which things have happened; the digest of it, and what was announced."""
    async with start(tmp_path) as processor:
        await traffic(processor)
        await visible(processor)
        await published(processor)
        return tmp_path, await processor.reader.digest(), await announced(processor)


async def test_the_same_people_come_out_of_an_empty_store(played: tuple[Path, str, dict[str, list[str]]]) -> None:
    data_dir, digest, before = played
    async with rebuilt(data_dir) as processor:
        assert await processor.reader.digest() == digest
        assert await processor.reader.find(parse_key("email:user5@example.vn")) is None
        back = await processor.reader.find(parse_key("user_id:user-5"))
        assert back is not None
        assert back.folded.total == 1
        for command in ("cmd_merge", "cmd_undo", "cmd_consent", "cmd_label", "cmd_erase"):
            outcome = await processor.reader.command(command)
            assert outcome is not None
            assert outcome.state == "applied"
        await published(processor)
        after = await announced(processor)
        assert after.keys() == before.keys()
        assert {cause for causes in before.values() for cause in causes} >= {"event", "command", "merge", "unmerge"}
        # What was announced before is announced once more, as a replay; what was erased before that is not.
        again = [causes[len(before[one]) :] for one, causes in after.items()]
        assert {cause for causes in again for cause in causes} == {"replay"}
        assert sum(map(len, again)) >= len(before) - 20

        await processor.send(track("new-1", userId="user-1", context={"traits": {"email": "new@example.vn"}}))
        await read_whole(processor)
        await published(processor)
        assert ["event"] in [(await announced(processor))[one] for one in (await announced(processor)).keys() - after]


async def test_small_batches_give_the_same(played: tuple[Path, str, dict[str, list[str]]]) -> None:
    data_dir, digest, _ = played
    async with rebuilt(data_dir, processor_batch_bytes=65_536) as processor:
        assert await processor.reader.digest() == digest


async def test_a_replay_that_is_cut_short_goes_on_as_one(
    played: tuple[Path, str, dict[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir, digest, before = played
    empty(data_dir)
    async with start(data_dir) as processor:
        pipeline = processor.environment._runner._pipeline  # type: ignore[union-attr]
        apply, applied = pipeline.apply, 0

        async def few(*arguments: Any) -> None:
            nonlocal applied
            applied += 1
            if applied == 3:
                processor.environment._runner.stop()  # type: ignore[union-attr]
                raise RuntimeError("killed here")
            await apply(*arguments)

        monkeypatch.setattr(pipeline, "apply", few)

        async def stopped() -> bool:
            return applied >= 3

        await until(stopped)
    async with start(data_dir) as processor:
        await read_whole(processor)
        assert await processor.reader.digest() == digest
        await published(processor)
        after = await announced(processor)
        again = [causes[len(before.get(one, ())) :] for one, causes in after.items()]
        assert {cause for causes in again for cause in causes} == {"replay"}


async def test_an_operator_may_say_that_all_of_it_is_a_replay(tmp_path: Path) -> None:
    """As when the log has forgotten how far processors had come."""
    async with start(tmp_path) as processor:
        log = processor.environment.log
        await processor.send(track("m1", userId="u1", context={"traits": {"email": "u1@example.vn"}}))
        await read_whole(processor)
        await published(processor)
        ends = dict.fromkeys(await log.group_positions(PROCESSOR_GROUP), 0)
        await visible(processor)
        consumer = log.consumer(runner.TOPICS, PROCESSOR_GROUP)
        await consumer.start()
        await consumer.commit(ends)
        await consumer.close()
        before = await announced(processor)
    async with rebuilt(tmp_path, processor_replay=True) as processor:
        await published(processor)
        after = await announced(processor)
        assert {causes[-1] for causes in after.values()} == {"replay"}
        assert after.keys() == before.keys()


async def test_a_ledger_alone_keeps_an_erased_person_away(tmp_path: Path) -> None:
    """The events again without the command, as when the log has lost it: admin issues it from its own ledger."""
    day = 86_400_000
    began = Running.now() - 20 * day

    async def happened(processor: Running, number: int, on: int, **fields: Any) -> None:
        await processor.send(track(f"m-{number}", **fields), at=began + on * day)

    async with start(tmp_path / "first") as processor:
        people = ["lan", "lan", None, "hoa", None, "hoa", "lan", None, "hoa", None, "mai", "hoa", None, "lan", None]
        for number, person in enumerate(people):
            who = {"userId": f"user-{person}", "context": {"traits": {"email": f"{person}@example.vn"}}}
            tablet = "tablet" if person != "mai" else "telephone"
            await happened(processor, number, number, anonymousId=tablet, **(who if person else {}))
        await processor.counted(lambda counts: counts.events == len(people))
        erased = await processor.command("erase", "cmd_1", profile=await profile_of(processor, "user_id:user-hoa"))
        assert erased.result["events"] == 7
        assert (await processor.reader.counts()).people == 2
        digest = await processor.reader.digest()
        first = processor.environment.log
        records = [await first.read(EVENTS_ACCEPTED, n, 0) for n in range(await first.partitions(EVENTS_ACCEPTED))]
    async with start(tmp_path / "second") as processor:
        ledger = {name: erased.result[name] for name in ("hashes", "key")}
        await processor.command("erase", "cmd_2", at=int(erased.at), **ledger)
        again = [NewRecord(one.topic, one.partition, one.value) for found in records for one in found]
        await processor.environment.log.append(again)
        counts = await processor.counted(lambda counts: counts.events + counts.filtered == len(people))
        assert counts.filtered == 7
        assert await processor.reader.digest() == digest


@pytest.mark.timeout(300)
async def test_the_same_on_kafka(kafka: Kafka, tmp_path: Path) -> None:
    async with logs_at(kafka.url()) as logs:
        settings = {"log_url": logs.url, "log_session_timeout": 6}
        async with start(tmp_path, **settings) as processor:
            await traffic(processor)
            await visible(processor)
            await published(processor)
            digest, before = await processor.reader.digest(), await announced(processor)
        async with rebuilt(tmp_path, **settings) as processor:
            assert await processor.reader.digest() == digest
            await published(processor)
            after = await announced(processor)
            again = [causes[len(before.get(one, ())) :] for one, causes in after.items()]
            assert {cause for causes in again for cause in causes} == {"replay"}


@pytest.mark.timeout(300)
async def test_the_same_on_kafka_and_arangodb(kafka: Kafka, tmp_path: Path) -> None:
    """One processor reads all of it again into a database that is empty."""
    async with logs_at(kafka.url()) as logs:
        settings: dict[str, Any] = {"data_dir": tmp_path, "log_url": logs.url, "log_session_timeout": 6}
        with double_database() as (_, first), double_database() as (_, second):
            async with start(**settings, **store_fields(first)) as processor:
                await traffic(processor)
                await visible(processor)
                await published(processor)
                digest, before = await processor.reader.digest(), await announced(processor)
                counts = await processor.reader.counts()
            async with start(**settings, **store_fields(second)) as processor:
                await read_whole(processor)
                assert await processor.reader.digest() == digest
                assert await processor.reader.find(parse_key("email:user5@example.vn")) is None
                again = await processor.reader.counts()
                assert (again.events, again.people) == (counts.events, counts.people)
                await published(processor)
                after = await announced(processor)
                added = [causes[len(before.get(one, ())) :] for one, causes in after.items()]
                assert {cause for causes in added for cause in causes} == {"replay"}
