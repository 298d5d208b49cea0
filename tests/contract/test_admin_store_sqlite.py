"""The embedded admin store passes the contract, and what is only true of a file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.admin_store import SQLiteAdminStore
from leocdp.ports.admin_store import AdminStoreCorrupt, AdminStoreUnavailable
from tests.contract.admin_store import T0, AdminStoreContract, actions, entry, user


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "admin.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteAdminStore]:
    opened = SQLiteAdminStore(path)
    await opened.start()
    yield opened
    await opened.close()


class TestSQLiteAdminStore(AdminStoreContract):
    async def test_only_its_owner_can_read_the_file(self, store: SQLiteAdminStore, path: Path) -> None:
        assert path.stat().st_mode & 0o777 == 0o600

    async def test_every_commit_waits_for_the_disk(self, store: SQLiteAdminStore, path: Path) -> None:
        modes = await store._file.write(
            lambda c: (c.execute("PRAGMA synchronous").fetchone()[0], c.execute("PRAGMA journal_mode").fetchone()[0])
        )
        assert modes == (2, "wal")

    async def test_two_processes_share_it(self, store: SQLiteAdminStore, path: Path) -> None:
        other = SQLiteAdminStore(path)
        await other.start()
        await other.add_user(user())
        assert await store.user("usr_1") == user()
        await other.close()

    async def test_it_survives_a_kill(self, path: Path) -> None:
        script = (
            "import asyncio, os, signal, sys\n"
            "from pathlib import Path\n"
            "from leocdp.adapters.sqlite.admin_store import SQLiteAdminStore\n"
            "async def main():\n"
            "    store = SQLiteAdminStore(Path(sys.argv[1]))\n"
            "    await store.start()\n"
            "    await store.put_entry('source', 'a', {'n': 1}, now=1)\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "asyncio.run(main())\n"
        )
        killed = subprocess.run(
            [sys.executable, "-c", script, str(path)], env=dict(os.environ), timeout=60, check=False
        )
        assert killed.returncode == -9
        store = SQLiteAdminStore(path)
        await store.start()
        found = await store.entry("source", "a")
        pending = await store.pending_entries(10)
        await store.close()
        assert found is not None
        assert [pended for _, pended in pending] == [found]

    async def test_closing_twice_and_using_it_then(self, path: Path) -> None:
        store = SQLiteAdminStore(path)
        with pytest.raises(AdminStoreUnavailable):
            await store.users()
        await store.start()
        await store.close()
        await store.close()
        with pytest.raises(AdminStoreUnavailable):
            await store.record([entry("x")])


async def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(AdminStoreCorrupt, match="something else"):
        await SQLiteAdminStore(path).start()


async def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"not a database" * 500)
    with pytest.raises(AdminStoreCorrupt, match="backup"):
        await SQLiteAdminStore(path).start()


async def test_a_newer_format_is_refused(path: Path) -> None:
    store = SQLiteAdminStore(path)
    await store.start()
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(AdminStoreCorrupt, match="newer version"):
        await SQLiteAdminStore(path).start()


async def test_opening_again_keeps_everything(path: Path) -> None:
    for number in (1, 2):
        store = SQLiteAdminStore(path)
        await store.start()
        await store.add_user(user(number), audit=[entry("user.create", at=T0 + number)])
        await store.close()
    store = SQLiteAdminStore(path)
    await store.start()
    assert [found.id for found in await store.users()] == ["usr_1", "usr_2"]
    assert await actions(store) == ["user.create", "user.create"]
    await store.close()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AdminStoreUnavailable, match="LEOCDP_DATA_DIR"):
        await SQLiteAdminStore(tmp_path / "file" / "admin.db").start()
