"""``/api/v1/profiles``: reading, searching and acting, against a real processor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from leocdp.contracts.principal import Principal
from tests.unit.admin.people import EMAIL, LOCAL_PHONE, PHONE, People
from tests.unit.admin.stack import Client

BASE = "/api/v1/profiles"


@pytest.fixture
def api(people: People) -> Client:
    return people.stack.key()


async def test_the_shape_of_a_profile(people: People, api: Client) -> None:
    profile = await api.get(f"{BASE}/{people.lan}")
    assert set(profile) == {
        *("id", "merged_ids", "status", "name", "first_seen", "last_seen", "stage", "identifiers", "traits"),
        *("events", "segments", "scores", "consents", "labels"),
    }
    assert profile["id"] == people.lan
    assert profile["merged_ids"] == []
    assert profile["status"] == "identified"
    assert profile["name"] == "Trần Thị Lan"
    assert profile["traits"]["plan"] == "pro"
    assert profile["events"] == {
        "total": 3,
        "by_name": {"Order Completed": 1, "Home": 1},
        "by_type": {"identify": 1, "track": 1, "page": 1},
    }
    assert profile["consents"]["marketing"] == {"status": "unknown", "at": None, "source": None}
    assert profile["first_seen"].endswith("Z")
    found = {(one["kind"], one["value"]): one for one in profile["identifiers"]}
    assert set(found) == {("user_id", "u-1"), ("email", EMAIL), ("phone", PHONE), ("anonymous_id", "a-1")}
    email = found["email", EMAIL]
    assert (email["state"], email["source"]) == ("active", "quickstart")


async def test_a_person_is_found_by_any_identifier_however_it_is_written(people: People, api: Client) -> None:
    cases: Any = [
        "email:LAN@example.vn",
        f"phone:{LOCAL_PHONE}",
        "phone:+84 901 234 567",
        "user_id:u-1",
        "user_id@default:u-1",
        "anonymous_id:a-1",
    ]
    for ref in cases:
        assert (await api.get(f"{BASE}/{quote(ref, safe='')}"))["id"] == people.lan


async def test_lookup_keeps_a_persons_data_out_of_the_address(people: People, api: Client) -> None:
    response = await api("POST", f"{BASE}/lookup", json={"kind": "email", "value": " Lan@Example.vn "})
    assert response.json()["id"] == people.lan
    response = await api("POST", f"{BASE}/lookup", json={"kind": "phone", "value": PHONE, "include": "provenance"})
    assert response.json()["provenance"]["plan"]["source"] == "quickstart"


async def test_nobody_is_404(api: Client) -> None:
    cases: Any = [
        "user_id:nobody",
        "prf_0000000000000000000000000000",
        "prf_x",
        "email:not-an-address",
        "planet:mars",
        "user_id@x:u-1",
    ]
    for ref in cases:
        assert await api.error(404, "GET", f"{BASE}/{ref}") == "profile_not_found"


async def test_what_cannot_be_a_reference_is_422(api: Client) -> None:
    cases: Any = ["nonsense", ":", "email:"]
    for ref in cases:
        assert await api.error(422, "GET", f"{BASE}/{ref}") == "invalid"


async def test_an_identifier_may_hold_a_slash(people: People, api: Client) -> None:
    await people.processor.send(
        {"type": "track", "messageId": "m-5", "event": "X", "anonymousId": "a/b/events"}, source="quickstart"
    )
    await people.processor.counted(lambda counts: counts.events == 5)
    profile = await api.get(f"{BASE}/anonymous_id:a%2Fb%2Fevents")
    assert profile["events"]["total"] == 1
    assert (await api.get(f"{BASE}/anonymous_id:a%2Fb%2Fevents/events"))["data"][0]["message_id"] == "m-5"


async def test_provenance_tells_where_each_trait_is_from(people: People, api: Client) -> None:
    profile = await api.get(f"{BASE}/{people.lan}", include="provenance")
    assert set(profile["provenance"]) == set(profile["traits"])
    assert profile["provenance"]["plan"]["updated_at"].endswith("Z")
    assert await api.error(422, "GET", f"{BASE}/{people.lan}?include=all") == "invalid"


async def test_searching(people: People, api: Client) -> None:
    everyone = await api.get(BASE)
    assert {row["id"] for row in everyone["data"]} == {people.lan, people.hoa}
    assert (everyone["total"], everyone["next"]) == (2, None)
    for q in ("tran thi", EMAIL, LOCAL_PHONE, "u-1"):
        assert [row["id"] for row in (await api.get(BASE, q=q))["data"]] == [people.lan], q
    assert (await api.get(BASE, q="nobody here"))["data"] == []
    assert (await api.get(BASE, status="anonymous"))["data"] == []


async def test_lists_go_on_from_their_cursor(people: People, api: Client) -> None:
    first = await api.get(BASE, limit=1, sort="name")
    second = await api.get(BASE, limit=1, sort="name", cursor=first["next"])
    assert [first["data"][0]["name"], second["data"][0]["name"]] == ["Hoa", "Trần Thị Lan"]
    assert await api.error(422, "GET", f"{BASE}?limit=201") == "invalid"
    assert await api.error(422, "GET", f"{BASE}?sort=age") == "invalid"
    assert await api.error(422, "GET", f"{BASE}?unknown=1") == "invalid"


async def test_a_damaged_cursor_is_an_error_of_the_sender(people: People, api: Client) -> None:
    for path in (BASE, f"{BASE}/{people.lan}/events", "/api/v1/dead-letters", "/api/v1/reviews"):
        assert await api.error(422, "GET", f"{path}?cursor=garbage") == "invalid", path


async def test_the_events_of_a_person(people: People, api: Client) -> None:
    events = (await api.get(f"{BASE}/{people.lan}/events"))["data"]
    assert {event["message_id"] for event in events} == {"m-1", "m-2", "m/3"}
    assert [event["timestamp"] for event in events] == sorted((event["timestamp"] for event in events), reverse=True)
    order = next(event for event in events if event["message_id"] == "m-2")
    assert set(order) == {
        *("id", "message_id", "type", "name", "timestamp", "received_at", "original_timestamp", "source", "protocol"),
        *("profile_id", "anonymous_id", "user_id", "session_id", "properties", "traits", "context"),
    }
    assert (order["type"], order["name"], order["source"]) == ("track", "Order Completed", "quickstart")
    assert (order["profile_id"], order["anonymous_id"], order["user_id"]) == (people.lan, "a-1", None)
    assert order["properties"]["total"] == 250_000
    only = await api.get(f"{BASE}/{people.lan}/events", name="Order Completed", type="track")
    assert [event["message_id"] for event in only["data"]] == ["m-2"]
    none = await api.get(f"{BASE}/{people.lan}/events", to="2020-01-01T00:00:00Z")
    assert none["data"] == []
    assert await api.error(422, "GET", f"{BASE}/{people.lan}/events?from=yesterday") == "invalid"


def _visit(message: str, minute: int, **fields: object) -> dict[str, object]:
    day = datetime(2026, 3, 1, 8, tzinfo=UTC) + timedelta(minutes=minute)
    body = {"type": "track", "messageId": message, "event": "View", "anonymousId": "a-9", "timestamp": day.isoformat()}
    return {**body, **fields}


async def test_events_belong_to_sessions_that_end_after_half_an_hour(people: People, api: Client) -> None:
    minutes = (0, 20, 50, 81, 110, 200)
    visits = [_visit(f"v-{minute}", minute, event="Buy" if minute == 110 else "View") for minute in minutes]
    # The second visit's beginning comes late.
    await people.processor.send(*(visits[:3] + visits[4:]), source="quickstart")
    await people.processor.send(visits[3], source="quickstart")
    await people.processor.counted(lambda counts: counts.events == 4 + len(minutes))

    def path(**asked: object) -> str:
        return f"{BASE}/anonymous_id:a-9/events?{urlencode(asked)}"

    events = (await api.get(path()))["data"]
    sessions = {event["message_id"]: event["session_id"] for event in events}
    assert len({sessions["v-0"], sessions["v-20"], sessions["v-50"]}) == 1
    assert sessions["v-81"] == sessions["v-110"]
    assert len(set(sessions.values())) == 3
    assert all(str(session).startswith("ses_") for session in sessions.values())
    # The same wherever the page begins or ends, and whatever was filtered out.
    variants: tuple[dict[str, Any], ...] = (
        *({"limit": 1}, {"limit": 2}, {"name": "Buy"}),
        {"from": "2026-03-01T09:40:00Z"},
    )
    for asked in variants:
        page = await api.get(path(**asked))
        while True:
            for event in page["data"]:
                assert event["session_id"] == sessions[event["message_id"]], asked
            if page["next"] is None:
                break
            page = await api.get(path(**asked, cursor=page["next"]))


async def test_merge_and_unmerge(people: People, api: Client) -> None:
    merged = await api("POST", f"{BASE}/{people.hoa}/merge", json={"with": "email:lan@example.vn"})
    # Two people with a user id each are one by a person's word only.
    assert merged.status_code == 200, merged.text
    result = merged.json()
    assert {result["into"], result["from"]} == {people.lan, people.hoa}
    survivor = await api.get(f"{BASE}/{result['from']}")
    assert survivor["id"] == result["into"]
    assert survivor["merged_ids"] == [result["from"]]
    assert survivor["events"]["total"] == 4

    identity = await api.get(f"{BASE}/user_id:u-1/identity")
    assert identity["profile_id"] == result["into"]
    assert {one["leaf"] for one in identity["identifiers"]} == {people.lan, people.hoa}
    [merge] = identity["merges"]
    assert (merge["id"], merge["by"], merge["actor"]) == (result["merge_id"], "user", "key:k1")
    assert (merge["into"], merge["from"], merge["undone_at"]) == (result["into"], result["from"], None)

    apart = await api(
        "POST", f"{BASE}/{people.lan}/unmerge", json={"merge_id": result["merge_id"], "identifier": "keep"}
    )
    assert apart.status_code == 200, apart.text
    assert set(apart.json()["profiles"]) == {people.lan, people.hoa}
    assert (await api.get(f"{BASE}/{people.hoa}"))["id"] == people.hoa
    identity = await api.get(f"{BASE}/{people.lan}/identity")
    assert identity["merges"][0]["undone_at"]
    assert identity["cannot_link"] == [people.hoa]

    lifted = await api("POST", f"{BASE}/{people.lan}/cannot-link/lift", json={"with": people.hoa})
    assert lifted.status_code == 200, lifted.text
    assert (await api.get(f"{BASE}/{people.lan}/identity"))["cannot_link"] == []


async def test_a_refused_action_is_409_with_the_reason(people: People, api: Client) -> None:
    assert await api.error(409, "POST", f"{BASE}/{people.lan}/merge", json={"with": people.lan}) == "command_refused"
    body = {"merge_id": "mrg_unknown"}
    assert await api.error(409, "POST", f"{BASE}/{people.lan}/unmerge", json=body) == "command_refused"
    assert await api.error(404, "POST", f"{BASE}/{people.lan}/merge", json={"with": "user_id:x"}) == "profile_not_found"
    assert await api.error(422, "POST", f"{BASE}/{people.lan}/merge", json={}) == "invalid"


async def test_consents_and_labels(people: People, api: Client) -> None:
    answer = await api("PUT", f"{BASE}/email:{EMAIL}/consents", json={"marketing": "granted", "sharing": "denied"})
    assert answer.status_code == 200, answer.text
    answer = await api("PUT", f"{BASE}/{people.lan}/labels", json={"labels": ["vip", " vip ", "early"]})
    assert answer.status_code == 200, answer.text
    profile = await api.get(f"{BASE}/{people.lan}")
    assert profile["consents"]["marketing"]["status"] == "granted"
    assert profile["consents"]["sharing"]["status"] == "denied"
    assert profile["consents"]["analytics"]["status"] == "unknown"
    assert profile["labels"] == ["early", "vip"]
    assert [row["id"] for row in (await api.get(BASE, label="vip"))["data"]] == [people.lan]


async def test_wrong_shapes_are_422(people: People, api: Client) -> None:
    cases: Any = [
        ("consents", {}),
        ("consents", {"world_domination": "granted"}),
        ("consents", {"marketing": "perhaps"}),
        ("consents", ["marketing"]),
        ("labels", {"labels": [""]}),
        ("labels", {"labels": ["x" * 101]}),
        ("labels", {"labels": "vip"}),
        ("labels", {"label": []}),
        ("identifiers", {"kind": "email", "value": "else@example.vn", "state": "shared"}),
        ("identifiers", {"kind": "email", "value": EMAIL, "state": "retired"}),
    ]
    for action, body in cases:
        assert await api.error(422, "PUT", f"{BASE}/{people.lan}/{action}", json=body) == "invalid"


async def test_an_identifier_can_be_made_shared(people: People, api: Client) -> None:
    body = {"kind": "anonymous_id", "value": "a-1", "state": "shared"}
    answer = await api("PUT", f"{BASE}/{people.lan}/identifiers", json=body)
    assert answer.status_code == 200, answer.text
    profile = await api.get(f"{BASE}/{people.lan}")
    states = {one["value"]: one["state"] for one in profile["identifiers"]}
    assert states["a-1"] == "shared"


async def test_scopes(people: People) -> None:
    reader = people.stack.key("profiles:read")
    assert (await reader.get(f"{BASE}/{people.lan}"))["id"] == people.lan
    path = f"{BASE}/{people.lan}/labels"
    assert await reader.error(403, "PUT", path, json={"labels": []}) == "missing_scope"
    assert await people.stack.key("admin").error(403, "GET", BASE) == "missing_scope"
    assert await people.stack.key("profiles:write").error(403, "GET", f"{BASE}/{people.lan}") == "missing_scope"
    nobody = Client(people.stack.http, Principal(kind="ui"), people.stack.clock)
    assert await nobody.error(401, "GET", BASE) == "unauthenticated"


async def test_reading_personal_data_is_in_the_audit_log(people: People, api: Client) -> None:
    await people.stack.key("profiles:read").get(f"{BASE}/email:{EMAIL}")
    [entry] = (await api.get("/api/v1/audit", action="profile.read", limit=1))["data"]
    assert (entry["actor"], entry["target"], entry["client"]) == ("key:k1", people.lan, "203.0.113.8")
    await api("PUT", f"{BASE}/{people.lan}/labels", json={"labels": ["secret-label"]})
    entries = await api.get("/api/v1/audit", target=people.lan)
    assert "profile.label" in {one["action"] for one in entries["data"]}
    assert EMAIL not in str(entries)
    assert "secret-label" not in str(entries)


async def test_a_command_can_be_asked_for_later(people: People, api: Client) -> None:
    await api("PUT", f"{BASE}/{people.lan}/labels", json={"labels": ["vip"]})
    [entry] = (await api.get("/api/v1/audit", action="profile.label"))["data"]
    command = await api.get(f"/api/v1/commands/{entry['details']['command_id']}")
    assert (command["kind"], command["state"]) == ("label", "applied")
    assert await api.error(404, "GET", "/api/v1/commands/cmd_unknown") == "command_not_found"
