"""Logging in, staying so, and what a person may do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from leocdp_admin.application.errors import RequestError, TooManyAttempts, Unauthenticated
from leocdp_admin.application.sessions import ABSOLUTE_MS, IDLE_MS, Sessions
from leocdp_admin.auth.csrf import csrf_token
from tests.unit.admin.stack import OWNER, Stack

MINUTE = 60_000


@pytest.fixture
def sessions(stack: Stack) -> Sessions:
    return stack.environment.services.sessions


async def test_a_login_gives_a_session_of_its_own(stack: Stack, sessions: Sessions) -> None:
    first, second = await sessions.login(*OWNER), await sessions.login(*OWNER)
    assert first.token != second.token
    assert len(first.token) >= 43
    found = await sessions.authenticate(first.token)
    assert found is not None
    assert (found.actor.role, found.user.email) == ("owner", OWNER[0])
    assert await sessions.authenticate("guess") is None
    assert await sessions.authenticate("") is None


async def test_only_the_hash_of_a_token_is_kept(stack: Stack, sessions: Sessions) -> None:
    made = await sessions.login(*OWNER)
    stored = b"".join(path.read_bytes() for path in stack.data_dir.glob("admin.db*"))
    assert made.token.encode() not in stored
    assert OWNER[1].encode() not in stored
    assert b"$argon2id$" in stored


async def test_logging_in_again_ends_the_session_before(sessions: Sessions) -> None:
    first = await sessions.login(*OWNER)
    second = await sessions.login(*OWNER, previous=first.token)
    assert await sessions.authenticate(first.token) is None
    assert await sessions.authenticate(second.token) is not None


async def test_a_session_ends_by_will_by_rest_and_by_age(stack: Stack, sessions: Sessions) -> None:
    made = await sessions.login(*OWNER)
    await sessions.logout(made.token)
    await sessions.logout(made.token)
    assert await sessions.authenticate(made.token) is None

    made = await sessions.login(*OWNER)
    stack.clock.ahead = IDLE_MS - MINUTE
    assert await sessions.authenticate(made.token) is not None
    stack.clock.ahead += IDLE_MS - MINUTE
    assert await sessions.authenticate(made.token) is not None
    stack.clock.ahead += IDLE_MS + MINUTE
    assert await sessions.authenticate(made.token) is None

    made = await sessions.login(*OWNER)
    began = stack.clock.ahead
    while stack.clock.ahead < began + ABSOLUTE_MS - IDLE_MS:
        stack.clock.ahead += IDLE_MS // 2
        assert await sessions.authenticate(made.token) is not None
    stack.clock.ahead = began + ABSOLUTE_MS
    assert await sessions.authenticate(made.token) is None


async def failing(sessions: Sessions, email: str, password: str = "wrong password") -> type[RequestError]:
    try:
        await sessions.login(email, password)
    except RequestError as error:
        return type(error)
    raise AssertionError("it let somebody in")


async def test_ten_failures_close_an_account_until_they_age(stack: Stack, sessions: Sessions) -> None:
    assert [await failing(sessions, OWNER[0].upper()) for _ in range(10)] == [Unauthenticated] * 10
    assert await failing(sessions, *OWNER) is TooManyAttempts
    assert await failing(sessions, "other@example.vn") is Unauthenticated
    stack.clock.ahead = 14 * MINUTE
    assert await failing(sessions, *OWNER) is TooManyAttempts
    stack.clock.ahead = 16 * MINUTE
    assert (await sessions.login(*OWNER)).user.email == OWNER[0]


async def test_attempts_side_by_side_do_not_pass_the_limit(sessions: Sessions) -> None:
    results = await asyncio.gather(*(failing(sessions, OWNER[0]) for _ in range(30)))
    assert results.count(Unauthenticated) == 10
    assert results.count(TooManyAttempts) == 20


async def test_unknown_accounts_are_limited_alike(sessions: Sessions) -> None:
    """Else a limit would tell who is there."""
    results = [await failing(sessions, "nobody@example.vn") for _ in range(11)]
    assert results == [Unauthenticated] * 10 + [TooManyAttempts]


async def test_good_logins_do_not_count_as_failures(sessions: Sessions) -> None:
    for _ in range(12):
        await sessions.login(*OWNER)
    for _ in range(9):
        await failing(sessions, OWNER[0])
    assert (await sessions.login(*OWNER)).token


async def test_an_unknown_account_costs_the_same_work(stack: Stack, sessions: Sessions) -> None:
    verified: list[str] = []
    passwords = stack.environment.services.sessions._passwords
    genuine = passwords._verify

    def counted(password_hash: str, password: str) -> bool:
        verified.append(password_hash)
        return genuine(password_hash, password)

    passwords._verify = counted  # type: ignore[method-assign]
    await failing(sessions, "nobody@example.vn")
    await failing(sessions, OWNER[0])
    assert [bool(password_hash) for password_hash in verified] == [False, True]


async def test_nobody_logs_in_without_having_chosen_a_password(stack: Stack, sessions: Sessions) -> None:
    await stack.key()("POST", "/api/v1/users", json={"email": "invited@example.vn"})
    for password in ("", "anything at all"):
        assert await failing(sessions, "invited@example.vn", password) is Unauthenticated


async def test_logins_are_in_the_audit_log_and_counted(stack: Stack, sessions: Sessions) -> None:
    await sessions.login(*OWNER, client="203.0.113.7")
    await failing(sessions, OWNER[0])
    rows = (await stack.key().get("/api/v1/audit", action="user."))["data"]
    assert [row["action"] for row in rows][:2] == ["user.login_failed", "user.login"]
    assert rows[1]["client"] == "203.0.113.7"
    exposed = stack.environment.metrics.expose().body.decode()
    assert 'leocdp_admin_logins_total{result="ok"} 1.0' in exposed
    assert 'leocdp_admin_logins_total{result="failed"} 1.0' in exposed


class TestCsrf:
    async def test_a_change_by_cookie_needs_the_token(self, stack: Stack) -> None:
        owner = await stack.person("owner")
        path, body = "/api/v1/sources", {"name": "x"}
        owner.csrf = False
        assert await owner.error(403, "POST", path, json=body) == "csrf"
        for wrong in ("", "0" * 64, csrf_token("another session")):
            headers = {"x-csrf-token": wrong}
            assert await owner.error(403, "POST", path, json=body, headers=headers) == "csrf"
        assert (await owner("GET", path)).status_code == 200
        owner.csrf = True
        assert (await owner("POST", path, json=body)).status_code == 201

    async def test_another_site_is_refused_even_with_the_token(self, stack: Stack) -> None:
        owner = await stack.person("owner")
        for site in ("cross-site", "same-site"):
            headers = {"sec-fetch-site": site}
            assert await owner.error(403, "POST", "/api/v1/sources", json={"name": "x"}, headers=headers) == "csrf"
        for method, path in (("DELETE", "/api/v1/sources/quickstart"), ("PUT", "/api/v1/settings/workspace")):
            owner.csrf = False
            assert await owner.error(403, method, path) == "csrf"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("owner", {"sources", "users", "keys", "audit", "settings/identity", "put workspace", "create source"}),
        ("marketer", {"sources", "settings/identity", "create source"}),
        ("viewer", {"settings/identity"}),
    ],
)
async def test_what_roles_may_do(stack: Stack, role: str, allowed: set[str]) -> None:
    person = await stack.person(role)
    workspace = {"name": "x", "time_zone": "UTC", "language": "en", "currency": "VND"}
    asked: dict[str, tuple[str, str, dict[str, Any]]] = {
        **{name: ("GET", name, {}) for name in ("sources", "users", "keys", "audit", "settings/identity")},
        "put workspace": ("PUT", "settings/workspace", {"json": workspace}),
        "create source": ("POST", "sources", {"json": {"name": "x"}}),
    }
    granted = set()
    for name, (method, path, given) in asked.items():
        response = await person(method, f"/api/v1/{path}", **given)
        assert response.status_code in (200, 201, 403), (name, response.text)
        if response.status_code == 403:
            assert response.json()["code"] == "role_not_allowed"
        else:
            granted.add(name)
    assert granted == allowed
