"""The demo as a visitor of the project meets it: played, played again, looked at, and taken away without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.stack import API_KEY, WRITE_KEY, Stack, running_stack

pytestmark = pytest.mark.timeout(300)

OURS = {"type": "identify", "messageId": "ours-1", "userId": "ours", "traits": {"name": "Đỗ Hằng"}}


def demo(stack: Stack, *options: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "LEOCDP_URL": stack.gateway,
        "LEOCDP_API_KEY": API_KEY,
        "LEOCDP_OBSERVER_URL": stack.observer,
    }
    command = [sys.executable, "-m", "leocdp_cli", "demo", "--json", "--visitors", "30", "--speed", "5000", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_demo_comes_and_goes(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack, stack.api() as api:
        assert api.post(f"{stack.observer}/v1/identify", json=OURS, auth=(WRITE_KEY, "")).status_code == 200
        played = demo(stack)
        assert played["accepted"] == played["events"] - 1
        assert played["people"] > 25
        found = api.get("/profiles", params={"q": "nguyen"}).json()
        assert found["data"], "nobody called Nguyễn among the visitors"
        assert all("guy" in row["name"] for row in found["data"])

        again = demo(stack)
        assert (again["people"], again["events"]) == (played["people"], played["events"]), "playing twice adds nothing"

        removed = demo(stack, "--remove", "--yes")
        assert (removed["events"], removed["kept"]) == (played["accepted"], 0)
        counts = api.get("/status").json()["counts"]
        assert (counts["people"], counts["events"]) == (1, 1)
        assert api.get("/profiles", params={"q": "nguyen"}).json()["data"] == []
        assert api.get("/profiles/user_id:ours").json()["name"] == "Đỗ Hằng"
        assert [source["name"] for source in api.get("/sources").json()["data"]] == ["quickstart"]

        replayed = demo(stack)
        assert replayed["events"] == played["events"], "after a removal the same visitors may come again"
