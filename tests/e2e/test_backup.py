"""The restore drill: backups are made beside the running product, what they are for happens, and they bring it back."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.engines import open_event_log
from leocdp.contracts.topics import EVENTS_ACCEPTED, PROFILES_CHANGED
from leocdp.ports.event_log import NewRecord
from leocdp_cli.stores import StoresSettings, migrate
from tests.e2e.membership_log import addressed
from tests.e2e.test_command_line import CommandLine
from tests.e2e.test_main_job import call, profile, send
from tests.e2e.test_rebuild import LAN, act, command_line, play, settled
from tests.faults.reconcile import ReaderSettings, reconcile_store
from tests.faults.stack import SERVICES, Stack, running_stack, wait_for

pytestmark = pytest.mark.timeout(600)

PEOPLE = 20
FILES = ("profiles", "log", "admin")
HOA = "email:hoa@example.vn"


class Sender(threading.Thread):
    """One client that sends one event after the other, so that what the log holds is what it sent first."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack
        self._stopped = threading.Event()
        self.acknowledged: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._stopped.is_set():
            message = f"n-{number}"
            if send(self._stack, call("track", message, userId=f"p-{number % PEOPLE}", event="Seen")).is_success:
                self.acknowledged.append(message)
                number += 1

    def stop(self) -> None:
        self._stopped.set()
        self.join()


@contextmanager
def sending(stack: Stack) -> Iterator[Sender]:
    sender = Sender(stack)
    sender.start()
    try:
        yield sender
    finally:
        sender.stop()


def lose(stack: Stack, *names: str) -> None:
    """The files; what lies beside them stays, as after a hasty rm."""
    for name in names:
        (stack.data_dir / f"{name}.db").unlink()


def events_stored(stack: Stack) -> int:
    counts: dict[str, Any] = command_line(stack).json("digest")["counts"]
    return int(counts["events"])


def test_everything_is_lost_and_comes_back_as_it_was_at_the_backup(tmp_path: Path) -> None:
    store = tmp_path / "backups"
    with running_stack(tmp_path) as stack:
        operator = command_line(stack)
        hoa = call("identify", "hoa", userId="hoa", traits={"email": "hoa@example.vn"})
        assert send(stack, hoa).status_code == 200
        with sending(stack) as sender:
            wait_for(
                lambda: len(sender.acknowledged) >= 3 * PEOPLE and profile(stack, HOA) is not None, 120, stack.tail
            )
            before = len(sender.acknowledged)
            made = operator.json("backup", "--to", str(store))
            after = len(sender.acknowledged)
            wait_for(lambda: len(sender.acknowledged) >= after + PEOPLE, 120, stack.tail)
        assert before < after, "events came in meanwhile"
        request = operator.json("erase", HOA, "--yes")
        hourly = operator.json("backup", "--to", str(store), "--only", "admin")
        for service in SERVICES:
            stack.kill(service)
    lose(stack, *FILES)

    for arguments in ([made["folder"]], [hourly["folder"], "--only", "admin", "--replace"]):
        restored = operator.run("restore", "--from", *arguments)
        assert restored.returncode == 0, restored.stderr
    hours_go_by(stack)
    with running_stack(tmp_path) as stack:
        wait_for(lambda: issued_again(stack, request["id"]), 120, stack.tail)
        settled(stack)
        assert profile(stack, HOA) is None, "she was erased after the backup"
        stored = events_stored(stack)
        assert before <= stored <= after + 1, "one may have been in the log and not acknowledged yet"
        users = [f"p-{number}" for number in range(PEOPLE)]
        settings = ReaderSettings(data_dir=stack.data_dir)
        asyncio.run(reconcile_store(settings, set(sender.acknowledged[:stored]), users))
        # What the backup does not have, a client that kept it sends again; what it has counts once.
        for message in sender.acknowledged[stored - 5 :]:
            again = call("track", message, userId=f"p-{int(message[2:]) % PEOPLE}", event="Seen")
            assert send(stack, again).status_code == 200
        settled(stack)
        asyncio.run(reconcile_store(settings, set(sender.acknowledged), users))
        digest = command_line(stack).json("digest")["digest"]

    # Log and profiles of a backup are of one moment: the whole log gives the same people.
    operator.json("rebuild", "--yes")
    with running_stack(tmp_path) as stack:
        settled(stack)
        assert command_line(stack).json("digest")["digest"] == digest


def hours_go_by(stack: Stack) -> None:
    """Of an erasure that was asked for a minute ago it cannot be said yet that it is forgotten."""
    with closing(sqlite3.connect(stack.data_dir / "admin.db", isolation_level=None)) as connection:
        connection.execute("UPDATE privacy_requests SET issued_at = issued_at - 7200000")


def issued_again(stack: Stack, request: str) -> bool:
    with stack.api() as api:
        found = api.get(f"/privacy/requests/{request}").json()
    return found["state"] == "done" and "issued_again_at" in found["receipt"]


def test_profiles_are_lost_and_the_log_completes_their_backup(tmp_path: Path) -> None:
    store = tmp_path / "backups"
    with running_stack(tmp_path) as stack:
        play(stack)
        operator = command_line(stack)
        made = operator.json("backup", "--to", str(store))
        act(stack)
        assert operator.json("erase", LAN, "--yes")["state"] == "done"
        assert send(stack, call("track", "back", userId="p-3", event="Viewed")).status_code == 200
        settled(stack)
        refused = operator.run("restore", "--from", made["folder"], "--replace")
        assert (refused.returncode, "needs the services stopped" in refused.stderr) == (1, True)
        before = operator.json("digest")
    told_before = addressed(stack.data_dir, PROFILES_CHANGED)
    profiles = stack.data_dir / "profiles.db"
    with profiles.open("r+b") as damaged:
        damaged.write(b"\xff" * 65_536)

    refused = operator.run("restore", "--from", made["folder"], "--only", "profiles")
    assert (refused.returncode, "--replace puts it aside" in refused.stderr) == (1, True)
    told = operator.json("restore", "--from", made["folder"], "--only", "profiles", "--replace")
    assert Path(told["aside"][0]).read_bytes()[:4] == b"\xff" * 4
    with running_stack(tmp_path) as stack:
        settled(stack)
        after = command_line(stack).json("digest")
        assert after["digest"] == before["digest"]
        counts = ("profiles", "people", "identified", "events")
        assert {name: after["counts"][name] for name in counts} == {name: before["counts"][name] for name in counts}
        assert profile(stack, LAN) is None
        back = profile(stack, "user_id:p-3")
        assert back is not None
        assert back["events"]["total"] == 1
    told_after = addressed(stack.data_dir, PROFILES_CHANGED)
    assert {one["cause"] for place, one in told_after.items() if place not in told_before} == {"replay"}


async def test_a_backup_that_is_killed_is_none(tmp_path: Path) -> None:
    store, operator = tmp_path / "backups", CommandLine({"LEOCDP_DATA_DIR": str(tmp_path / "var")})
    settings = StoresSettings(data_dir=tmp_path / "var")
    await migrate(settings)
    log = open_event_log(settings)
    await log.start()
    for _ in range(10):  # so much that a copy has several steps
        await log.append([NewRecord(EVENTS_ACCEPTED, 0, bytes(200_000))] * 20)
    await log.close()
    assert any(killed_while_writing(operator, store) for _ in range(20))
    left = list(store.glob("*.partial"))
    assert left
    for folder in left:
        assert operator.run("restore", "--from", str(folder), "--check").returncode == 1
    made = operator.json("backup", "--to", str(store))
    assert operator.run("restore", "--from", made["folder"], "--check").returncode == 0
    assert not list(store.glob("*.partial"))


def killed_while_writing(operator: CommandLine, store: Path) -> bool:
    """False when it was faster than we are."""
    process = subprocess.Popen(
        [sys.executable, "-m", "leocdp_cli", "backup", "--to", str(store)],
        env=operator.environment,
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None and not any(store.glob("*.partial/*")):
        time.sleep(0.001)
    process.kill()
    return process.wait() == -signal.SIGKILL
