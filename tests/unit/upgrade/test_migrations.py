"""Stores of earlier formats, as the programs of that time left them, are brought up: once, again, and after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.failures import Failure
from leocdp.adapters.arango.migrations import migrate, stored_version
from leocdp.adapters.arango.profile_reader import ArangoProfileReader
from leocdp.adapters.arango.profiles.schema import SCHEMA
from leocdp.adapters.sqlite.admin_store import SQLiteAdminStore
from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profiles.connection import Tuning, open_for_writing
from tests.contract.arango_backend import double_database
from tests.doubles.arangodb.faults import Fault
from tests.unit.upgrade import admin_story, recording, story
from tests.unit.upgrade.recording import missing, read
from tests.unit.upgrade.sql_text import dump, load

EARLIER = "earlier"
ROOT = Path(__file__).resolve().parents[3]


def bring_up(path: Path) -> None:
    with closing(open_for_writing(path, Tuning())):
        pass


@pytest.mark.parametrize("format", [1, 2])
async def test_profiles_of_an_earlier_format_say_the_same(format: int, tmp_path: Path) -> None:
    path = tmp_path / "profiles.db"
    load(path, read(EARLIER, f"profiles-{format}.sql"))
    bring_up(path)
    first = dump(path)
    bring_up(path)
    assert dump(path) == first
    reader = SQLiteProfileReader(path)
    await reader.start()
    assert missing(read(EARLIER, f"profiles-{format}.json"), await story.meaning(reader)) == []
    await reader.close()


async def test_admin_of_an_earlier_format_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "admin.db"
    load(path, read(EARLIER, "admin-1.sql"))
    for _ in range(2):
        store = SQLiteAdminStore(path)
        await store.start()
        assert missing(read(EARLIER, "admin-1.json"), await admin_story.meaning(store)) == []
        await store.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from leocdp.adapters.sqlite.profiles import connection as opening

left = int(sys.argv[2])
whole = opening._statements

def until_killed(step):
    global left
    for statement in whole(step):
        yield statement
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

opening._statements = until_killed
opening.open_for_writing(Path(sys.argv[1]), opening.Tuning())
"""


@pytest.mark.parametrize("after", [1, 6, 20])
def test_a_kill_leaves_the_old_file_and_the_next_start_brings_it_up(after: int, tmp_path: Path) -> None:
    """``after`` so many statements: of the first missing step, and of the next one."""
    path, other = tmp_path / "profiles.db", tmp_path / "other.db"
    old = str(read(EARLIER, "profiles-1.sql"))
    load(path, old)
    before = dump(path)
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(after)], env=os.environ, cwd=ROOT, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert dump(path) == before
    bring_up(path)
    load(other, old)
    bring_up(other)
    assert dump(path) == dump(other) != before


@pytest.mark.parametrize("answered", [0, 3, 6, 9])
async def test_an_upgrade_of_arangodb_that_is_cut_off_anywhere_is_begun_again(answered: int) -> None:
    """The connection is gone after so many requests, of which the last was carried out without an answer."""
    recorded = read(EARLIER, "arango-1.json")
    with double_database() as (double, where):
        recording.restore(where, SCHEMA, recorded)
        fault = double.faults.add(Fault("drop_after", lambda _: True, skip=answered))
        with pytest.raises(Failure):
            _migrate(where)
        assert fault.hits == 1
        assert _migrate(where) == SCHEMA.version
        assert _migrate(where) == SCHEMA.version
        reader = ArangoProfileReader(where)
        await reader.start()
        assert missing(recorded["means"], await story.meaning(reader)) == []
        await reader.close()


def _migrate(where: Connection) -> int:
    database = Database(where, Breaker(), where.hosts[0])
    try:
        migrate(database, SCHEMA)
        return stored_version(database, SCHEMA)
    finally:
        database.close()


def check(folder: Path, **environment: str) -> tuple[int, str, str]:
    """Exit status, output and error output of ``leocdp migrate --check``."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
    done = subprocess.run(
        [sys.executable, "-m", "leocdp_cli", "migrate", "--check"],
        env={**own, "LEOCDP_DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def fill(folder: Path, **files: Any) -> None:
    for name, text in files.items():
        load(folder / f"{name}.db", text)


def test_the_check_tells_an_older_store(tmp_path: Path) -> None:
    release = recording.RELEASES[-1]
    fill(tmp_path, log=read(release, "log.sql"), admin=read(release, "admin.sql"))
    fill(tmp_path, profiles=read(EARLIER, "profiles-2.sql"))
    status, _, said = check(tmp_path)
    assert status == 1
    assert said.startswith("profiles: format 2 is of an earlier version, this one needs 3. Make a backup, then run")
    assert said.count("\n") == 1
    assert "PRAGMA user_version = 2" in dump(tmp_path / "profiles.db"), "a check changes nothing"


def test_the_check_of_a_current_store_is_silent_about_it(tmp_path: Path) -> None:
    release = recording.RELEASES[-1]
    fill(tmp_path, **{name: read(release, f"{name}.sql") for name in ("log", "profiles", "admin")})
    bring_up(tmp_path / "profiles.db")
    assert check(tmp_path)[::2] == (0, "")


def test_the_check_tells_a_newer_store(tmp_path: Path) -> None:
    release = recording.RELEASES[-1]
    newer = str(read(release, "admin.sql")).replace("PRAGMA user_version = 2", "PRAGMA user_version = 99")
    fill(tmp_path, log=read(release, "log.sql"), profiles=read(release, "profiles.sql"), admin=newer)
    status, _, said = check(tmp_path)
    assert status == 1
    assert said.startswith("admin: A newer version of this program has written it (format 99;")


def test_the_check_tells_that_nothing_is_there(tmp_path: Path) -> None:
    status, _, said = check(tmp_path)
    assert status == 1
    assert [line.partition(":")[0] for line in said.splitlines()] == ["log", "profiles", "admin"]
    assert "`leocdp migrate` makes it" in said
    assert list(tmp_path.iterdir()) == []
