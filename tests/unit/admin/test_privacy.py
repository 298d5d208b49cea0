"""What people may ask for: erasure with a receipt, a copy of their data, an objection; also after a restore."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from leocdp.contracts.commands import decode_command
from leocdp.contracts.topics import COMMANDS
from tests.unit.admin.people import CONTACTS, EVENTS, HOA, LAN
from tests.unit.admin.stack import Client, Stack, admin, texts, until
from tests.unit.processor.driving import Running, running

SECRET = "a secret of more than thirty-two characters"
MINUTE = 60_000
REQUESTS = "/api/v1/privacy/requests"
LAN_REF = "email:lan@example.vn"


@asynccontextmanager
async def both(data_dir: Path) -> AsyncIterator[tuple[Stack, Running]]:
    """An admin beside a processor, with Lan and Hoa in it."""
    async with (
        admin(data_dir, erasure_key=SECRET) as stack,
        running(data_dir, erasure_key=SECRET, backup_retention_days=7) as processor,
    ):
        await processor.send(*LAN, *HOA, source="quickstart")
        await processor.counted(lambda counts: counts.events + counts.duplicates + counts.filtered >= EVENTS)
        yield stack, processor


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[tuple[Stack, Running]]:
    async with both(tmp_path) as found:
        yield found


async def ask(api: Client, kind: str, ref: str = LAN_REF, status: int = 200) -> Any:
    response = await api("POST", REQUESTS, json={"kind": kind, "ref": ref})
    assert response.status_code == status, response.text
    return response.json()


async def test_erasure_answers_with_a_receipt_and_leaves_nothing_in_admin(
    here: tuple[Stack, Running], tmp_path: Path
) -> None:
    stack, _ = here
    api = stack.key()
    lan = (await api.get(f"/api/v1/profiles/{LAN_REF}"))["id"]
    request = await ask(stack.key("privacy:write"), "erasure")
    assert (request["kind"], request["state"], request["profile_id"]) == ("erasure", "done", lan)
    receipt = request["receipt"]
    assert {name: receipt[name] for name in ("profiles", "events", "profile_ids")} == {
        "profiles": 1,
        "events": len(LAN),
        "profile_ids": [lan],
    }
    assert receipt["copies_until"] > receipt["at"]
    assert "hashes" not in receipt
    command = await api.get(f"/api/v1/commands/{request['command_id']}")
    assert (command["state"], command["result"]) == ("applied", receipt)
    assert await stack.key("privacy:read").get(f"{REQUESTS}/{request['id']}") == request
    assert (await api.get(REQUESTS, kind="erasure"))["data"] == [request]
    for ref in (LAN_REF, lan, "user_id:u-1", "anonymous_id:a-1"):
        assert await api.error(404, "GET", f"/api/v1/profiles/{ref}") == "profile_not_found"
    assert (await api.get("/api/v1/profiles/user_id:u-2"))["events"]["total"] == len(HOA)
    found = await api.get("/api/v1/audit", action="privacy.")
    assert [(row["action"], row["target"]) for row in found["data"]] == [("privacy.erasure", lan)]
    assert found["data"][0]["details"]["request"] == request["id"]
    own = [found, request, await api.get(REQUESTS)]
    assert not [contact for contact in CONTACTS if contact in texts(own)]


async def test_who_may_not_ask_is_told_so(here: tuple[Stack, Running]) -> None:
    stack, _ = here
    body = {"kind": "erasure", "ref": LAN_REF}
    viewer = await stack.person("viewer")
    assert await viewer.error(403, "POST", REQUESTS, json=body) == "role_not_allowed"
    reader = stack.key("profiles:write", "privacy:read")
    assert await reader.error(403, "POST", REQUESTS, json=body) == "missing_scope"
    api = stack.key()
    assert await api.error(404, "POST", REQUESTS, json={**body, "ref": "user_id:nobody"}) == "profile_not_found"
    assert await api.error(422, "POST", REQUESTS, json={**body, "ref": "what"}) == "invalid"
    assert await api.error(422, "POST", REQUESTS, json={**body, "kind": "portability"}) == "invalid"
    assert await api.error(404, "GET", f"{REQUESTS}/prv_none") == "privacy_request_not_found"


async def test_a_copy_of_all_that_is_known(here: tuple[Stack, Running]) -> None:
    stack, processor = here
    more = [{"type": "track", "messageId": f"more-{n}", "event": "Viewed", "userId": "u-1"} for n in range(250)]
    await processor.send(*more, source="quickstart")
    await processor.counted(lambda counts: counts.events == EVENTS + 250)
    api = stack.key("privacy:write")
    request = await ask(api, "access")
    assert request["state"] == "done"
    copy = await api("GET", request["receipt"]["export"])
    assert copy.headers["content-disposition"].startswith("attachment")
    document = json.loads(copy.text)
    assert document["profile"] == await stack.key().get(f"/api/v1/profiles/{LAN_REF}", include="provenance")
    assert document["identity"]["profile_id"] == request["profile_id"]
    messages = [event["message_id"] for event in document["events"]]
    assert len(messages) == len(set(messages)) == len(LAN) + 250
    assert await stack.key("privacy:read").error(403, "GET", request["receipt"]["export"]) == "missing_scope"
    actions = [row["action"] for row in (await stack.key().get("/api/v1/audit", action="privacy."))["data"]]
    assert actions == ["privacy.export", "privacy.access"]
    erased = await ask(api, "erasure")
    for one in (request, erased):
        assert await api.error(404, "GET", f"{REQUESTS}/{one['id']}/export") == "export_not_found"


async def test_an_objection_denies_every_purpose(here: tuple[Stack, Running]) -> None:
    stack, _ = here
    request = await ask(stack.key("privacy:write"), "objection")
    assert request["state"] == "done"
    consents = (await stack.key().get(f"/api/v1/profiles/{LAN_REF}"))["consents"]
    assert set(request["receipt"]["purposes"]) == set(consents)
    assert {word["status"] for word in consents.values()} == {"denied"}


async def test_without_a_key_an_erasure_says_what_is_missing(tmp_path: Path) -> None:
    async with admin(tmp_path) as stack, running(tmp_path) as processor:
        await processor.send(*LAN, source="quickstart")
        await processor.counted(lambda counts: counts.events == len(LAN))
        api = stack.key()
        response = await api("POST", REQUESTS, json={"kind": "erasure", "ref": LAN_REF})
        assert (response.status_code, response.json()["code"]) == (409, "no_erasure_key")
        assert "LEOCDP_ERASURE_KEY" in response.json()["message"]


async def test_an_erasure_waits_for_a_processor_that_is_away(tmp_path: Path) -> None:
    async with both(tmp_path):
        pass
    async with admin(tmp_path, erasure_key=SECRET) as stack:
        stack.environment.services.commands._wait = 0.05
        api = stack.key()
        request = await ask(api, "erasure", status=202)
        assert (request["state"], request["receipt"]) == ("pending", None)
        async with running(tmp_path, erasure_key=SECRET):

            async def done() -> bool:
                return bool((await api.get(f"{REQUESTS}/{request['id']}"))["state"] == "done")

            await until(done)
        assert (await api.get(REQUESTS))["data"][0]["receipt"]["events"] == len(LAN)


async def test_an_erasure_that_the_log_could_not_take_is_issued_later(tmp_path: Path) -> None:
    async with both(tmp_path) as (stack, _):
        await stack.environment.log.close()
        api = stack.key()
        request = await ask(api, "erasure", status=202)
        assert (await api.get(f"/api/v1/profiles/{LAN_REF}"))["id"] == request["profile_id"]
    async with both(tmp_path) as (stack, _):
        stack.clock.ahead = 2 * MINUTE
        assert await stack.environment.services.privacy.reconcile()
        api = stack.key()
        assert (await api.get(f"{REQUESTS}/{request['id']}"))["receipt"]["events"] == len(LAN)
        assert await api.error(404, "GET", f"/api/v1/profiles/{LAN_REF}") == "profile_not_found"


async def test_after_a_restore_the_erased_are_erased_again(tmp_path: Path) -> None:
    """The profile store comes back from before the erasure, and the log with it; admin remembers."""
    backup = tmp_path / "backup"
    backup.mkdir()
    data_dir = tmp_path / "data"
    async with both(data_dir):
        pass
    for file in data_dir.glob("*.db*"):
        if not file.name.startswith("admin"):
            shutil.copy(file, backup)
    async with both(data_dir) as (stack, _):
        request = await ask(stack.key(), "erasure")
        assert await stack.environment.services.privacy.reconcile()
        assert await commands(stack) == 1
    for file in data_dir.glob("*.db*"):
        if not file.name.startswith("admin"):
            file.unlink()
    for file in backup.iterdir():
        shutil.copy(file, data_dir)
    async with both(data_dir) as (stack, processor):
        api = stack.key()
        assert (await api.get(f"/api/v1/profiles/{LAN_REF}"))["id"] == request["profile_id"]
        privacy = stack.environment.services.privacy
        # Too soon after it was issued to say that it is forgotten.
        assert not await privacy.reconcile()
        assert await commands(stack) == 0
        stack.clock.ahead = 2 * MINUTE
        assert await privacy.reconcile()
        assert await commands(stack) == 1
        assert await api.error(404, "GET", f"/api/v1/profiles/{LAN_REF}") == "profile_not_found"
        again = await api.get(f"{REQUESTS}/{request['id']}")
        assert again["receipt"] == {**request["receipt"], "issued_again_at": again["receipt"]["issued_again_at"]}
        assert (again["state"], again["done_at"]) == ("done", request["done_at"])
        before = Running.now() - 10 * MINUTE
        await processor.send({"type": "page", "messageId": "late", "userId": "u-1"}, source="quickstart", at=before)
        await processor.counted(lambda counts: counts.filtered == 1)
        stack.clock.ahead = 4 * MINUTE
        assert await privacy.reconcile()
        assert await commands(stack) == 1


async def test_nothing_is_issued_again_before_the_commands_are_read(tmp_path: Path) -> None:
    async with both(tmp_path) as (stack, _):
        await ask(stack.key(), "erasure")
    for file in tmp_path.glob("profiles.db*"):
        file.unlink()
    async with admin(tmp_path, erasure_key=SECRET) as stack:
        stack.clock.ahead = 2 * MINUTE
        privacy = stack.environment.services.privacy
        async with running(tmp_path, erasure_key=SECRET):

            async def compared() -> bool:
                return await privacy.reconcile()

            await until(compared)
            assert await commands(stack) == 1
            assert await stack.key().error(404, "GET", f"/api/v1/profiles/{LAN_REF}") == "profile_not_found"


async def commands(stack: Stack) -> int:
    """How many erasures are in the log."""
    await asyncio.sleep(0)
    records = await stack.environment.log.read(COMMANDS, 0, 0)
    return sum(decode_command(record.value or b"").kind == "erase" for record in records)
