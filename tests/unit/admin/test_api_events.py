"""``/api/v1/events``, ``dead-letters`` and ``reviews``."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from leocdp_admin.application.actor import SYSTEM
from leocdp_admin.application.live_events import Place
from leocdp_admin.application.shapes.events import RecentEvent, StreamAsked
from tests.unit.admin.people import EVENTS, People
from tests.unit.admin.stack import Client, until


@pytest.fixture
def api(people: People) -> Client:
    return people.stack.key()


async def test_what_became_of_a_message(people: People, api: Client) -> None:
    found = await api.get("/api/v1/events/m-2")
    assert (found["outcome"], found["profile_id"]) == ("applied", people.lan)
    assert found["event"]["name"] == "Order Completed"
    assert (await api.get("/api/v1/events/m-2", source="quickstart"))["outcome"] == "applied"
    assert (await api.get("/api/v1/events/m%2F3"))["event"]["name"] == "Home"
    assert await api.error(404, "GET", "/api/v1/events/m-2?source=else") == "event_not_found"
    assert await api.error(404, "GET", "/api/v1/events/m-unknown") == "event_not_found"


async def test_a_message_without_a_person(people: People, api: Client) -> None:
    await people.processor.send(
        {"type": "track", "messageId": "m-6", "event": "X", "anonymousId": "null"}, source="quickstart"
    )
    await people.processor.counted(lambda counts: counts.events == EVENTS + 1)
    found = await api.get("/api/v1/events/m-6")
    assert (found["outcome"], found["profile_id"], found["event"]["profile_id"]) == ("applied", None, None)


async def test_recent_events_of_every_outcome(people: People, api: Client) -> None:
    rows = (await api.get("/api/v1/events/recent"))["data"]
    assert sorted(row["outcome"] for row in rows) == ["applied"] * EVENTS + ["dead-lettered"]
    assert [row["received_at"] for row in rows] == sorted((row["received_at"] for row in rows), reverse=True)
    broken = next(row for row in rows if row["outcome"] == "dead-lettered")
    assert broken["payload"].startswith('{"type": "track"')
    only = (await api.get("/api/v1/events/recent", outcome="applied", name="Order Completed"))["data"]
    assert [(row["message_id"], row["profile_id"]) for row in only] == [("m-2", people.lan)]
    assert (await api.get("/api/v1/events/recent", source="else"))["data"] == []
    assert len((await api.get("/api/v1/events/recent", limit=2))["data"]) == 2
    assert await api.error(422, "GET", "/api/v1/events/recent?outcome=lost") == "invalid"


async def test_the_catalogue(api: Client) -> None:
    rows = {(row["type"], row["name"]): row for row in (await api.get("/api/v1/events/catalogue"))["data"]}
    order = rows["track", "Order Completed"]
    assert order["count"] == 1
    assert order["properties"]["total"] == ["number"]


async def test_the_stream_shows_what_comes_from_now_on(people: People) -> None:
    services = people.stack.environment.services
    stopping = asyncio.Event()
    seen: list[RecentEvent] = []
    places: list[str] = []

    async def follow(after: str = "") -> None:
        rounds = services.events.stream(SYSTEM, StreamAsked(), stopping, after=after, every=0.02)
        async for rows, place in rounds:
            seen.extend(rows)
            places.append(place)

    following = asyncio.create_task(follow())
    await until(lambda: _true(bool(places)))
    for number in range(3):
        body = {"type": "track", "messageId": f"live-{number}", "event": "Live", "anonymousId": "a-1"}
        await people.processor.send(body, source="quickstart")
    await until(lambda: _true(len(seen) == 3))
    stopping.set()
    await following
    assert [(row.outcome, row.message_id, row.profile_id) for row in seen] == [
        ("applied", f"live-{number}", people.lan) for number in range(3)
    ]
    stopping.clear()
    again = asyncio.create_task(follow(after=places[0]))
    await until(lambda: _true(len(seen) == 6))
    stopping.set()
    await again


async def test_the_stream_over_http(people: People, api: Client) -> None:
    chunks = await _read_stream(people, "/api/v1/events/stream?outcome=applied", after="0.0")
    messages = [chunk for chunk in chunks.split("\n\n") if "data: " in chunk]
    events = [json.loads(message.partition("data: ")[2]) for message in messages]
    assert [event["message_id"] for event in events] == ["m-1", "m-2", "m/3", "m-4"]
    assert {event["outcome"] for event in events} == {"applied"}
    place = messages[-1].partition("id: ")[2].partition("\n")[0]
    assert Place.parse(place) is not None
    assert not any("id: " in message.partition("data: ")[0] for message in messages[:-1])


async def _read_stream(people: People, path: str, after: str) -> str:
    """What a client has read when the service stops."""
    client, body = people.stack.key(), bytearray()

    async def stop_when_read() -> None:
        await until(lambda: _true(people.stack.environment.metrics.expose().body.count(b"events/stream") > 0))
        people.stack.environment.services.stopping.set()

    stopper = asyncio.create_task(stop_when_read())
    response = await client("GET", path, headers={"last-event-id": after})
    await stopper
    assert response.headers["content-type"].startswith("text/event-stream")
    body.extend(response.content)
    return body.decode()


async def _true(holds: bool) -> bool:
    return holds


async def test_dead_letters_and_their_replay(people: People, api: Client) -> None:
    [letter] = (await api.get("/api/v1/dead-letters"))["data"]
    assert {"id", "at", "reason", "error", "topic", "partition", "offset", "index", "message_id", "payload"} <= set(
        letter
    )
    assert (letter["topic"], letter["partition"]) == ("leocdp.events.accepted.v1", 2)
    assert (await api.get("/api/v1/dead-letters", reason="else"))["data"] == []
    answer = await api("POST", "/api/v1/dead-letters/replay", json={"ids": [letter["id"]]})
    assert answer.status_code == 202
    command = answer.json()["command_id"]

    async def applied() -> bool:
        return bool((await api.get(f"/api/v1/commands/{command}"))["state"] == "applied")

    await until(applied)

    # It is as broken as before, so it comes back; the one that was put back does not wait any more.
    async def back() -> bool:
        rows = (await api.get("/api/v1/dead-letters"))["data"]
        return len(rows) == 1 and rows[0]["id"] != letter["id"]

    await until(back)
    everything = (await api.get("/api/v1/dead-letters", waiting=False))["data"]
    assert [bool(row["replayed_at"]) for row in everything] == [False, True]


async def test_replaying_by_reason_and_time(people: People, api: Client) -> None:
    [letter] = (await api.get("/api/v1/dead-letters"))["data"]
    path = "/api/v1/dead-letters/replay"
    wrong: list[Any] = [{}, {"ids": []}, {"reason": ""}, {"id": "x"}, []]
    for body in wrong:
        assert await api.error(422, "POST", path, json=body) == "invalid", body
    for body in ({"reason": "else"}, {"to": "2020-01-01T00:00:00Z"}, {"from": "2999-01-01T00:00:00Z"}):
        assert await api.error(404, "POST", path, json=body) == "dead_letters_not_found", body
    answer = await api("POST", path, json={"reason": letter["reason"], "from": letter["at"]})
    assert answer.status_code == 202


async def test_events_scopes(people: People) -> None:
    reader = people.stack.key("events:read")
    assert (await reader.get("/api/v1/events/recent"))["data"]
    assert await reader.error(403, "POST", "/api/v1/dead-letters/replay", json={"ids": ["1"]}) == "missing_scope"
    assert await people.stack.key("sources:read").error(403, "GET", "/api/v1/events/recent") == "missing_scope"
    assert await people.stack.key("sources:read").error(403, "GET", "/api/v1/events/stream") == "missing_scope"
    assert await people.stack.key("profiles:read").error(403, "GET", "/api/v1/dead-letters") == "missing_scope"


async def test_reviews(people: People, api: Client) -> None:
    # A browser sends Hoa's user id with Lan's e-mail: a pair for a person to look at.
    clash = {"type": "identify", "messageId": "m-7", "userId": "u-2", "traits": {"email": "lan@example.vn"}}
    await people.processor.send(clash, source="quickstart")
    await people.processor.counted(lambda counts: counts.events == EVENTS + 1)
    [pair] = (await api.get("/api/v1/reviews"))["data"]
    assert {pair["left"], pair["right"]} == {people.lan, people.hoa}
    assert (pair["state"], pair["identifier"]) == ("open", {"kind": "email", "value": "lan@example.vn"})
    assert (await api("POST", f"/api/v1/reviews/{pair['id']}/dismiss")).json() == {
        "id": pair["id"],
        "state": "rejected",
    }
    assert (await api.get("/api/v1/reviews"))["data"] == []
    assert [row["id"] for row in (await api.get("/api/v1/reviews", state="rejected"))["data"]] == [pair["id"]]
    assert (await api("POST", f"/api/v1/reviews/{pair['id']}/reopen")).status_code == 200
    assert len((await api.get("/api/v1/reviews"))["data"]) == 1


async def test_the_status(people: People, api: Client) -> None:
    status = await api.get("/api/v1/status")
    assert status["engine"] == {"log": "sqlite", "store": "sqlite"}
    assert status["counts"]["profiles"] == status["counts"]["people"] == 2
    assert (status["counts"]["events"], status["counts"]["dead_letters"]) == (EVENTS, 1)
    accepted = [row for row in status["log"] if row["topic"] == "leocdp.events.accepted.v1"]
    assert len(accepted) == 24
    assert [(row["end"], row["position"], row["lag"]) for row in accepted[:3]] == [(1, 1, 0)] * 3
    assert status["lag"] == 0
    services = {service["name"]: service for service in status["services"]}
    assert set(services) == {"admin", "observer", "processor", "gateway"}
    assert services["admin"]["ready"]
    assert not services["observer"]["ready"]
    assert "does not answer" in services["observer"]["reasons"][0]
