"""What only the embedded store can meet: kill -9, the lock, files that are not ours, a full disk."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.profiles.connection import Tuning
from leocdp.adapters.sqlite.profiles.schema import SCHEMA_VERSION
from leocdp.domain.decisions import Changes, LoadRequest
from leocdp.ports.profile_reader import ProfileQuery
from leocdp.ports.profile_store import (
    Conflict,
    SchemaTooNew,
    StoreCorrupt,
    StoreError,
    StoreInUse,
    StoreUnavailable,
)
from tests.contract.builders import LOG, T0, TOPIC, applied, changed, event, move, person, profile_id, state, together
from tests.contract.profile_backend import load_one, look_up, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profiles.db"


async def opened(path: Path) -> SQLiteProfileStore:
    store = SQLiteProfileStore(path)
    await store.start()
    return store


def damage(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


# kill -9


@pytest.mark.parametrize(("place", "survivors"), [("before", 1), ("after", 2)])
async def test_a_kill_around_the_commit_leaves_all_of_it_or_nothing(path: Path, place: str, survivors: int) -> None:
    victim = [sys.executable, "-m", "tests.contract.profile_victim", str(path), place]
    ended = await asyncio.to_thread(subprocess.run, victim, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert ended.stdout == "committed\n"
    store = await opened(path)
    reader = SQLiteProfileReader(path)
    await reader.start()
    try:
        assert await store.positions(LOG) == {(TOPIC, 0): survivors}
        assert len((await look_up(store, "user_id:u-1", "user_id:u-2")).owners) == survivors
        assert len(await store.pending_outbox(9)) == survivors
        counts = await reader.counts()
        assert (counts.profiles, counts.events) == (survivors, survivors)
        assert (await reader.search(ProfileQuery("lan"))).total == survivors
        assert len(await reader.recent_events()) == survivors
        again = event("m-2", T0 + 2)
        known = (await store.load(LoadRequest(dedup_keys=frozenset({again.dedup_key})))).known
        assert len(known) == survivors - 1
        await store.commit(together(person(3, "user_id:u-3")), [move(survivors, 3)], T0)
    finally:
        await reader.close()
        await store.close()


# One at a time


async def test_a_second_store_on_the_same_file_says_that_it_is_in_use(path: Path) -> None:
    store = await opened(path)
    second = SQLiteProfileStore(path)
    with pytest.raises(StoreInUse, match="one at a time"):
        await second.start()
    await second.close()
    await store.commit(person(1), [], T0)
    await store.close()
    third = await opened(path)
    assert (await load_one(third, profile_id(1))).id == profile_id(1)
    await third.close()


async def test_a_killed_holder_does_not_keep_the_lock(path: Path) -> None:
    code = (
        "import asyncio, sys, pathlib\n"
        "from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore\n"
        "async def main():\n"
        "    store = SQLiteProfileStore(pathlib.Path(sys.argv[1]))\n"
        "    await store.start()\n"
        "    print('holding', flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await asyncio.wait_for(holder.stdout.readline(), 60) == b"holding\n"
    with pytest.raises(StoreInUse):
        await SQLiteProfileStore(path).start()
    holder.kill()
    await holder.wait()
    await (await opened(path)).close()


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "under", Path("/proc/none")):
        with pytest.raises(StoreUnavailable, match="LEOCDP_DATA_DIR"):
            await SQLiteProfileStore(folder / "profiles.db").start()


async def test_a_folder_that_somebody_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="folder exists"):
        await SQLiteProfileStore(tmp_path / "missing" / "profiles.db", make_folder=False).start()
    assert not (tmp_path / "missing").exists()


# Files


async def test_opening_again_migrates_nothing_and_keeps_everything(path: Path) -> None:
    for number in range(3):
        store = await opened(path)
        await write(store, person(number))
        await store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    assert connection.execute("SELECT count(*) FROM profiles").fetchone()[0] == 3
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()


async def test_a_crash_in_a_migration_leaves_an_empty_file_that_is_migrated_later(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    reader = SQLiteProfileReader(path)
    await reader.start()
    with pytest.raises(StoreUnavailable, match="being made"):
        await reader.counts()
    store = await opened(path)
    assert (await reader.counts()).profiles == 0
    await reader.close()
    await store.close()


async def test_a_newer_schema_is_refused(path: Path) -> None:
    await (await opened(path)).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(SchemaTooNew, match="newer version"):
        await opened(path)
    reader = SQLiteProfileReader(path)
    await reader.start()
    with pytest.raises(SchemaTooNew):
        await reader.counts()
    await reader.close()


async def test_a_file_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="not a profile store"):
        await opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database, only some text that is long enough" * 10])
async def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match="damaged or is not a SQLite file"):
        await opened(path)
    reader = SQLiteProfileReader(path)
    await reader.start()
    with pytest.raises(StoreCorrupt):
        await reader.counts()
    await reader.close()


async def test_damage_is_told_when_it_is_met(path: Path) -> None:
    store = await opened(path)
    await write(store, together(*(person(n, f"user_id:u-{n}", name=f"Name {n}") for n in range(500))))
    await store.close()
    damage(path, 4096, b"\xff" * (path.stat().st_size - 4096))
    try:
        store = await opened(path)
    except StoreCorrupt:
        return
    with pytest.raises(StoreCorrupt, match="restore a backup"):
        await look_up(store, *(f"user_id:u-{n}" for n in range(500)))
    await store.close()


async def test_a_state_that_cannot_be_read_is_told_as_damage(path: Path) -> None:
    store = await opened(path)
    await write(store, person(1, "user_id:u"))
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE profiles SET state = x'c1'")
    connection.commit()
    connection.close()
    store = await opened(path)
    reader = SQLiteProfileReader(path)
    await reader.start()
    with pytest.raises(StoreCorrupt):
        await look_up(store, "user_id:u")
    with pytest.raises(StoreCorrupt):
        await reader.find(profile_id(1))
    await reader.close()
    await store.close()


async def test_a_full_disk_is_unavailable_loses_nothing_and_passes(path: Path) -> None:
    store = await opened(path)
    await write(store, person(1, "user_id:u-1"))
    limit_pages(store, extra=20)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await store.commit(flood(2), [move(None, 1)], T0)
    assert await store.positions(LOG) == {}
    limit_pages(store, extra=1 << 20)
    await store.commit(flood(2), [move(None, 1)], T0)
    assert await store.positions(LOG) == {(TOPIC, 0): 1}
    assert len((await look_up(store, "user_id:u-1", "user_id:u-2")).owners) == 2
    await store.close()


def limit_pages(store: SQLiteProfileStore, extra: int) -> None:
    """Stands for a disk with room for ``extra`` more pages: the same error as from the system."""
    connection = store._connection
    assert connection is not None
    used = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {used + extra}")


def flood(number: int) -> Changes:
    long = "x" * 1_000
    events = [event(f"m-{number}-{n}", T0, properties={"text": long}) for n in range(400)]
    return together(person(number, f"user_id:u-{number}"), applied(profile_id(number), *events))


async def test_a_writer_that_holds_the_file_too_long_is_unavailable(path: Path) -> None:
    store = SQLiteProfileStore(path, tuning=Tuning(busy_ms=50))
    await store.start()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.commit(person(1), [], T0)
    other.execute("ROLLBACK")
    other.close()
    await store.commit(person(1), [], T0)
    await store.close()


# Beside each other


async def test_a_reader_sees_whole_commits_while_the_writer_writes(path: Path) -> None:
    """Each commit moves the two people and the position together; a reader never sees one without the other."""
    store = await opened(path)
    await store.commit(together(person(1), person(2)), [move(None, 0)], T0)
    reader = SQLiteProfileReader(path)
    await reader.start()

    async def commits() -> None:
        for number in range(60):
            people = [await load_one(store, profile_id(one)) for one in (1, 2)]
            after = together(*(changed(one, state(total=number)) for one in people))
            await store.commit(after, [move(number, number + 1)], T0)

    async def reads() -> int:
        seen = 0
        while not writing.done():
            rows = (await reader.search(ProfileQuery())).data
            assert len({row.events for row in rows}) == 1
            seen += 1
        return seen

    writing = asyncio.create_task(commits())
    assert await reads() > 0
    await writing
    await reader.close()
    await store.close()


async def test_a_reader_follows_a_file_that_was_replaced(path: Path, tmp_path: Path) -> None:
    other = await opened(tmp_path / "other.db")
    await write(other, person(1), person(2))
    await other.close()
    store = await opened(path)
    reader = SQLiteProfileReader(path)
    await reader.start()
    assert (await reader.counts()).people == 0
    await store.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    os.replace(tmp_path / "other.db", path)
    assert (await reader.counts()).people == 2
    await reader.close()


async def test_a_cancelled_commit_is_whole_or_not_at_all(path: Path) -> None:
    store = await opened(path)
    task = asyncio.create_task(store.commit(person(1, "user_id:u"), [move(None, 1)], T0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    at = await store.positions(LOG)
    assert bool(at) == bool((await look_up(store, "user_id:u")).owners)
    await store.close()


async def test_a_defect_in_a_decision_is_told_and_writes_nothing(path: Path) -> None:
    """A pointer to nobody, or a cycle: not a conflict that would be tried again for ever."""
    store = await opened(path)
    await write(store, person(1), person(2))
    one, two = await load_one(store, profile_id(1)), await load_one(store, profile_id(2))
    for changes in (
        changed(one, merged_into=profile_id(9)),
        together(changed(one, merged_into=profile_id(2)), changed(two, merged_into=profile_id(1))),
    ):
        with pytest.raises(ValueError, match=r"not stored|cycle") as raised:
            await store.commit(changes, [], T0)
        assert not isinstance(raised.value, StoreError | Conflict)
    assert (await load_one(store, profile_id(1))).revision == 1
    await store.close()
