"""The whole product as its user meets it: start, send from three devices, see one person, survive kills, stop."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.stack import API_KEY, SERVICES, WRITE_KEY, Stack, running_stack, wait_for

pytestmark = pytest.mark.timeout(300)

EMAIL = "owner@example.vn"
PASSWORD = "correct horse battery"
STOP_SECONDS = 25.0


def call(kind: str, message_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "messageId": message_id, **fields}


def send(stack: Stack, *items: dict[str, Any]) -> httpx.Response:
    """As an SDK does: again until it is acknowledged."""
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = httpx.post(
                f"{stack.observer}/v1/batch", json={"batch": list(items)}, auth=(WRITE_KEY, ""), timeout=10
            )
        except httpx.TransportError:
            answer = httpx.Response(503)
        if answer.status_code < 500:
            return answer
        assert time.monotonic() < deadline, "the observer does not take events"
        time.sleep(0.2)


def profile(stack: Stack, ref: str) -> dict[str, Any] | None:
    with stack.api() as api:
        try:
            answer = api.get(f"/profiles/{ref}")
        except httpx.TransportError:
            return None
    if answer.status_code != 200:
        return None
    found: dict[str, Any] = answer.json()
    return found


def status(stack: Stack) -> dict[str, Any] | None:
    with stack.api() as api:
        try:
            answer = api.get("/status")
        except httpx.TransportError:
            return None
    body: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
    return body


def settled(stack: Stack) -> bool:
    """Everything accepted so far has its outcome."""
    told = status(stack)
    return told is not None and told["lag"] == 0


DEVICES = ("browser-1", "phone-1", "tablet-1")


def lan_on_three_devices() -> list[dict[str, Any]]:
    traits = {"name": "Nguyễn Thị Lan", "email": "lan@example.vn"}
    items = []
    for device in DEVICES:
        items.append(call("page", f"{device}-view", anonymousId=device, name="Home"))
        items.append(call("track", f"{device}-seen", anonymousId=device, event="Product Viewed"))
    items.append(call("identify", "login-1", anonymousId="browser-1", userId="u-lan", traits=traits))
    items.append(call("identify", "login-2", anonymousId="phone-1", userId="u-lan"))
    items.append(call("identify", "login-3", anonymousId="tablet-1", traits={"email": "Lan@Example.vn"}))
    return items


def test_three_devices_become_one_person(stack: Stack) -> None:
    answer = send(stack, *lan_on_three_devices())
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    wait_for(lambda: (profile(stack, "user_id:u-lan") or {}).get("events", {}).get("total") == 9, 60, stack.tail)
    found = profile(stack, "user_id:u-lan")
    assert found is not None
    by_kind: dict[str, set[str]] = {}
    for identifier in found["identifiers"]:
        by_kind.setdefault(identifier["kind"], set()).add(identifier["value"])
    assert by_kind["anonymous_id"] == set(DEVICES)
    assert by_kind["email"] == {"lan@example.vn"}
    assert found["traits"]["name"] == "Nguyễn Thị Lan"
    assert found["events"]["by_name"]["Product Viewed"] == 3
    for ref in ("email:LAN@example.vn", *(f"anonymous_id:{device}" for device in DEVICES)):
        assert (profile(stack, ref) or {}).get("id") == found["id"]


def test_page_shows_the_person(stack: Stack) -> None:
    with httpx.Client(base_url=stack.gateway, follow_redirects=True, timeout=60) as browser:
        assert browser.get("/login").status_code == 200
        logged_in = browser.post("/login", data={"email": EMAIL, "password": PASSWORD})
        assert logged_in.status_code == 200
        assert "/login" not in str(logged_in.url)
        listed = browser.get("/profiles", params={"q": "Nguyen Thi Lan"})
        assert "Nguyễn Thị Lan" in listed.text
        found = profile(stack, "user_id:u-lan")
        assert found is not None
        page = browser.get(f"/profiles/{found['id']}")
        assert page.status_code == 200
        assert "Nguyễn Thị Lan" in page.text


def test_api_asks_for_a_key(stack: Stack) -> None:
    answer = httpx.get(f"{stack.gateway}/api/v1/profiles", timeout=60)
    assert answer.status_code == 401
    assert {"code", "message"} <= answer.json().keys()


def test_admin_answers_nobody_but_the_gateway(stack: Stack) -> None:
    direct = httpx.get(
        f"http://127.0.0.1:{stack.ports['admin']}/api/v1/profiles",
        headers={"authorization": f"Bearer {API_KEY}"},
        timeout=60,
    )
    assert direct.status_code == 401


def test_killed_services_lose_nothing_and_double_nothing(stack: Stack) -> None:
    """Each service dies once by ``kill -9`` while events come in; some requests are sent twice."""
    wait_for(lambda: settled(stack), 60, stack.tail)
    before = status(stack)
    assert before is not None
    sent = 0
    for service in SERVICES:
        assert stack.kill(service)
        for number in range(25):
            item = call("track", f"{service}-{number}", anonymousId=f"kill-{number % 5}", event="Clicked")
            assert send(stack, item).status_code == 200
            sent += 1
            if number % 5 == 0:
                assert send(stack, item).status_code == 200
    wait_for(lambda: all(map(stack.ready, SERVICES)), 60, stack.tail)
    wait_for(lambda: settled(stack), 60, stack.tail)
    after = status(stack)
    assert after is not None
    assert after["counts"]["events"] - before["counts"]["events"] == sent
    assert after["counts"]["duplicates"] - before["counts"]["duplicates"] >= 4 * 5
    assert after["counts"]["dead_letters"] == before["counts"]["dead_letters"]
    totals = [(profile(stack, f"anonymous_id:kill-{number}") or {})["events"]["total"] for number in range(5)]
    assert totals == [20] * 5


def test_stops_within_the_grace_and_starts_again_with_what_it_had(tmp_path: Path) -> None:
    with running_stack(tmp_path) as first:
        assert send(first, *lan_on_three_devices()).status_code == 200
        started = time.monotonic()
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(STOP_SECONDS) == 0
        assert time.monotonic() - started < STOP_SECONDS
        assert all(first.pid(service) is None for service in SERVICES)
    with running_stack(tmp_path) as second:
        wait_for(lambda: (profile(second, "user_id:u-lan") or {}).get("events", {}).get("total") == 9, 60, second.tail)
