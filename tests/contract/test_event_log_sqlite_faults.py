"""What can go wrong with one file on a disk, and that the embedded log says what to do and goes on afterwards."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.adapters.sqlite.log import writer
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import EventLog, LogCorrupt, LogUnavailable, NewRecord
from tests.contract.event_log_harness import DEADLINE, assert_consecutive, event, run_appender, started, texts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SQLiteEventLog]:
    log = SQLiteEventLog(path)
    await log.start()
    yield log
    await log.close()


async def start_refused(log: EventLog) -> str:
    """The sentence that a log refuses to start with."""
    with pytest.raises((LogUnavailable, LogCorrupt)) as refused:
        await log.start()
    return f"{type(refused.value).__name__}: {refused.value}"


# killed


@pytest.mark.parametrize("kill_after", [1, 500, 3000])
async def test_what_was_acknowledged_survives_a_kill(path: Path, kill_after: int) -> None:
    process = await run_appender(f"sqlite:///{path}", "burst", "k", "0")
    assert process.stdout is not None
    lines = [await asyncio.wait_for(process.stdout.readline(), DEADLINE) for _ in range(kill_after)]
    process.send_signal(signal.SIGKILL)
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    acknowledged = {}
    for line in lines:
        if line.endswith(b"\n"):
            partition, offset, text = line.decode().split()
            acknowledged[int(partition), int(offset)] = text
    assert len(acknowledged) >= kill_after

    log = SQLiteEventLog(path)
    await log.start()
    records = [r for p in range(4) for r in await log.read(EVENTS_ACCEPTED, p, 0, max_records=10**6)]
    assert_consecutive(records)
    found = {(r.partition, r.offset): text for r, text in zip(records, texts(records), strict=True)}
    assert {place: found.get(place) for place in acknowledged} == acknowledged
    assert (await log.append([event(0, "next")]))[0] == sum(record.partition == 0 for record in records)
    await log.close()


# full


async def test_a_full_disk_is_said_and_writing_goes_on_when_there_is_space(log: SQLiteEventLog) -> None:
    """A limit on the size of files stands for the full disk; Python ignores the signal that comes with it."""
    big = NewRecord(EVENTS_ACCEPTED, 0, b"x" * 200_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        results = await appended(log, [big] * 40)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    refused = [str(result) for result in results if isinstance(result, LogUnavailable)]
    stored = 40 - len(refused)
    assert 0 < stored < 40
    assert all("free space" in sentence for sentence in refused)
    assert list(await log.append([event(0, "freed")])) == [stored]
    records = await log.read(EVENTS_ACCEPTED, 0, 0)
    assert [len(record.value or b"") for record in records] == [200_000] * stored + [5]


async def appended(log: EventLog, records: Sequence[NewRecord]) -> list[Sequence[int] | BaseException]:
    """What became of each, one after the other."""
    return [(await asyncio.gather(log.append([record]), return_exceptions=True))[0] for record in records]


async def test_a_full_file_system_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own limit on pages raises what a full file system raises."""
    from leocdp.adapters.sqlite.log import file

    monkeypatch.setattr(file, "_PRAGMAS", (*file._PRAGMAS, "PRAGMA max_page_count = 60"))
    log = SQLiteEventLog(path)
    await log.start()
    results = await appended(log, [NewRecord(EVENTS_ACCEPTED, 0, b"x" * 50_000)] * 10)
    assert isinstance(results[-1], LogUnavailable)
    assert "is full. Free some space" in str(results[-1])
    await log.close()


async def test_more_in_flight_than_allowed_is_refused_at_once(path: Path) -> None:
    log = SQLiteEventLog(path, max_in_flight=10_000)
    await log.start()
    appends = [asyncio.create_task(log.append([NewRecord(EVENTS_ACCEPTED, 0, b"x" * 4_000)])) for _ in range(5)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [isinstance(result, LogUnavailable) for result in results] == [False, False, True, True, True]
    assert list(await log.append([event(0, "again")])) == [2]
    await log.close()


# locked


async def test_a_lock_that_is_held_too_long_is_said(
    log: SQLiteEventLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BUSY_TIMEOUT", 0.2)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogUnavailable, match="locked by another program"):
        await log.append([event(0, "refused")])
    holder.execute("ROLLBACK")
    holder.close()
    assert list(await log.append([event(0, "taken")])) == [0]


async def test_a_short_lock_is_waited_for(log: SQLiteEventLog, path: Path) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(log.append([event(0, "patient")]))
    assert texts(await log.read(EVENTS_ACCEPTED, 0, 0)) == []  # Readers do not wait for writers.
    holder.execute("ROLLBACK")
    holder.close()
    assert list(await waiting) == [0]


# missing, foreign, damaged


async def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    sentence = await start_refused(SQLiteEventLog(tmp_path / "no" / "log.db"))
    assert sentence.startswith("LogUnavailable: The folder")
    assert "LEOCDP_DATA_DIR" in sentence


async def test_the_data_folder_is_made(tmp_path: Path) -> None:
    log = SQLiteEventLog(tmp_path / "a" / "b" / "log.db", make_folder=True)
    await log.start()
    assert list(await log.append([event(0, "a")])) == [0]
    await log.close()


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    assert "cannot be created" in await start_refused(SQLiteEventLog(tmp_path / "a" / "b" / "log.db", make_folder=True))


async def test_a_folder_in_the_place_of_the_file_is_said(path: Path) -> None:
    path.mkdir()
    assert "is a folder" in await start_refused(SQLiteEventLog(path))


async def test_nothing_is_created_where_it_is_not_allowed(path: Path) -> None:
    assert "LEOCDP_LOG_CREATE_TOPICS" in await start_refused(SQLiteEventLog(path, create=False))
    assert not path.exists()
    path.touch()
    assert "is empty" in await start_refused(SQLiteEventLog(path, create=False))


async def test_a_file_that_is_no_database_is_refused_and_kept(path: Path) -> None:
    path.write_bytes(b"not a database, but something that matters to somebody" * 100)
    before = path.read_bytes()
    assert "LogCorrupt: The event log" in await start_refused(SQLiteEventLog(path))
    assert path.read_bytes() == before


async def test_the_database_of_something_else_is_refused_and_kept(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE batches (id INTEGER)")
    other.close()
    before = path.read_bytes()
    assert "not an event log" in await start_refused(SQLiteEventLog(path))
    assert path.read_bytes() == before


async def test_the_log_of_a_newer_version_is_refused(log: SQLiteEventLog, path: Path) -> None:
    await log.close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    assert "newer version" in await start_refused(SQLiteEventLog(path))


async def test_damage_that_is_met_while_reading_is_said(log: SQLiteEventLog, path: Path) -> None:
    await log.append([NewRecord(EVENTS_ACCEPTED, 0, b"x" * 4_000) for _ in range(500)])
    await log.close()
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    damaged = SQLiteEventLog(path)

    async def start_and_read() -> None:
        await damaged.start()
        await damaged.read(EVENTS_ACCEPTED, 0, 0)

    with pytest.raises(LogCorrupt, match="damaged"):
        await start_and_read()
    await damaged.close()


async def test_a_file_that_is_taken_away_is_noticed_before_anything_is_lost(
    log: SQLiteEventLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PLACE_CHECK", 0.0)
    await log.append([event(0, "a")])
    path.rename(path.with_suffix(".old"))
    with pytest.raises(LogCorrupt, match="removed or replaced"):
        await log.append([event(0, "b")])
    other = SQLiteEventLog(path)
    await other.start()
    with pytest.raises(LogCorrupt, match="removed or replaced"):
        await log.append([event(0, "c")])
    await other.close()


async def test_a_waiting_reader_learns_that_the_log_was_closed(log: SQLiteEventLog) -> None:
    consumer = await started(log)
    waiting = asyncio.create_task(consumer.fetch(max_bytes=1, max_wait=600))
    await asyncio.sleep(0)
    begun = time.monotonic()
    await log.close()
    with pytest.raises(LogUnavailable):
        await waiting
    assert time.monotonic() - begun < DEADLINE


@pytest.mark.skipif(os.geteuid() != 0, reason="Becoming a user without permissions takes root.")
@pytest.mark.parametrize(
    ("mode", "beginning"),
    [
        (0o755, "Give this user write permission on the file and its folder"),
        (0o700, "Give this user permission on the file and its folder"),
    ],
)
def test_a_log_that_this_user_may_not_use_is_said(mode: int, beginning: str) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", START_AS_NOBODY, str(mode)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    kind, advice = asked.stdout.splitlines()[-2:]
    assert kind == "LogUnavailable"
    assert advice.startswith(beginning)


START_AS_NOBODY = """
import asyncio, os, pathlib, sys, tempfile
from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.ports.event_log import LogError

async def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, int(sys.argv[1]))
        path = pathlib.Path(folder, "log.db")
        log = SQLiteEventLog(path)
        await log.start()
        await log.close()
        os.seteuid(65534)
        try:
            await SQLiteEventLog(path).start()
        except LogError as error:
            print(type(error).__name__, str(error).partition(". ")[2], sep="\\n")
        os.seteuid(0)

asyncio.run(main())
"""
