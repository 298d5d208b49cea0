"""Actions of people when the processor is slow or away, and when the log cannot take them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from leocdp.contracts.commands import decode_command
from leocdp.contracts.topics import COMMANDS
from leocdp.ports.admin_store import AuditEntry, AuditQuery
from leocdp_admin.application.trail import AuditTrail
from tests.unit.admin.people import LAN, People
from tests.unit.admin.stack import Stack, admin, until
from tests.unit.processor.driving import running


async def test_an_action_waits_in_the_log_for_a_processor_that_is_away(tmp_path: Path) -> None:
    async with admin(tmp_path, admin_command_seconds=0.1) as stack:
        api = stack.key()
        async with running(tmp_path) as processor:
            await processor.send(*LAN, source="quickstart")
            await processor.counted(lambda counts: counts.events == len(LAN))
        answer = await api("PUT", "/api/v1/profiles/user_id:u-1/labels", json={"labels": ["vip"]})
        assert answer.status_code == 202, answer.text
        [name] = answer.json()
        assert name == "command_id"
        path = f"/api/v1/commands/{answer.json()['command_id']}"
        pending = await api.get(path)
        assert (pending["kind"], pending["state"], pending["result"]) == ("label", "pending", None)
        assert (await api.get("/api/v1/status"))["lag"] == 1
        [record] = await stack.environment.log.read(COMMANDS, 0, 0)
        command = decode_command(record.value or b"")
        assert (command.actor, command.content["labels"]) == ("key:k1", ["vip"])
        async with running(tmp_path):

            async def applied() -> bool:
                return bool((await api.get(path))["state"] == "applied")

            await until(applied)
        assert (await api.get("/api/v1/profiles/user_id:u-1"))["labels"] == ["vip"]


async def test_a_log_that_cannot_take_it_is_503_and_nothing_is_pending(people: People) -> None:
    api = people.stack.key()
    await people.stack.environment.log.close()
    response = await api("PUT", f"/api/v1/profiles/{people.lan}/labels", json={"labels": ["vip"]})
    assert (response.status_code, response.json()["code"]) == (503, "log_unavailable")
    assert response.headers["retry-after"]
    [entry] = (await api.get("/api/v1/audit", action="profile.label"))["data"]
    assert await api.error(404, "GET", f"/api/v1/commands/{entry['details']['command_id']}") == "command_not_found"


async def test_entries_of_requests_side_by_side_share_transactions(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stack.environment.store
    sizes: list[int] = []
    genuine = store.record

    async def counted(entries: list[AuditEntry]) -> None:
        sizes.append(len(entries))
        await genuine(entries)

    monkeypatch.setattr(store, "record", counted)
    trail = AuditTrail(store)
    entries = [AuditEntry(at=1, actor="a", actor_name="A", action=f"t.{number}") for number in range(100)]
    await asyncio.gather(*(trail.record(entry) for entry in entries))
    assert sum(sizes) == 100
    assert len(sizes) < 10
    assert len(await store.audit(AuditQuery(action="t.", limit=200))) == 100


async def test_what_cannot_be_recorded_is_not_read(people: People) -> None:
    await people.stack.environment.store.close()
    api = people.stack.key()
    response = await api("GET", f"/api/v1/profiles/{people.lan}")
    assert (response.status_code, response.json()["code"]) == (503, "admin_store_unavailable")
