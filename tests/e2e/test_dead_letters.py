"""Dead letters by the command line: the ones named, of a reason, of a range of time.

What is put back fails again here, because nothing was mended; so it stands in the list under another address, and
that tells what was put back.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import NewRecord
from tests.faults.stack import API_KEY, Stack, running_stack, wait_for

pytestmark = pytest.mark.timeout(300)

TORN = 4
GARBAGE = 3


async def spoil(folder: Path) -> None:
    """Items that no observer would let in, and records that no observer writes."""
    log = SQLiteEventLog(folder / "log.db")
    await log.start()
    try:
        for number in range(TORN):
            item = Item("track", b'{"messageId": "torn-%d", "event": "Order Completed", "userId": "u"' % number)
            block = RequestBlock(int(time.time() * 1000), "quickstart", "segment", [item])
            await log.append([NewRecord(EVENTS_ACCEPTED, number, encode(AcceptedRecord(VERSION, [block])))])
        await log.append([NewRecord(EVENTS_ACCEPTED, number, b"\xffgarbage") for number in range(GARBAGE)])
    finally:
        await log.close()


def letters(stack: Stack) -> dict[str, Any]:
    """Those that wait, by id."""
    with stack.api() as api:
        found = api.get("/dead-letters", params={"limit": 200}).json()["data"]
    return {one["id"]: one for one in found if not one.get("replayed_at")}


def replay(stack: Stack, *options: str, status: int = 0) -> str:
    environment = {**os.environ, "LEOCDP_URL": stack.gateway, "LEOCDP_API_KEY": API_KEY}
    command = [sys.executable, "-m", "leocdp_cli", "replay", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def put_back(stack: Stack, before: dict[str, Any], *options: str) -> set[str]:
    """Which of those that waited are gone from the list, once as many stand there as before."""
    command = json.loads(replay(stack, *options, "--json"))["command_id"]
    with stack.api() as api:
        wait_for(lambda: api.get(f"/commands/{command}").json()["state"] == "applied", 60, lambda: "not applied")
    wait_for(lambda: len(letters(stack)) == len(before), 60, lambda: str(letters(stack).keys()))
    return set(before) - set(letters(stack))


def test_dead_letters_are_put_back_by_id_by_reason_and_by_range(tmp_path: Path) -> None:
    with running_stack(tmp_path, LEOCDP_PROCESSOR_STOP_RATIO="1") as stack:
        asyncio.run(spoil(stack.data_dir))
        wait_for(lambda: len(letters(stack)) == TORN + GARBAGE, 60, lambda: str(letters(stack)))
        first = letters(stack)
        one = next(iter(first))
        assert put_back(stack, first, one) == {one}
        second = letters(stack)
        unreadable = {id for id, letter in second.items() if letter["reason"] == "record_unreadable"}
        assert len(unreadable) == GARBAGE
        assert put_back(stack, second, "--reason", "record_unreadable") == unreadable
        third = letters(stack)
        now = datetime.now(UTC).replace(tzinfo=None)
        last_year = (now - timedelta(days=365)).isoformat(timespec="seconds")
        yesterday = (now - timedelta(days=1)).isoformat(timespec="seconds")
        tomorrow = (now + timedelta(days=1)).isoformat(timespec="seconds")
        assert "dead_letters_not_found" in replay(stack, "--from", last_year, "--to", yesterday, status=1)
        assert set(letters(stack)) == set(third)
        assert put_back(stack, third, "--from", yesterday, "--to", tomorrow) == set(third)
        assert "not both" in replay(stack, one, "--reason", "x", status=2)
