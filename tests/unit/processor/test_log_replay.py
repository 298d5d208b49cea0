"""The same log into an empty store gives the same people, tells nobody twice, and brings nobody back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from leocdp.contracts.topics import EVENTS_ACCEPTED, PROCESSOR_GROUP, PROFILES_CHANGED
from leocdp.domain.identity.identifiers import parse_key
from leocdp.ports.event_log import NewRecord
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


@pytest.fixture
async def played(tmp_path: Path) -> tuple[Path, str, dict[str, list[str]]]:
    """A folder in which things have happened; the digest of it, and what was announced."""
    async with start(tmp_path) as processor:
        await traffic(processor)
        await visible(processor)
        await published(processor)
        return tmp_path, await processor.reader.digest(), await announced(processor)


@asynccontextmanager
async def rebuilt(data_dir: Path, **settings: Any) -> AsyncIterator[Running]:
    empty(data_dir)
    async with start(data_dir, **settings) as processor:
        await read_whole(processor)
        yield processor


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

        async def few(batch: Any, rules: Any) -> None:
            nonlocal applied
            applied += 1
            if applied == 3:
                processor.environment._runner.stop()  # type: ignore[union-attr]
                raise RuntimeError("killed here")
            await apply(batch, rules)

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
