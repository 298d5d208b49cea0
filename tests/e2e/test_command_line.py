"""Operators' commands against the running product: on its machine without a key, elsewhere with one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.stack import API_KEY, Stack, wait_for

pytestmark = pytest.mark.timeout(300)


class CommandLine:
    """``leocdp`` in an environment of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
        self.environment = {**clean, **environment}

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "leocdp_cli", *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def here(stack: Stack) -> CommandLine:
    """On the machine of admin: the data folder proves who asks."""
    return CommandLine({"LEOCDP_DATA_DIR": str(stack.data_dir), "LEOCDP_ADMIN_PORT": str(stack.ports["admin"])})


@pytest.fixture(scope="module")
def elsewhere(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    folder = tmp_path_factory.mktemp("elsewhere")
    return CommandLine({"LEOCDP_URL": stack.gateway, "LEOCDP_API_KEY": API_KEY, "LEOCDP_DATA_DIR": str(folder)})


def accepted(stack: Stack, write_key: str) -> bool:
    body = {"anonymousId": "cli-1", "event": "Seen"}
    return httpx.post(f"{stack.observer}/v1/track", json=body, auth=(write_key, ""), timeout=60).status_code == 200


def test_life_of_a_source(stack: Stack, here: CommandLine) -> None:
    made = here.json("source", "create", "Shop floor", "--kind", "server")
    wait_for(lambda: accepted(stack, made["write_key"]), 60, stack.tail)
    assert here.json("source", "update", made["id"], "--id-space", "pos", "--shared-device")["id_space"] == "pos"
    rotated = here.json("source", "rotate", made["id"], "--yes")
    assert rotated["write_key"] != made["write_key"]
    wait_for(lambda: not accepted(stack, made["write_key"]), 60, stack.tail)
    assert here.json("source", "disable", made["id"])["enabled"] is False
    wait_for(lambda: not accepted(stack, rotated["write_key"]), 60, stack.tail)
    assert here.json("source", "enable", made["id"])["enabled"] is True
    here.json("source", "delete", made["id"], "--yes")
    assert made["id"] not in {each["id"] for each in here.json("source", "list")}


def test_key_that_is_revoked_stops_working(stack: Stack, elsewhere: CommandLine) -> None:
    made = elsewhere.json("key", "create", "report", "--scope", "profiles:read")
    ask = {"authorization": f"Bearer {made['secret']}"}
    assert httpx.get(f"{stack.gateway}/api/v1/profiles", headers=ask, timeout=60).status_code == 200
    assert httpx.get(f"{stack.gateway}/api/v1/keys", headers=ask, timeout=60).status_code == 403
    elsewhere.json("key", "revoke", made["id"], "--yes")
    wait_for(
        lambda: httpx.get(f"{stack.gateway}/api/v1/profiles", headers=ask, timeout=60).status_code == 401,
        60,
        stack.tail,
    )
    states = {each["id"]: each["state"] for each in elsewhere.json("key", "list")}
    assert states[made["id"]] == "revoked"


def test_people_who_may_log_in(stack: Stack, here: CommandLine) -> None:
    invited = here.json("user", "invite", "minh@example.vn", "--role", "marketer")
    assert invited["invitation"].startswith(f"{stack.gateway.replace('127.0.0.1', 'localhost')}/welcome?token=")
    made = here.json("user", "create", "hoa@example.vn", "--password-stdin", stdin="a long enough word\n")
    assert made["role"] == "viewer"
    assert here.json("user", "set-role", "HOA@example.vn", "marketer")["role"] == "marketer"
    login = {"email": "hoa@example.vn", "password": "a long enough word"}
    assert httpx.post(f"{stack.gateway}/login", data=login, timeout=60).status_code == 303
    assert here.json("user", "disable", made["id"])["status"] == "disabled"
    assert httpx.post(f"{stack.gateway}/login", data=login, timeout=60).status_code == 401


def test_last_owner_stays(here: CommandLine) -> None:
    done = here.run("user", "set-role", "owner@example.vn", "viewer")
    assert done.returncode == 1
    assert "last_owner" in done.stderr


def test_status_for_people_and_programs(stack: Stack, here: CommandLine, elsewhere: CommandLine) -> None:
    wait_for(lambda: here.run("status").returncode == 0, 60, stack.tail)
    told = elsewhere.json("status")
    assert {each["name"] for each in told["services"]} == {"observer", "processor", "admin", "gateway"}
    assert "processor  ready" in here.run("status").stdout


def test_files_are_of_this_version(stack: Stack, here: CommandLine) -> None:
    assert here.run("migrate", "--check").returncode == 0
    refused = here.run("migrate")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


def test_wrong_key_is_told(stack: Stack, tmp_path: Path) -> None:
    stranger = CommandLine(
        {"LEOCDP_URL": stack.gateway, "LEOCDP_API_KEY": "lk_nobody_0123456789", "LEOCDP_DATA_DIR": str(tmp_path)}
    )
    done = stranger.run("status")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "key" in done.stderr
