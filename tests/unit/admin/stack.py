"""A real admin on embedded files, beside a real processor where a test needs people, asked as the gateway asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from leocdp.contracts.principal import HEADER, Principal, sign
from leocdp_admin.app import create_app
from leocdp_admin.application.actor import SCOPES
from leocdp_admin.application.passwords import Passwords
from leocdp_admin.auth.csrf import csrf_token
from leocdp_admin.auth.current import COOKIE
from leocdp_admin.environment import Environment
from leocdp_admin.settings import AdminSettings

SECRET = "s" * 40
API_KEY = "bootstrap-api-key-1"
OWNER = ("owner@example.vn", "a long password")
NOBODY_LISTENS = "http://127.0.0.1:9"


class TestClock:
    """The real time, moved by a test."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> int:
        import time

        return time.time_ns() // 1_000_000 + self.ahead


@dataclass
class Client:
    """Signs requests as the gateway does. ``sent`` of a person: the session cookie and, on changes, the CSRF token."""

    http: httpx.AsyncClient
    principal: Principal
    clock: TestClock
    session: str = ""
    csrf: bool = True

    async def __call__(self, method: str, path: str, **given: Any) -> httpx.Response:
        request = self.http.build_request(method, path, **given)
        if self.session:
            request.headers["cookie"] = f"{COOKIE}={self.session}"
            if self.csrf:
                request.headers["x-csrf-token"] = csrf_token(self.session)
        request.headers[HEADER] = signed(request, self.principal, self.clock.now())
        return await self.http.send(request)

    async def get(self, path: str, **params: Any) -> Any:
        response = await self("GET", path, params=params or None)
        assert response.status_code == 200, response.text
        return response.json()

    async def error(self, status: int, method: str, path: str, **given: Any) -> str:
        """The code of the error that is expected; checks its shape."""
        response = await self(method, path, **given)
        assert response.status_code == status, response.text
        body = response.json()
        assert set(body) <= {"code", "message", "details"}
        assert body["message"]
        return str(body["code"])


def signed(request: httpx.Request, principal: Principal, now: int, secret: str = SECRET) -> str:
    path, _, query = request.url.raw_path.decode().partition("?")
    return sign(
        principal,
        method=request.method,
        path=path,
        query=query,
        body=request.content,
        secret=secret.encode(),
        now=now,
    )


@dataclass
class Stack:
    environment: Environment
    app: FastAPI
    http: httpx.AsyncClient
    clock: TestClock
    data_dir: Path
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def anyone(self) -> Client:
        """A browser without a session."""
        return Client(self.http, Principal(kind="ui", client="203.0.113.7"), self.clock)

    @property
    def gateway(self) -> Client:
        return Client(self.http, Principal(kind="gateway"), self.clock)

    def key(self, *scopes: str) -> Client:
        """A program whose key has these scopes; none given: all."""
        principal = Principal(kind="key", key_id="k1", scopes=scopes or SCOPES, client="203.0.113.8")
        return Client(self.http, principal, self.clock)

    async def person(self, role: str) -> Client:
        """Somebody who is signed in with the role."""
        email = f"{role}@example.vn"
        if role != "owner" and role not in self.tokens:
            body = {"email": email, "role": role, "password": OWNER[1], "name": f"The {role}"}
            assert (await self.key()("POST", "/api/v1/users", json=body)).status_code == 201
        if role not in self.tokens:
            self.tokens[role] = (await self.environment.services.sessions.login(email, OWNER[1])).token
        client = self.anyone
        client.session = self.tokens[role]
        return client


@asynccontextmanager
async def admin(data_dir: Path, **settings: Any) -> AsyncIterator[Stack]:
    given: dict[str, Any] = {
        "gateway_secret": SECRET,
        "bootstrap_api_key": API_KEY,
        "bootstrap_write_key": "quickstart-write-key",
        "bootstrap_admin_email": OWNER[0],
        "bootstrap_admin_password": OWNER[1],
        "status_observer_urls": NOBODY_LISTENS,
        "status_processor_urls": NOBODY_LISTENS,
        "status_gateway_urls": NOBODY_LISTENS,
    }
    clock = TestClock()
    environment = Environment(
        AdminSettings(data_dir=data_dir, **{**given, **settings}),
        clock=clock,
        passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)),
    )
    app = create_app(environment)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://admin") as http,
    ):
        yield Stack(environment, app, http, clock, data_dir)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Poll with a deadline."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.02)


def texts(value: Any) -> str:
    """A whole JSON answer as one text, to look for what must not be in it."""
    return json.dumps(value, ensure_ascii=False)
