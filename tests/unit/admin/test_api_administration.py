"""Sources, keys, users, settings and audit over the JSON API."""

from __future__ import annotations

from typing import Any

import pytest

from leocdp.contracts.config_entries import decode_entry, source_config
from leocdp.contracts.topics import CONFIG
from tests.unit.admin.stack import API_KEY, OWNER, Client, Stack, until

SOURCES = "/api/v1/sources"


@pytest.fixture
def api(stack: Stack) -> Client:
    return stack.key()


async def create(api: Client, **body: Any) -> dict[str, Any]:
    response = await api("POST", SOURCES, json={"name": "Shop", **body})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


class TestSources:
    async def test_only_a_name_is_required(self, api: Client) -> None:
        source = await create(api)
        expected = {
            "name": "Shop",
            "kind": "browser",
            "origins": ["*"],
            "id_space": "default",
            "shared_device": False,
            "consent_policy": "not_needed",
            "enabled": True,
            "ip_policy": "keep",
            "version": 1,
        }
        assert {name: source[name] for name in expected} == expected
        assert len(source["write_key"]) >= 32
        assert await api.get(f"{SOURCES}/{source['id']}") == source

    async def test_the_list_goes_on_from_its_cursor(self, api: Client) -> None:
        for number in range(3):
            await create(api, name=f"Shop {number}")
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = await api.get(SOURCES, limit=2, **({"cursor": cursor} if cursor else {}))
            assert len(page["data"]) <= 2
            seen += [source["name"] for source in page["data"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert sorted(seen) == ["Shop 0", "Shop 1", "Shop 2", "quickstart"]

    async def test_a_change_keeps_id_and_key_and_raises_the_version(self, api: Client) -> None:
        source = await create(api)
        path = f"{SOURCES}/{source['id']}"
        answer = await api("PUT", path, json={**source, "name": "Shop 2", "origins": ["https://shop.vn"]})
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] == '"2"'
        changed = answer.json()
        assert (changed["id"], changed["write_key"]) == (source["id"], source["write_key"])
        assert (changed["name"], changed["origins"], changed["version"]) == ("Shop 2", ["https://shop.vn"], 2)

    async def test_if_match_guards(self, api: Client) -> None:
        source = await create(api)
        path = f"{SOURCES}/{source['id']}"
        response = await api("GET", path)
        assert response.headers["etag"] == '"1"'
        good = await api("PUT", path, json={"name": "A"}, headers={"if-match": '"1"'})
        assert good.status_code == 200
        late = await api("PUT", path, json={"name": "B"}, headers={"if-match": '"1"'})
        assert (late.status_code, late.json()["code"], late.headers["etag"]) == (412, "version_mismatch", '"2"')
        assert await api.error(412, "DELETE", path, headers={"if-match": '"1"'}) == "version_mismatch"
        assert await api.error(412, "POST", f"{path}/rotate", headers={"if-match": '"9"'}) == "version_mismatch"
        assert (await api("PUT", path, json={"name": "C"}, headers={"if-match": "*"})).status_code == 200
        assert await api.error(400, "PUT", path, json={"name": "D"}, headers={"if-match": "soon"}) == "unreadable"

    async def test_rotating_gives_another_key(self, api: Client) -> None:
        source = await create(api)
        answer = await api("POST", f"{SOURCES}/{source['id']}/rotate")
        assert answer.status_code == 200
        assert answer.json()["write_key"] != source["write_key"]

    async def test_deleting(self, api: Client) -> None:
        source = await create(api)
        path = f"{SOURCES}/{source['id']}"
        assert (await api("DELETE", path)).status_code == 204
        for method in ("GET", "DELETE", "PUT"):
            body = {"json": {"name": "x"}} if method == "PUT" else {}
            assert await api.error(404, method, path, **body) == "source_not_found"
        assert (await create(api))["id"] != source["id"]

    async def test_a_name_belongs_to_one(self, api: Client) -> None:
        await create(api)
        assert await api.error(409, "POST", SOURCES, json={"name": "Shop"}) == "source_exists"
        other = await create(api, name="Other")
        assert await api.error(409, "PUT", f"{SOURCES}/{other['id']}", json={"name": "Shop"}) == "source_exists"

    async def test_wrong_shapes_name_the_place(self, api: Client) -> None:
        cases: Any = [
            ({}, "name"),
            ({"name": ""}, "name"),
            ({"name": "  "}, "name"),
            ({"name": "x", "kind": "kiosk"}, "kind"),
            ({"name": "x", "origins": ["shop.vn"]}, "origins[0]"),
            ({"name": "x", "origins": ["*", "https://shop.vn/path"]}, "origins[1]"),
            ({"name": "x", "id_space": "No Space"}, "id_space"),
            ({"name": "x", "colour": "red"}, "colour"),
            ([], ""),
            ("text", ""),
        ]
        for body, path in cases:
            response = await api("POST", SOURCES, json=body)
            assert response.status_code == 422, response.text
            assert [detail["path"] for detail in response.json()["details"]] == [path]
            assert response.json()["details"][0]["problem"]

    async def test_what_is_no_json_is_400(self, api: Client) -> None:
        assert await api.error(400, "POST", SOURCES, content=b"{") == "unreadable"
        assert await api.error(400, "POST", SOURCES, content=b"\xff\xfe") == "unreadable"
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await api("POST", SOURCES, content=b'{"name": "x"}', headers=form)).status_code == 201
        assert await api.error(413, "POST", SOURCES, content=b" " * 1_048_577) == "body_too_large"

    async def test_changes_reach_the_configuration_topic(self, stack: Stack, api: Client) -> None:
        source = await create(api)
        await api("PUT", f"{SOURCES}/{source['id']}", json={"name": "Shop 2"})
        await api("DELETE", f"{SOURCES}/{source['id']}")
        log = stack.environment.log

        async def published() -> bool:
            records = await log.read(CONFIG, 0, 0, max_records=100)
            entries = [decode_entry(record.value or b"") for record in records]
            newest = [entry for entry in entries if entry.id == source["id"]]
            return bool(newest) and newest[-1].version == 3 and newest[-1].deleted

        await until(published)
        records = await log.read(CONFIG, 0, 0, max_records=100)
        assert {record.key for record in records} >= {b"source:quickstart", f"source:{source['id']}".encode()}
        quickstart = next(record for record in records if record.key == b"source:quickstart")
        config = source_config(decode_entry(quickstart.value or b""))
        assert (config.kind, config.write_key, config.authenticated) == ("server", "quickstart-write-key", True)


class TestKeys:
    async def test_a_secret_is_shown_once_and_works(self, stack: Stack, api: Client) -> None:
        made = await api("POST", "/api/v1/keys", json={"name": "CRM", "scopes": ["profiles:read", "profiles:read"]})
        assert made.status_code == 201
        key = made.json()
        assert key["secret"].startswith(f"lk_{key['id']}_")
        assert (key["scopes"], key["state"], key["expires_at"]) == (["profiles:read"], "active", None)
        listed = await api.get("/api/v1/keys")
        assert key["secret"] not in str(listed)
        assert {row["name"] for row in listed["data"]} == {"CRM", "bootstrap"}

        found = await stack.gateway("POST", "/internal/authenticate", json={"key": key["secret"]})
        assert found.json() == {"id": key["id"], "name": "CRM", "scopes": ["profiles:read"], "expires_at": None}
        assert (await api("DELETE", f"/api/v1/keys/{key['id']}")).status_code == 204
        body = {"key": key["secret"]}
        assert await stack.gateway.error(401, "POST", "/internal/authenticate", json=body) == "unknown_key"
        assert await api.error(404, "DELETE", "/api/v1/keys/unknown") == "key_not_found"

    async def test_keys_end(self, stack: Stack, api: Client) -> None:
        body = {"name": "Soon", "scopes": ["admin"], "expires_at": "2999-01-01T00:00:00Z"}
        key = (await api("POST", "/api/v1/keys", json=body)).json()
        assert key["expires_at"] == "2999-01-01T00:00:00.000Z"
        stack.clock.ahead = 40_000_000_000_000
        sent = {"key": key["secret"]}
        assert await stack.gateway.error(401, "POST", "/internal/authenticate", json=sent) == "unknown_key"
        states = {row["name"]: row["state"] for row in (await api.get("/api/v1/keys"))["data"]}
        assert states == {"Soon": "expired", "bootstrap": "active"}

    async def test_the_bootstrap_key_has_every_scope(self, stack: Stack, api: Client) -> None:
        found = (await stack.gateway("POST", "/internal/authenticate", json={"key": API_KEY})).json()
        assert {"profiles:read", "profiles:write", "segments:write", "privacy:write", "admin"} <= set(found["scopes"])

    async def test_last_use_is_told_by_the_gateway(self, stack: Stack, api: Client) -> None:
        [key] = (await api.get("/api/v1/keys"))["data"]
        assert key["last_used_at"] is None
        body = {"used": {key["id"]: stack.clock.now() + 999_999_999, "unknown": 5}}
        assert (await stack.gateway("POST", "/internal/keys/used", json=body)).status_code == 204
        [key] = (await api.get("/api/v1/keys"))["data"]
        assert key["last_used_at"][:4] < "2998"

    async def test_wrong_shapes(self, api: Client) -> None:
        cases: Any = [
            {"name": "x"},
            {"name": "x", "scopes": []},
            {"name": "x", "scopes": ["everything"]},
            {"name": "x", "scopes": ["admin"], "expires_at": "2001-01-01T00:00:00Z"},
            {"name": "x", "scopes": ["admin"], "expires_at": "soon"},
        ]
        for body in cases:
            assert await api.error(422, "POST", "/api/v1/keys", json=body) == "invalid"

    async def test_nobody_gives_more_than_they_have(self, stack: Stack) -> None:
        admin = stack.key("admin")
        body = {"name": "x", "scopes": ["admin", "profiles:read"]}
        response = await admin("POST", "/api/v1/keys", json=body)
        assert response.status_code == 422
        assert response.json()["details"] == [{"path": "scopes[1]", "problem": "is more than you have yourself"}]


class TestUsers:
    async def test_inviting_somebody(self, stack: Stack, api: Client) -> None:
        made = await api("POST", "/api/v1/users", json={"email": " Lan@Example.vn", "role": "marketer"})
        assert made.status_code == 201
        user = made.json()
        unchanged = await api("PUT", f"/api/v1/users/{user['id']}", json=user)
        assert (unchanged.status_code, unchanged.json()["status"]) == (200, "invited")
        assert (user["email"], user["status"], user["role"]) == ("lan@example.vn", "invited", "marketer")
        token = user["invitation"].partition("/welcome?token=")[2]
        users = stack.environment.services.users
        welcome = await users.welcome(token)
        assert welcome is not None
        assert (welcome.kind, welcome.email) == ("invitation", "lan@example.vn")
        await users.accept(token, password="chosen by lan")
        assert await users.welcome(token) is None
        assert (await api.get(f"/api/v1/users/{user['id']}"))["status"] == "active"
        session = await stack.environment.services.sessions.login("LAN@example.vn ", "chosen by lan")
        assert session.user.id == user["id"]

    async def test_changing_and_deleting(self, stack: Stack, api: Client) -> None:
        body = {"email": "b@example.vn", "password": "0123456789"}
        user = (await api("POST", "/api/v1/users", json=body)).json()
        assert user["invitation"] is None
        path = f"/api/v1/users/{user['id']}"
        answer = await api("PUT", path, json={**user, "role": "marketer"}, headers={"if-match": '"1"'})
        assert (answer.status_code, answer.json()["role"]) == (200, "marketer")
        answer = await api("PUT", path, json={"language": "vi"}, headers={"if-match": '"2"'})
        assert (answer.json()["role"], answer.json()["language"], answer.headers["etag"]) == ("marketer", "vi", '"3"')
        assert await api.error(412, "PUT", path, json={}, headers={"if-match": '"1"'}) == "version_mismatch"
        assert (await api("DELETE", path)).status_code == 204
        assert await api.error(404, "GET", path) == "user_not_found"
        assert await api.error(404, "DELETE", path) == "user_not_found"

    async def test_the_last_owner_stays(self, stack: Stack, api: Client) -> None:
        [owner] = (await api.get("/api/v1/users"))["data"]
        path = f"/api/v1/users/{owner['id']}"
        assert await api.error(409, "DELETE", path) == "last_owner"
        assert await api.error(409, "PUT", path, json={"role": "viewer"}) == "last_owner"
        assert await api.error(409, "PUT", path, json={"status": "disabled"}) == "last_owner"

    async def test_disabling_ends_sessions(self, stack: Stack, api: Client) -> None:
        viewer = await stack.person("viewer")
        assert (await viewer("GET", "/api/v1/status")).status_code == 200
        found = [row for row in (await api.get("/api/v1/users"))["data"] if row["role"] == "viewer"]
        await api("PUT", f"/api/v1/users/{found[0]['id']}", json={"status": "disabled"})
        assert await viewer.error(401, "GET", "/api/v1/status") == "unauthenticated"

    async def test_wrong_shapes(self, api: Client) -> None:
        cases: Any = [
            {},
            {"email": "nobody"},
            {"email": "a b@example.vn"},
            {"email": "a@example.vn", "role": "king"},
            {"email": "a@example.vn", "password": "short"},
            {"email": "a@example.vn", "language": "fr"},
        ]
        for body in cases:
            assert await api.error(422, "POST", "/api/v1/users", json=body) == "invalid"

    async def test_an_address_belongs_to_one(self, api: Client) -> None:
        assert await api.error(409, "POST", "/api/v1/users", json={"email": OWNER[0].upper()}) == "user_exists"


class TestSettings:
    async def test_identity(self, api: Client) -> None:
        path = "/api/v1/settings/identity"
        rules = await api.get(path)
        assert rules["version"] == 0
        assert rules["kinds"]["email"]["limit"] == 5
        answer = await api("PUT", path, json={**rules, "phone_region": "TH"}, headers={"if-match": '"0"'})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["phone_region"], answer.headers["etag"]) == ("TH", '"1"')
        assert await api.error(412, "PUT", path, json={}, headers={"if-match": '"0"'}) == "version_mismatch"
        wrong = {"kinds": {"email": {"limit": 0}}, "phone_region": "Mars", "colour": 1}
        response = await api("PUT", path, json=wrong)
        assert response.status_code == 422
        paths = {detail["path"] for detail in response.json()["details"]}
        assert paths == {"kinds.email.limit", "phone_region", "colour"}

    async def test_consent_purposes(self, stack: Stack, api: Client) -> None:
        path = "/api/v1/settings/consent"
        assert [one["id"] for one in (await api.get(path))["purposes"]] == [
            *("analytics", "marketing", "personalization", "sharing")
        ]
        body = {"purposes": [{"id": "newsletter"}, {"id": "sms", "name": "Text messages"}]}
        answer = await api("PUT", path, json=body)
        assert answer.json()["purposes"][0] == {"id": "newsletter", "name": "newsletter", "description": ""}
        assert list(await stack.environment.services.in_force.purposes()) == ["newsletter", "sms"]
        twice = {"purposes": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}
        response = await api("PUT", path, json=twice)
        assert (response.status_code, response.json()["details"][0]["path"]) == (422, "purposes[2].id")
        assert await api.error(422, "PUT", path, json={"purposes": []}) == "invalid"
        assert await api.error(422, "PUT", path, json={"purposes": [{"id": "No"}]}) == "invalid"

    async def test_workspace(self, stack: Stack, api: Client) -> None:
        path = "/api/v1/settings/workspace"
        assert (await api.get(path))["time_zone"] == "UTC"
        body = {"name": "Shop", "time_zone": "Asia/Ho_Chi_Minh", "language": "vi", "currency": "USD"}
        answer = await api("PUT", path, json=body)
        assert {name: answer.json()[name] for name in body} == body
        response = await api("PUT", path, json={**body, "time_zone": "Asia/Atlantis"})
        assert (response.status_code, response.json()["details"][0]["path"]) == (422, "time_zone")
        assert await api.error(422, "PUT", path, json={**body, "currency": "dollars"}) == "invalid"

    async def test_metrics(self, api: Client) -> None:
        path = "/api/v1/settings/metrics"
        assert (await api.get(path))["metrics"]["purchase"]["points"] == 27
        answer = await api("PUT", path, json={"metrics": {"purchase": {"points": 40}, "like": None}})
        assert answer.status_code == 200, answer.text
        found = await api.get(path)
        assert (found["metrics"]["purchase"]["points"], found["metrics"]["like"]) == (40, None)
        again = await api("PUT", path, json=found, headers={"If-Match": f'"{found["version"]}"'})
        assert (again.status_code, again.json()["metrics"]) == (200, found["metrics"])
        response = await api("PUT", path, json={"metrics": {"purchase": {"points": "many"}}})
        assert (response.status_code, response.json()["details"][0]["path"]) == (422, "metrics.purchase.points")

    async def test_settings_are_published(self, stack: Stack, api: Client) -> None:
        await api("PUT", "/api/v1/settings/identity", json={"phone_region": "TH"})

        async def published() -> bool:
            records = await stack.environment.log.read(CONFIG, 0, 0, max_records=100)
            return any(record.key == b"identity_rules:default" for record in records)

        await until(published)


class TestAudit:
    async def test_who_did_what(self, api: Client) -> None:
        source = await create(api)
        await api("POST", f"{SOURCES}/{source['id']}/rotate")
        rows = (await api.get("/api/v1/audit", action="source."))["data"]
        assert [(row["action"], row["target"]) for row in rows] == [
            ("source.rotate", source["id"]),
            ("source.create", source["id"]),
            ("source.create", "quickstart"),
        ]
        assert (rows[0]["actor"], rows[2]["actor"]) == ("key:k1", "system")

    async def test_it_is_read_in_parts(self, api: Client) -> None:
        first = await api.get("/api/v1/audit", limit=1)
        second = await api.get("/api/v1/audit", limit=1, cursor=first["next"])
        assert int(second["data"][0]["id"]) < int(first["data"][0]["id"])
        assert (await api.get("/api/v1/audit", to="2001-01-01T00:00:00Z"))["data"] == []
        assert await api.error(422, "GET", "/api/v1/audit?cursor=x") == "invalid"

    async def test_scopes_of_administration(self, stack: Stack) -> None:
        reader = stack.key("sources:read", "settings:read")
        assert (await reader.get(SOURCES))["data"]
        assert await reader.error(403, "POST", SOURCES, json={"name": "x"}) == "missing_scope"
        for path in ("/api/v1/keys", "/api/v1/users", "/api/v1/audit"):
            assert await reader.error(403, "GET", path) == "missing_scope"
        assert (await reader("GET", "/api/v1/settings/identity")).status_code == 200
        assert await reader.error(403, "PUT", "/api/v1/settings/identity", json={}) == "missing_scope"
        assert await stack.key("admin").error(403, "GET", SOURCES) == "missing_scope"


async def test_without_a_profile_store_people_are_503_and_sources_go_on(stack: Stack, api: Client) -> None:
    response = await api("GET", "/api/v1/profiles/user_id:u-1")
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json()["code"] == "store_unavailable"
    assert (await api.get(SOURCES))["data"]
    status = await api.get("/api/v1/status")
    assert (status["counts"], status["lag"]) == (None, None)
    assert {row["lag"] for row in status["log"]} == {None}
    assert status["services"][0]["reasons"]


async def test_addresses_that_are_none(api: Client) -> None:
    assert await api.error(404, "GET", "/api/v1/planets") == "not_found"
    assert await api.error(405, "DELETE", "/api/v1/status") == "method_not_allowed"


async def test_the_document_of_the_api_is_whole(stack: Stack) -> None:
    document = await stack.anyone.get("/api/v1/openapi.json")
    paths = document["paths"]
    for path in ("/profiles/{ref}", "/profiles/lookup", "/events/recent", "/sources/{source_id}", "/status", "/keys"):
        assert f"/api/v1{path}" in paths
    assert not [path for path in paths if "/internal" in path or "/healthz" in path]
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation.get("tags"), (path, method)
            assert operation["security"] == [{"HTTPBearer": []}], (path, method)
            for status in ("401", "403", "422"):
                schema = operation["responses"][status]["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}, (path, method)
