"""The pages of scores, identity and consent: owners change them, others see them, and none undoes another's change."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

from tests.unit.admin.stack import Client, Stack

PAGE, RULES, CONSENT = "/settings/scores", "/settings/identity", "/settings/consent"


async def typed(person: Client, path: str = PAGE) -> dict[str, Any]:
    """What a browser would send of the page as it is."""
    page = (await person("GET", path)).text
    text = re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    fields: dict[str, Any] = dict(text)
    for tag in re.findall(r"<input[^>]*>", page):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in found and ("checked" in tag or found.get("type") != "checkbox"):
            fields[found["name"]] = found.get("value", "")
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.findall(r'value="([^"]*)" selected', options)
        fields[name] = chosen[0] if chosen else ""
    return fields


async def test_an_owner_changes_points_and_adds_an_event(stack: Stack) -> None:
    owner = await stack.person("owner")
    sent = await typed(owner)
    assert sent["points.purchase"] == "27"
    del sent["on.like"]
    sent |= {"points.purchase": "50", "name.+": "Lái thử", "events.+": "Test Drive", "points.+": "30"}
    answer = await owner("POST", PAGE, data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE), answer.text
    kept = await stack.key().get("/api/v1/settings/metrics")
    assert kept["metrics"]["purchase"]["points"] == 50
    assert kept["metrics"]["like"] is None
    assert kept["metrics"]["lai-thu"]["events"] == ["Test Drive"]
    page = (await owner("GET", PAGE)).text
    assert "Lái thử" in page
    stale = await owner("POST", PAGE, data=sent | {"name.+": "", "events.+": ""})
    assert (stale.status_code, "A colleague changed the same thing" in stale.text) == (412, True)

    assert (await owner("POST", f"{PAGE}/reset", data={})).status_code == 303
    assert (await stack.key().get("/api/v1/settings/metrics"))["metrics"]["purchase"]["points"] == 27


async def test_what_does_not_fit_is_said_on_the_page(stack: Stack) -> None:
    owner = await stack.person("owner")
    sent = await typed(owner) | {"name.+": "Bought again", "events.+": "order completed", "points.purchase": "50"}
    answer = await owner("POST", PAGE, data=sent)
    assert answer.status_code == 422
    assert "One of these events is counted in another line already." in answer.text
    assert 'name="points.purchase" value="50"' in answer.text


async def test_an_owner_changes_the_rules_of_identity(stack: Stack) -> None:
    owner = await stack.person("owner")
    sent = await typed(owner, RULES)
    assert (sent["phone_region"], sent["limit.user_id"], sent["trait.0"]) == ("VN", "1", "email")
    sent |= {"phone_region": "TH", "nobody": "shop@example.vn", "trait.2": "customer_no", "kind.2": "crm_id"}
    answer = await owner("POST", RULES, data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, RULES), answer.text
    kept = await stack.key().get("/api/v1/settings/identity")
    assert (kept["phone_region"], kept["trait_kinds"]["customer_no"]) == ("TH", "crm_id")
    assert {"shop@example.vn", "null"} <= set(kept["blocked_values"])
    assert "shop@example.vn" in (await owner("GET", RULES)).text
    assert (await owner("POST", RULES, data=sent)).status_code == 412


async def test_an_owner_changes_what_people_are_asked_for(stack: Stack) -> None:
    owner = await stack.person("owner")
    sent = await typed(owner, CONSENT)
    del sent["on.3"]
    sent |= {"id.4": "telesales", "name.4": "Cuộc gọi ưu đãi"}
    answer = await owner("POST", CONSENT, data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, CONSENT), answer.text
    kept = await stack.key().get("/api/v1/settings/consent")
    assert [one["id"] for one in kept["purposes"]] == ["analytics", "marketing", "personalization", "telesales"]
    assert await stack.environment.services.in_force.purpose_names() == {
        **dict.fromkeys(("analytics", "marketing", "personalization"), ""),
        "telesales": "Cuộc gọi ưu đãi",
    }
    refused = await owner("POST", CONSENT, data=await typed(owner, CONSENT) | {"id.4": "Tele sales"})
    assert (refused.status_code, "beginning with a letter" in refused.text) == (422, True)


async def test_a_rule_that_cannot_be_is_said_on_the_page(stack: Stack) -> None:
    owner = await stack.person("owner")
    answer = await owner("POST", RULES, data=await typed(owner, RULES) | {"phone_region": "Atlantis"})
    assert answer.status_code == 422
    assert "phone_region: " in answer.text


async def test_others_see_them_and_change_nothing(stack: Stack) -> None:
    for role, path in product(("marketer", "viewer"), (PAGE, RULES, CONSENT)):
        person = await stack.person(role)
        page = (await person("GET", path)).text
        assert "<fieldset disabled>" in page
        assert (await person("POST", path, data=await typed(person, path))).status_code == 403
    assert (await person("POST", f"{PAGE}/reset", data={})).status_code == 403
