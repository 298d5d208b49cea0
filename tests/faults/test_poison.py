"""Poison in the log, on Kafka: each piece is kept with its reason, and all the rest is applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leocdp.contracts import log_records
from leocdp.contracts.topics import COMMANDS, CONFIG, EVENTS_ACCEPTED, EVENTS_DEAD_LETTER, EVENTS_REJECTED, TOPICS
from leocdp.ports.event_log import EventLog, NewRecord
from leocdp.ports.profile_reader import ProblemEvent, ProfileReader
from leocdp_processor import parse, pipeline
from tests.contract.arango_backend import double_database
from tests.faults import poison
from tests.faults.databases import store_settings
from tests.faults.event_load import EventLoad, worked_off
from tests.faults.reconcile import ReaderSettings, reconcile_store
from tests.kafka import Kafka, logs_at
from tests.unit.processor.driving import Running, running


@pytest.fixture(params=["sqlite", "arangodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Settings of the profile store."""
    if request.param == "sqlite":
        yield ReaderSettings(data_dir=tmp_path)
    else:
        with double_database() as (_, connection):
            yield store_settings(connection)


@dataclass
class Defect:
    """A version of the code that some items break, once where they are read and once where they are decided on."""

    patch: pytest.MonkeyPatch

    def build_in(self) -> None:
        build, decide = parse.build_envelope, pipeline.decide  # type: ignore[attr-defined]

        def built(item: Any, *arguments: Any) -> Any:
            if b"breaks-reading" in item.body:
                raise LookupError("a defect of ours")
            return build(item, *arguments)

        def decided(items: Sequence[Any], *arguments: Any) -> Any:
            if any(str(getattr(item, "message_id", "")).startswith("breaks-deciding") for item in items):
                raise ZeroDivisionError("a defect of ours")
            return decide(items, *arguments)

        self.patch.setattr(parse, "build_envelope", built)
        self.patch.setattr(pipeline, "decide", decided)

    def mend(self) -> None:
        self.patch.undo()


@pytest.fixture
def defect() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield Defect(patch)


@pytest.mark.timeout(300)
async def test_each_poison_is_kept_with_its_reason_and_the_rest_is_applied(
    kafka: Kafka, tmp_path: Path, store: ReaderSettings, defect: Defect
) -> None:
    settings = {"store_url": store.store_url, "store_password": store.store_password, "log_session_timeout": 6}
    async with logs_at(kafka.url()) as logs:
        log = await logs.open(TOPICS)
        defect.build_in()
        load, expected = EventLoad(log), Counter[str]()
        async with running(tmp_path, log_url=logs.url, **settings) as processor:
            await load.portion()
            expected += await _poison(log, load)
            await load.portion()
            await worked_off(log, processor.environment.store, 90, lambda: reasons(processor))
            letters = await _letters(processor.reader)
            assert Counter(letter.reason for letter in letters) == expected
            assert all(letter.error and "defect" in letter.error for letter in _of(letters, "processing_failed"))
            bounds = await log.bounds(EVENTS_DEAD_LETTER)
            assert sum(bound.end for bound in bounds.values()) == expected.total()
        users = [*load.users, "user-strange"]
        await reconcile_store(store, load.acknowledged, users, dead_letters=expected.total())

        defect.mend()
        defect.patch.setattr(log_records, "VERSION", log_records.VERSION + 1)
        async with running(tmp_path, log_url=logs.url, **settings) as processor:
            good = [*_of(letters, "processing_failed"), *(one for one in letters if "is newer than" in one.error)]
            outcome = await processor.command("replay", "cmd_replay", ids=[letter.id for letter in good])
            assert outcome.result == {"replayed": 5}
            await worked_off(log, processor.environment.store, 90, lambda: reasons(processor))
        load.acknowledged |= {"new-1", *BREAKING}
        users = [*users, "user-new"]
        await reconcile_store(store, load.acknowledged, users, dead_letters=expected.total() - 5)


def reasons(processor: Running) -> str:
    runner = processor.environment._runner
    return "" if runner is None else str(runner.reasons())


BREAKING = ("breaks-reading-0", "breaks-reading-1", "breaks-deciding-0", "breaks-deciding-1")


async def _poison(log: EventLog, load: EventLoad) -> Counter[str]:
    """Everything that is poison among what is not; how often each reason is to be found."""
    records = [NewRecord(EVENTS_ACCEPTED, number % 5, value) for number, value in enumerate(poison.RECORDS)]
    records += [NewRecord(COMMANDS, 0, value) for value in poison.COMMANDS]
    records += [NewRecord(EVENTS_REJECTED, number, b"\xff\x92" * number) for number in range(2)]
    items = [item for _, item in poison.ITEMS]
    items += [poison.strange(number, "user-strange") for number in range(len(poison.STRANGE))]
    items += [log_records.Item("track", _track(name)) for name in BREAKING]
    load.acknowledged |= {f"strange-{number}" for number in range(len(poison.STRANGE))}
    records.append(NewRecord(EVENTS_ACCEPTED, 3, poison.record(*items)))
    records.append(NewRecord(CONFIG, 0, b'{"kind":"\xff"}', key=b"source:\xff"))
    for one in records:
        await log.append([one])
    return Counter(
        {
            "record_unreadable": len(poison.RECORDS) + 2,
            "command_unreadable": len(poison.COMMANDS),
            "processing_failed": len(BREAKING),
        }
    ) + Counter(reason for reason, _ in poison.ITEMS)


def _track(name: str) -> bytes:
    return f'{{"type":"track","messageId":"{name}","userId":"user-strange","event":"Seen"}}'.encode()


async def _letters(reader: ProfileReader) -> list[ProblemEvent]:
    return list((await reader.problem_events(outcome="dead-lettered", limit=200)).data)


def _of(letters: Sequence[ProblemEvent], reason: str) -> list[ProblemEvent]:
    return [letter for letter in letters if letter.reason == reason]
