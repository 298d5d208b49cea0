"""Segments as a marketer has them: described, counted, joined and left by what people do, explained, told to others.

What is expected is computed here from the raw events that the API gives, by other code than the product's.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.membership_log import records
from tests.e2e.test_demo import demo
from tests.faults.stack import WRITE_KEY, Stack, running_stack, wait_for

pytestmark = pytest.mark.timeout(300)

LOYAL: dict[str, Any] = {
    "all": [
        {"event": "Order Completed", "count": {"is": "gte", "value": 2}, "within": "30d"},
        {"event": "Order Completed", "count": {"is": "eq", "value": 0}, "within": "2d"},
        {"identifier": "email", "is": "exists"},
        {"consent": "marketing", "is": "granted"},
    ]
}


def test_members_are_those_whom_the_events_name(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack, stack.api() as api:
        early = create(api, "Bought twice, defined before", LOYAL)
        demo(stack, "--visitors", "150", "--days", "14")
        late = create(api, "Bought twice, defined after", LOYAL)
        trait = {"trait": "orders_30d", "definition": {"event": "Order Completed", "fn": "count", "within": "30d"}}
        assert api.post("/computed-traits", json=trait).status_code == 201
        for segment in (early, late):
            wait_for(partial(is_live, api, segment), 60, lambda: "not computed")
        people = list(everybody(api))
        expected = {person["id"] for person in people if is_loyal(api, person)}
        assert 3 <= len(expected) < len(people) / 2, "the demo has some of both"
        for segment in (early, late):
            wait_for(partial(has_members, api, segment, expected), 60, lambda: "other members than the events name")
            assert show(api, segment)["size"] == len(expected)
        preview = api.post("/segments/preview", json={"condition": LOYAL}).json()
        assert (preview["count"], preview["exact"], preview["error"]) == (len(expected), True, 0)
        assert "Order Completed" in preview["description"]
        rows = list(csv.DictReader(io.StringIO(api.get(f"/segments/{early}/members", params={"format": "csv"}).text)))
        assert {row["profile_id"] for row in rows} == expected
        check_overlap(api, early, late, len(expected))
        check_explanations(api, early, expected, people)
        check_trait(api, people)


def check_overlap(api: httpx.Client, one: str, other: str, size: int) -> None:
    found = api.post("/segments/overlap", json={"segments": [one, other]}).json()
    assert found["parts"] == [{"segments": sorted([one, other]), "count": size}]


def check_explanations(api: httpx.Client, segment: str, expected: set[str], people: list[dict[str, Any]]) -> None:
    inside = next(iter(sorted(expected)))
    outside = next(person["id"] for person in people if person["id"] not in expected)
    why = api.get(f"/segments/{segment}/explain/{inside}").json()
    assert why["member"] is True
    assert all(part["holds"] for part in why["tree"]["parts"])
    assert len(why["tree"]["parts"][0]["events"]) >= 2
    assert why["tree"]["until"] is not None, "the orders grow older"
    assert [one["id"] for one in api.get(f"/profiles/{inside}").json()["segments"]].count(segment) == 1
    why_not = api.get(f"/segments/{segment}/explain/{outside}").json()
    assert why_not["member"] is False
    assert not all(part["holds"] for part in why_not["tree"]["parts"])


def check_trait(api: httpx.Client, people: list[dict[str, Any]]) -> None:
    """A computed trait is there for everybody, also where nothing was sent after it was defined."""
    buyer = next(person for person in people if orders(api, person["id"]))

    def computed() -> bool:
        shown = api.get(f"/profiles/{buyer['id']}", params={"include": "provenance"}).json()
        value, origin = shown["traits"].get("orders_30d"), shown["provenance"].get("orders_30d", {})
        return bool(value == len(orders(api, buyer["id"])) and origin.get("source") == "computed")

    wait_for(computed, 60, lambda: str(api.get(f"/profiles/{buyer['id']}").json()["traits"]))


def test_people_come_and_go_by_what_they_do_and_by_time(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack, stack.api() as api:
        condition = {
            "all": [
                {"event": "Cart Viewed", "count": {"is": "gte", "value": 1}, "within": "1m"},
                {"not": {"trait": "plan", "is": "eq", "value": "pro"}},
            ]
        }
        segment = create(api, "Looked into the cart", condition)
        wait_for(lambda: is_live(api, segment), 60, lambda: str(show(api, segment)))
        began = time.time()
        seen = datetime.now(UTC)
        send(stack, "track", "m-1", "lan", event="Cart Viewed", timestamp=(seen - timedelta(seconds=42)).isoformat())
        send(stack, "track", "m-2", "mai", event="Cart Viewed", timestamp=seen.isoformat())
        wait_for(lambda: len(members(api, segment)) == 2, 60, lambda: str(show(api, segment)))
        send(stack, "identify", "m-3", "mai", traits={"plan": "pro"})
        wait_for(lambda: len(members(api, segment)) == 1, 60, lambda: "Mai is still in")
        wait_for(lambda: not members(api, segment), 60, lambda: "a minute is over and Lan is still in")
        assert time.time() - began >= 17, "nobody leaves before the minute is over"
        wait_for(lambda: len(told(stack)) >= 4, 60, lambda: str(told(stack)))
        names = [(one["kind"], one["cause"]) for one in told(stack)]
        assert sorted(names) == [
            ("segment_entered", "event"),
            ("segment_entered", "event"),
            ("segment_left", "event"),
            ("segment_left", "time"),
        ]


def people_known(api: httpx.Client) -> int:
    """-1 while the store does not answer, as before the processor has made it."""
    counts = api.get("/status").json()["counts"]
    return -1 if counts is None else int(counts["people"])


def test_life_of_a_segment(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack, stack.api() as api:
        for number in range(20):
            send(stack, "identify", f"i-{number}", f"u-{number}", traits={"plan": "pro" if number % 2 else "free"})
        wait_for(lambda: people_known(api) == 20, 60, lambda: "not processed")
        pro = create(api, "Pro", {"trait": "plan", "is": "eq", "value": "pro"})
        rest = create(api, "All but pro", {"segment": pro, "is": "not_in"})
        for one in (pro, rest):
            wait_for(partial(is_live, api, one), 60, lambda: "not computed")
        wait_for(lambda: (len(members(api, pro)), len(members(api, rest))) == (10, 10), 60, lambda: "not computed")
        listed = api.get("/profiles", params={"segment": pro}).json()
        assert (listed["total"], {row["id"] for row in listed["data"]}) == (10, set(members(api, pro)))
        hint = api.post("/segments/preview", json={"condition": {"trait": "plan", "is": "gte", "value": 2}}).json()
        assert (hint["count"], hint["held_as_text"]) == (0, [{"trait": "plan", "count": 20, "exact": True}])
        ring = api.put(f"/segments/{pro}", json={"name": "Pro", "condition": {"segment": rest, "is": "in"}})
        assert (ring.status_code, ring.json()["code"]) == (409, "segment_cycle")
        edited = api.put(
            f"/segments/{pro}", json={"name": "Free", "condition": {"trait": "plan", "is": "eq", "value": "free"}}
        )
        assert edited.status_code == 200, edited.text
        wait_for(lambda: show(api, pro)["condition_version"] == 2, 60, lambda: str(show(api, pro)))
        expected = {person["id"] for person in everybody(api) if person_plan(api, person["id"]) == "free"}
        wait_for(lambda: set(members(api, pro)) == expected, 60, lambda: "the old members are still in")
        wait_for(lambda: set(members(api, rest)).isdisjoint(expected), 60, lambda: "what refers to it has not followed")
        check_states(stack, api, pro)
        check_list(api)
        parts = api.post(
            f"/segments/{rest}/split", json={"parts": [{"name": "A", "percent": 50}, {"name": "B", "percent": 50}]}
        ).json()["data"]
        for part in parts:
            wait_for(partial(is_live, api, part["id"]), 60, lambda: "a part is not computed")
        halves = [set(members(api, part["id"])) for part in parts]
        assert halves[0] | halves[1] == set(members(api, rest))
        assert halves[0].isdisjoint(halves[1])
        assert api.delete(f"/segments/{rest}").status_code == 204
        broken = show(api, parts[0]["id"])
        assert broken["status"] == "broken"
        assert "All but pro" in broken["reason"]
        assert set(members(api, parts[0]["id"])) == halves[0], "a broken segment keeps its last members"
        assert api.get(f"/segments/{rest}").status_code == 404


def check_states(stack: Stack, api: httpx.Client, segment: str) -> None:
    assert api.put(f"/segments/{segment}/state", json={"state": "paused"}).json()["status"] == "paused"
    arrivals = iter(range(40))

    def stays() -> bool:
        """Somebody new comes, and the segment stays as it is: the processor has heard of the pause."""
        before = set(members(api, segment))
        number = next(arrivals)
        send(stack, "identify", f"paused-{number}", f"paused-{number}", traits={"plan": "free"})
        wait_for(lambda: api.get("/status").json()["lag"] == 0, 60, lambda: "not processed")
        return set(members(api, segment)) == before

    def everybody_is_in() -> bool:
        expected = {person["id"] for person in everybody(api) if person_plan(api, person["id"]) == "free"}
        return is_live(api, segment) and set(members(api, segment)) == expected

    wait_for(stays, 60, lambda: "a paused segment stays as it is")
    api.put(f"/segments/{segment}/state", json={"state": "active"})
    wait_for(everybody_is_in, 60, lambda: "it does not go on")
    api.put(f"/segments/{segment}/state", json={"state": "archived"})
    wait_for(lambda: not api.get("/profiles/user_id:paused-0").json()["segments"], 60, lambda: "it has not left")
    api.put(f"/segments/{segment}/state", json={"state": "active"})
    wait_for(everybody_is_in, 60, lambda: "it does not work again")


def dropped(api: httpx.Client) -> list[str]:
    """What became of the commands that took the members off a deleted list."""
    rows = api.get("/audit", params={"action": "list.drop"}).json()["data"]
    return [api.get(f"/commands/{row['details']['command_id']}").json()["state"] for row in rows]


def check_list(api: httpx.Client) -> None:
    guests = api.post("/lists", json={"name": "Guests"}).json()
    values = ["u-1", "u-2", "u-2", "nobody"]
    outcome = api.post(f"/lists/{guests['id']}/members", json={"kind": "user_id", "values": values}).json()
    assert (outcome["rows"], outcome["matched"], outcome["unknown"], outcome["pending"]) == (4, 2, 1, False)
    segment = create(api, "Guests", {"list": guests["id"], "is": "in"})
    wait_for(lambda: is_live(api, segment) and len(members(api, segment)) == 2, 60, lambda: str(show(api, segment)))
    assert api.get("/profiles/user_id:u-1").json()["labels"] == [], "a list is no label"
    api.post(f"/lists/{guests['id']}/members", json={"kind": "user_id", "values": ["u-1"], "action": "remove"})
    wait_for(lambda: len(members(api, segment)) == 1, 60, lambda: "still on the list")
    assert api.delete(f"/lists/{guests['id']}").status_code == 204
    assert show(api, segment)["status"] == "broken"
    wait_for(lambda: dropped(api) == ["applied"], 60, lambda: f"its members stay on it: {dropped(api)}")
    assert len(members(api, segment)) == 1, "a broken segment keeps its last members"


# Parts


def create(api: httpx.Client, name: str, condition: Mapping[str, Any]) -> str:
    answer = api.post("/segments", json={"name": name, "condition": condition})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def show(api: httpx.Client, segment: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/segments/{segment}").json()
    return found


def is_live(api: httpx.Client, segment: str) -> bool:
    found = show(api, segment)
    return bool(found["status"] == "live" and found["building"] is None)


def has_members(api: httpx.Client, segment: str, expected: set[str]) -> bool:
    return set(members(api, segment)) == expected


def members(api: httpx.Client, segment: str) -> list[str]:
    return [row["id"] for row in paged(api, f"/segments/{segment}/members")]


def everybody(api: httpx.Client) -> Iterator[dict[str, Any]]:
    yield from paged(api, "/profiles")


def paged(api: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(path, params={"limit": 100, **({"cursor": cursor} if cursor else {})}).json()
        yield from page["data"]
        cursor = page["next"]


def orders(api: httpx.Client, person: str) -> list[datetime]:
    found = paged_events(api, person, "Order Completed")
    return [datetime.fromisoformat(event["timestamp"]) for event in found]


def paged_events(api: httpx.Client, person: str, name: str) -> list[dict[str, Any]]:
    answer = api.get(f"/profiles/{person}/events", params={"name": name, "limit": 200}).json()
    assert answer["next"] is None
    events: list[dict[str, Any]] = answer["data"]
    return events


def is_loyal(api: httpx.Client, person: dict[str, Any]) -> bool:
    now = datetime.now(UTC)
    shown = api.get(f"/profiles/{person['id']}").json()
    if not any(one["kind"] == "email" and one["state"] != "shared" for one in shown["identifiers"]):
        return False
    if shown["consents"]["marketing"]["status"] != "granted":
        return False
    ages = [now - at for at in orders(api, person["id"])]
    return sum(age < timedelta(days=30) for age in ages) >= 2 and not any(age < timedelta(days=2) for age in ages)


def person_plan(api: httpx.Client, person: str) -> str:
    return str(api.get(f"/profiles/{person}").json()["traits"].get("plan", ""))


def send(stack: Stack, kind: str, message: str, user: str, **fields: Any) -> None:
    body = {"type": kind, "messageId": message, "userId": user, **fields}
    answer = httpx.post(f"{stack.observer}/v1/{kind}", json=body, auth=(WRITE_KEY, ""), timeout=60)
    assert answer.status_code == 200, answer.text


def told(stack: Stack) -> list[dict[str, Any]]:
    """What other systems were told on ``leocdp.segments.membership.v1``, each record once."""
    return records(stack.data_dir)
