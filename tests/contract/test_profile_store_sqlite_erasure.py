"""What only files can tell of an erasure: nothing is left on the disk, and a kill leaves all of it or nothing."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.profiles.schema import MIGRATIONS
from leocdp.domain.decisions import Changes
from leocdp.domain.events import Outcome
from tests.contract.builders import T0, announcement, applied, event, person, problem, profile_id
from tests.contract.profile_backend import load, look_up, write
from tests.contract.profile_erasure import erasure, no_mention, of

ROOT = Path(__file__).parents[2]
SECRETS = ("Wilhelmina", "wilhelmina@secret.vn", "u-secret-4711", "Rosegarden", "poisoned-payload")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profiles.db"


def on_disk(path: Path) -> list[str]:
    """Which of the secrets can be read from the files, in any case and also as words of the search index."""
    content = b"".join(file.read_bytes() for file in path.parent.iterdir()).lower()
    return [one for one in SECRETS if one.lower().encode() in content]


async def test_nothing_of_an_erased_person_is_left_on_the_disk(path: Path) -> None:
    store = SQLiteProfileStore(path)
    await store.start()
    try:
        await write(store, *(person(number, f"user_id:u-{number}", name=f"Name {number}") for number in range(2, 60)))
        secret = person(
            1, f"user_id:{SECRETS[2]}", f"email:{SECRETS[1]}", name=SECRETS[0], traits={"street": SECRETS[3]}
        )
        await write(store, secret)
        seen = event("m-1", properties={"name": SECRETS[0]}, user_id=SECRETS[2])
        await write(store, applied(profile_id(1), seen), Changes(outbox=[announcement(1)]))
        await write(store, Changes(problems=[problem(Outcome.DEAD_LETTERED, 1, payload=SECRETS[4])]))
        await write(store, *(person(number, f"user_id:u-{number}", name=f"Name {number}") for number in range(60, 99)))
        assert on_disk(path) == list(SECRETS)
        reader = sqlite3.connect(path)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM profiles").fetchone()
        await store.erase(erasure(*await of(store, profile_id(1))), lambda payload: SECRETS[4] in payload)
        # Somebody who reads keeps old pages alive; they go when that is over.
        assert on_disk(path)
        reader.close()
        for _ in range(20):
            await store.tidy(T0)
        assert on_disk(path) == []
        assert len(await load(store, *(profile_id(number) for number in range(1, 99)))) == 97
    finally:
        await store.close()


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_kill_while_somebody_is_erased_leaves_all_of_it_or_nothing(path: Path, place: str) -> None:
    victim = [sys.executable, "-m", "tests.contract.erasure_victim", str(path), place]
    ended = await asyncio.to_thread(subprocess.run, victim, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert ended.stdout == "committed\n"
    store = SQLiteProfileStore(path)
    await store.start()
    try:
        erased = place == "after"
        assert (await store.erasure("cmd-erase") is not None) == erased
        assert ((await look_up(store, "user_id:u-1")).owners == {}) == erased
        people = [] if erased else await of(store, profile_id(1))
        receipt = await store.erase(erasure(*people), no_mention)
        assert (receipt.counts["events"], receipt.counts["identifiers"]) == (1, 1)
    finally:
        await store.close()


async def test_a_store_of_the_version_before_erasures_is_brought_up_to_date(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(MIGRATIONS[0])
    connection.execute(f"PRAGMA application_id = {0x4C43_4450}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    store = SQLiteProfileStore(path)
    await store.start()
    try:
        await write(store, person(1, "user_id:u-1"))
        await store.erase(erasure(*await of(store, profile_id(1))), no_mention)
        assert await store.erasure_keys() == {"key-1"}
    finally:
        await store.close()
