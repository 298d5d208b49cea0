"""How commands reach the JSON API: through the gateway with an API key, or admin itself on its own machine."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import httpx
from pydantic import Field, SecretStr

from leocdp.contracts.principal import HEADER, Principal, sign
from leocdp.kit.settings import ServiceSettings, read_secret
from leocdp_cli.failure import CommandFailed, Unreachable
from leocdp_cli.supervisor.data_dir import GATEWAY_SECRET
from leocdp_cli.supervisor.readiness import base_url

TIMEOUT_SECONDS = 60.0


class ConnectionSettings(ServiceSettings):
    url: str = Field(default="", description="Address of the gateway, for commands; default this machine.")
    gateway_port: int = Field(default=8000, ge=1, le=65535, description="Port of the gateway on this machine.")
    api_key: SecretStr | None = Field(
        default=None, description="API key of commands; without one they ask admin directly, on its own machine."
    )
    admin_port: int = Field(default=8090, ge=1, le=65535, description="Port of admin.")
    gateway_secret: SecretStr | None = Field(default=None, description="What gateway and admin sign principals with.")
    gateway_secret_file: Path | None = Field(default=None, description="File that holds the gateway secret.")

    @property
    def gateway_url(self) -> str:
        return self.url or f"http://localhost:{self.gateway_port}"

    def secret(self) -> str | None:
        """The gateway's secret, from the settings or the data folder; None on another machine."""
        made = self.data_dir / "secrets" / GATEWAY_SECRET
        file = self.gateway_secret_file or (made if made.exists() and self.gateway_secret is None else None)
        found = read_secret(self.gateway_secret, file)
        return found.get_secret_value() if found else None


class SignedAsOperator(httpx.Auth):
    """Signs each request as the command line, with the secret that only admin's machine and the gateway have."""

    requires_request_body = True

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[HEADER] = sign(
            Principal(kind="cli", client="127.0.0.1"),
            method=request.method,
            path=request.url.raw_path.partition(b"?")[0].decode("ascii"),
            query=request.url.query.decode("ascii"),
            body=request.content,
            secret=self._secret,
            now=time.time_ns() // 1_000_000,
        )
        yield request


class Api:
    """The JSON API under ``/api/v1``. Every problem becomes CommandFailed with the server's own words."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return self._call("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._call("POST", path, json=body if body is not None else {})

    def put(self, path: str, body: Mapping[str, Any], version: int | None = None) -> Any:
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return self._call("PUT", path, json=body, headers=headers)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def every(self, path: str, params: Mapping[str, Any] | None = None) -> list[Any]:
        """All rows of a list, page by page."""
        rows: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(path, {**(params or {}), "limit": 200, **({"cursor": cursor} if cursor else {})})
            rows.extend(page["data"])
            cursor = page.get("next")
            if not cursor:
                return rows

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._client.request(method, f"/api/v1{path}", **options)
        except httpx.HTTPError as error:
            where = self._client.base_url
            raise Unreachable(f"{where} cannot be reached ({error}). Is LEO CDP running there?") from error
        if answer.is_success:
            return answer.json() if answer.content else None
        raise CommandFailed(problem(answer))


def problem(answer: httpx.Response) -> str:
    """The server's sentence, with the places it names."""
    try:
        body = answer.json()
        lines = [f"{body['message']} ({body['code']})"]
    except (ValueError, KeyError, TypeError):
        return f"The server answered {answer.status_code} without saying why."
    lines += [f"  {each.get('path')}: {each.get('problem')}" for each in body.get("details") or ()]
    return "\n".join(lines)


def connect(url: str = "", api_key: str = "") -> Api:
    """Options of the command line win over the settings. Raises CommandFailed when nothing proves who asks."""
    settings = ConnectionSettings()
    key = api_key or (settings.api_key.get_secret_value() if settings.api_key else "")
    if key:
        headers = {"Authorization": f"Bearer {key}"}
        return Api(httpx.Client(base_url=url or settings.gateway_url, headers=headers, timeout=TIMEOUT_SECONDS))
    secret = settings.secret()
    if secret is None:
        raise CommandFailed(
            "Who are you? Give an API key with --api-key or LEOCDP_API_KEY, "
            "or run this on the machine of admin with its LEOCDP_DATA_DIR.",
            2,
        )
    return connect_locally(base_url(settings.host, settings.admin_port), secret)


def connect_locally(admin_url: str, secret: str) -> Api:
    """Admin itself, as the operator of its machine."""
    client = httpx.Client(base_url=admin_url, auth=SignedAsOperator(secret), timeout=TIMEOUT_SECONDS, trust_env=False)
    return Api(client)
