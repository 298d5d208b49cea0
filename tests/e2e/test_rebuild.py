"""People are erased and the store is made anew from the log, with the whole product as processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_command_line import CommandLine
from tests.e2e.test_main_job import call, profile, send, status
from tests.faults.stack import Stack, running_stack, wait_for

pytestmark = pytest.mark.timeout(300)

PEOPLE = 8
LAN = "email:person3@example.vn"


def settled(stack: Stack) -> None:
    """Everything that was accepted has its outcome."""
    wait_for(lambda: (status(stack) or {"lag": 1})["lag"] == 0, 60, stack.tail)


def play(stack: Stack) -> None:
    """Visitors on several devices, two of which they share, who log in now and then."""
    for round_ in range(5):
        for who in range(PEOPLE):
            device = f"shared-{who % 2}" if round_ == 3 else f"device-{who}-{round_ % 2}"
            items = [call("track", f"t-{round_}-{who}", anonymousId=device, event="Viewed")]
            if round_ % 2 == 0:
                traits = {"email": f"person{who}@example.vn", "round": round_}
                items.append(
                    call("identify", f"i-{round_}-{who}", anonymousId=device, userId=f"p-{who}", traits=traits)
                )
            assert send(stack, *items).status_code == 200
    settled(stack)


def act(stack: Stack) -> dict[str, Any]:
    """An operator merges, un-merges, edits a consent and labels; the result of the merge."""
    with stack.api() as api:
        merged = api.post("/profiles/user_id:p-0/merge", json={"with": "user_id:p-1"})
        assert merged.status_code == 200, merged.text
        assert api.put("/profiles/user_id:p-2/consents", json={"marketing": "denied"}).status_code == 200
        assert api.put("/profiles/user_id:p-4/labels", json={"labels": ["vip"]}).status_code == 200
        assert send(stack, call("track", "both", userId="p-1", event="Viewed")).status_code == 200
        settled(stack)
        undone = api.post("/profiles/user_id:p-0/unmerge", json={"merge_id": merged.json()["merge_id"]})
        assert undone.status_code == 200, undone.text
        assert api.post("/profiles/user_id:p-5/merge", json={"with": "user_id:p-6"}).status_code == 200
    return dict(merged.json())


def command_line(stack: Stack, **more: str) -> CommandLine:
    return CommandLine({"LEOCDP_DATA_DIR": str(stack.data_dir), "LEOCDP_ADMIN_PORT": str(stack.ports["admin"]), **more})


def test_the_log_into_an_empty_store_gives_the_same_people_and_brings_nobody_back(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        play(stack)
        act(stack)
        operator = command_line(stack)
        refused = operator.run("rebuild", "--yes")
        assert refused.returncode == 1
        assert "Stop the services" in refused.stderr
        asked = operator.run("erase", LAN, stdin="n\n")
        assert asked.returncode == 1
        assert profile(stack, LAN) is not None
        stack.kill("processor")
        request = operator.json("erase", LAN, "--yes")
        with stack.api() as api:
            wait_for(lambda: api.get(f"/privacy/requests/{request['id']}").json()["state"] == "done", 60, stack.tail)
            receipt = api.get(f"/privacy/requests/{request['id']}").json()["receipt"]
        assert receipt["events"] >= 5
        assert profile(stack, LAN) is None
        assert send(stack, call("track", "back", userId="p-3", event="Viewed")).status_code == 200
        settled(stack)
        before = operator.json("digest")
        log = (stack.data_dir / "secrets" / "erasure_key").read_text()
        assert len(log) >= 32

    operator = command_line(stack)
    made = operator.json("rebuild", "--yes")
    old = CommandLine({"LEOCDP_DATA_DIR": str(stack.data_dir), "LEOCDP_STORE_URL": f"sqlite:///{made['aside']}"})
    assert old.json("digest") == before

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
        with stack.api() as api:
            again = api.get(f"/privacy/requests/{request['id']}").json()
        assert (again["state"], again["receipt"]) == ("done", receipt)
