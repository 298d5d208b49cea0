"""Segments, lists and computed traits over the JSON API: what is refused, and how it is said."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.unit.admin.stack import Client, Stack

SEGMENTS = "/api/v1/segments"
PRO = {"trait": "plan", "is": "eq", "value": "pro"}


@pytest.fixture
def api(stack: Stack) -> Client:
    return stack.key()


async def create(api: Client, name: str, condition: dict[str, Any]) -> dict[str, Any]:
    response = await api("POST", SEGMENTS, json={"name": name, "condition": condition})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


class TestSegments:
    async def test_a_new_one_is_computed_first(self, api: Client) -> None:
        made = await create(api, "Pro", PRO)
        assert (made["status"], made["condition_version"], made["version"]) == ("building", 0, 1)
        assert "plan" in made["text"]
        assert (await api.get(f"{SEGMENTS}/{made['id']}"))["condition"] == made["condition"]

    @pytest.mark.parametrize(
        ("condition", "path"),
        [
            ({}, "condition"),
            ({"trait": "plan"}, "condition"),
            ({"all": [PRO, {"trait": "age", "is": "gte", "value": "old"}]}, "condition.all[1].value"),
            ({"event": "E", "count": {"is": "gte", "value": -1}}, "condition.count.value"),
            ({"event": "E", "within": "0d"}, "condition.within"),
            ({"event": "E", "between": ["2026-06-30", "2026-01-01"]}, "condition.between"),
            ({"event": "E", "between": ["2026-02-30", "2026-03-01"]}, "condition.between[0]"),
            ({"trait": "a", "is": "matches", "value": "(a+)+\\1"}, "condition.value"),
            ({"trait": "a", "is": "in", "value": ["x"] * 10_001}, "condition.value"),
            ({"event": "E", "on_at_least": 8, "of_last": 7, "unit": "days"}, "condition.on_at_least"),
            ({"planet": "Mars"}, "condition"),
            ({"score": "leed", "is": "gt", "value": 1}, "condition.score"),
            ({"any": [PRO, {"stage": ["lead", "leads"], "is": "in"}]}, "condition.any[1].stage[1]"),
            ({"not": {"identifier": "e_mail"}}, "condition.not.identifier"),
        ],
    )
    async def test_what_cannot_be_a_condition_is_refused_with_its_place(
        self, api: Client, condition: dict[str, Any], path: str
    ) -> None:
        for where, body in (
            (SEGMENTS, {"name": "N", "condition": condition}),
            (f"{SEGMENTS}/preview", {"condition": condition}),
        ):
            response = await api("POST", where, json=body)
            assert response.status_code == 422, response.text
            found = [detail["path"] for detail in response.json()["details"]]
            assert any(one.startswith(path) for one in found), found
        assert (await api.get(SEGMENTS))["data"] == []

    async def test_too_deep_a_condition_is_refused(self, api: Client) -> None:
        condition: dict[str, Any] = PRO
        for _ in range(60):
            condition = {"not": condition}
        assert await api.error(422, "POST", SEGMENTS, json={"name": "Deep", "condition": condition}) == "invalid"

    async def test_references_must_be_there(self, api: Client) -> None:
        for condition in ({"segment": "sgm_none", "is": "in"}, {"list": "lst_none", "is": "in"}):
            body = {"name": "N", "condition": condition}
            assert await api.error(409, "POST", SEGMENTS, json=body) == "missing_reference"

    async def test_circles_are_refused(self, api: Client) -> None:
        one = await create(api, "One", PRO)
        two = await create(api, "Two", {"segment": one["id"], "is": "in"})
        three = await create(api, "Three", {"not": {"segment": two["id"], "is": "in"}})
        for target in (one, two, three):
            body = {"name": "One", "condition": {"all": [PRO, {"segment": target["id"], "is": "not_in"}]}}
            assert await api.error(409, "PUT", f"{SEGMENTS}/{one['id']}", json=body) == "segment_cycle"

    async def test_names_are_unique(self, api: Client) -> None:
        await create(api, "Pro", PRO)
        assert await api.error(409, "POST", SEGMENTS, json={"name": "Pro", "condition": PRO}) == "segment_exists"

    async def test_a_version_guards_a_change(self, api: Client) -> None:
        made = await create(api, "Pro", PRO)
        body = {"name": "Pros", "condition": PRO}
        path = f"{SEGMENTS}/{made['id']}"
        assert (await api("PUT", path, json=body, headers={"If-Match": '"1"'})).status_code == 200
        assert await api.error(412, "PUT", path, json=body, headers={"If-Match": '"1"'}) == "version_mismatch"
        again = await api.get(path)
        assert (await api("PUT", path, json=again)).status_code == 200, "what was read may be sent back whole"

    async def test_what_refers_to_a_deleted_one_is_broken_and_says_so(self, api: Client) -> None:
        pro = await create(api, "Pro", PRO)
        rest = await create(api, "Rest", {"segment": pro["id"], "is": "not_in"})
        assert (await api("DELETE", f"{SEGMENTS}/{pro['id']}")).status_code == 204
        found = await api.get(f"{SEGMENTS}/{rest['id']}")
        assert (found["status"], "Pro" in found["reason"]) == ("broken", True)
        state = {"state": "active"}
        assert await api.error(409, "PUT", f"{SEGMENTS}/{rest['id']}/state", json=state) == "missing_reference"
        mended = await api("PUT", f"{SEGMENTS}/{rest['id']}", json={"name": "Rest", "condition": PRO})
        assert mended.json()["status"] == "building"

    async def test_parts_of_a_split_are_not_more_than_the_whole(self, api: Client) -> None:
        pro = await create(api, "Pro", PRO)
        parts = [{"name": "A", "percent": 60}, {"name": "B", "percent": 50}]
        assert await api.error(422, "POST", f"{SEGMENTS}/{pro['id']}/split", json={"parts": parts}) == "invalid"
        assert len((await api.get(SEGMENTS))["data"]) == 1

    async def test_unknown_ids(self, api: Client) -> None:
        for method, path in (
            ("GET", f"{SEGMENTS}/sgm_none"),
            ("DELETE", f"{SEGMENTS}/sgm_none"),
            ("GET", f"{SEGMENTS}/sgm_none/members"),
            ("GET", f"{SEGMENTS}/sgm_none/growth"),
            ("GET", f"{SEGMENTS}/sgm_none/explain/user_id:u-1"),
        ):
            assert await api.error(404, method, path) == "segment_not_found"

    async def test_scopes(self, stack: Stack) -> None:
        reader = stack.key("segments:read")
        assert (await reader.get(SEGMENTS))["data"] == []
        assert await reader.error(403, "POST", SEGMENTS, json={"name": "N", "condition": PRO}) == "missing_scope"
        assert await stack.key("profiles:read").error(403, "GET", SEGMENTS) == "missing_scope"

    async def test_without_a_profile_store_definitions_can_be_changed_and_nothing_is_counted(self, api: Client) -> None:
        made = await create(api, "Pro", PRO)
        assert made["size"] in (None, 0)
        body = {"condition": {"everyone": True}}
        assert await api.error(503, "POST", f"{SEGMENTS}/preview", json=body) == "store_unavailable"


class TestComputedTraits:
    PATH = "/api/v1/computed-traits"
    BODY: ClassVar[dict[str, Any]] = {
        "trait": "spent",
        "definition": {"event": "Order Completed", "fn": "sum", "property": "total"},
    }

    async def test_it_is_made_changed_and_deleted(self, api: Client) -> None:
        made = (await api("POST", self.PATH, json=self.BODY)).json()
        assert await api.error(409, "POST", self.PATH, json=self.BODY) == "computed_trait_exists"
        changed = await api("PUT", f"{self.PATH}/{made['id']}", json={**self.BODY, "trait": "paid"})
        assert changed.json()["trait"] == "paid"
        assert (await api("DELETE", f"{self.PATH}/{made['id']}")).status_code == 204
        assert await api.error(404, "GET", f"{self.PATH}/{made['id']}") == "computed_trait_not_found"

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"trait": "two words"}, "trait"),
            ({"definition": {"event": "E", "fn": "median", "property": "p"}}, "definition.fn"),
            ({"definition": {"event": "E", "fn": "sum"}}, "definition.property"),
            ({"definition": {}}, "definition"),
        ],
    )
    async def test_mistakes_are_named(self, api: Client, change: dict[str, Any], path: str) -> None:
        response = await api("POST", self.PATH, json={**self.BODY, **change})
        assert response.status_code == 422
        assert response.json()["details"][0]["path"].startswith(path), response.text


class TestLists:
    PATH = "/api/v1/lists"

    async def test_mistakes_are_named(self, api: Client) -> None:
        made = (await api("POST", self.PATH, json={"name": "Guests"})).json()
        assert await api.error(409, "POST", self.PATH, json={"name": "Guests"}) == "list_exists"
        path = f"{self.PATH}/{made['id']}/members"
        response = await api("POST", path, json={"kind": "planet", "values": ["Mars"]})
        assert (response.status_code, response.json()["details"][0]["path"]) == (422, "kind")
        assert await api.error(422, "POST", path, json={"kind": "email", "values": []}) == "invalid"
        outcome = (await api("POST", path, json={"kind": "email", "values": ["no address", "x@y.vn"]})).json()
        assert len(outcome["invalid"]) == 1
        assert outcome["invalid"][0].startswith("1: ")
        assert "no address" not in outcome["invalid"][0]


async def test_conditions_are_described_in_the_document_of_the_api(stack: Stack) -> None:
    document = await stack.anyone.get("/api/v1/openapi.json")
    schemas = document["components"]["schemas"]
    assert schemas["SegmentAsked"]["properties"]["condition"]["$ref"] == "#/components/schemas/Condition"
    assert len(schemas["Condition"]["oneOf"]) > 10
