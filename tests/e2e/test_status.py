"""The status page's data while a part of the system dies and comes back."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from leocdp_cli.commands.status import describe
from tests.faults.stack import WRITE_KEY, Stack, running_stack, wait_for

pytestmark = pytest.mark.timeout(300)


def status(api: httpx.Client) -> dict[str, Any]:
    answer = api.get("/status")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def check(api: httpx.Client, name: str) -> dict[str, Any]:
    (found,) = [one for one in status(api)["checks"] if one["check"] == name]
    return dict(found)


def becomes(api: httpx.Client, name: str, state: str, seconds: float = 60) -> dict[str, Any]:
    wait_for(lambda: check(api, name)["state"] == state, seconds, lambda: f"{name}: {status(api)}")
    return check(api, name)


def test_a_processor_that_dies_is_seen_and_so_is_its_return(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack, stack.api() as api:
        wait_for(lambda: status(api)["state"] == "ok", 60, lambda: str(status(api)))
        # A rate needs two looks.
        wait_for(lambda: status(api)["events_per_minute"] is not None, 60, lambda: str(status(api)))
        _dies_and_returns(stack, api)


def _dies_and_returns(stack: Stack, api: httpx.Client) -> None:
    """The supervisor would start it again at once: it is held meanwhile."""
    os.kill(stack.process.pid, signal.SIGSTOP)
    try:
        assert stack.kill("processor")
        dead = becomes(api, "processors", "critical")
        assert dead["message"].startswith("No processor is reachable.")
        assert dead["runbook"] == "docs/operations/alerts.md#service-absent"
        event = {"event": "Order Completed", "anonymousId": "a-1"}
        sent = httpx.post(f"{stack.observer}/v1/track", json=event, auth=(WRITE_KEY, ""), timeout=60)
        assert sent.status_code == 200
        wait_for(lambda: "wait: 1" in check(api, "lag")["message"], 60, lambda: str(status(api)))
        assert check(api, "observers")["state"] == "ok"
        assert "critical  Processors" in describe(status(api))
    finally:
        os.kill(stack.process.pid, signal.SIGCONT)
    becomes(api, "processors", "ok")
    wait_for(lambda: check(api, "lag")["message"].startswith("Everything"), 60, lambda: str(status(api)))
    wait_for(lambda: status(api)["state"] == "ok", 60, lambda: str(status(api)))
    wait_for(lambda: (status(api)["events_per_minute"] or 0) > 0, 60, lambda: str(status(api)))
