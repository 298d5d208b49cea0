"""What the gateway itself asks of admin, signed like everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from leocdp.contracts.principal import HEADER, Principal, sign
from leocdp.kit.logs import get_logger
from leocdp.ports.clock import Clock
from leocdp_gateway.refusals import AdminUnavailable

TIMEOUT: Final = httpx.Timeout(5.0)
PROBE_TIMEOUT: Final = httpx.Timeout(2.0)

log = get_logger(__name__)


class ApiKey(msgspec.Struct, frozen=True):
    """A key that admin knows. ``expires_at`` is ISO 8601 UTC."""

    id: str
    name: str
    scopes: tuple[str, ...]
    expires_at: str | None = None


class _Failure(msgspec.Struct):
    code: str = ""
    message: str = ""


class Admin:
    def __init__(self, client: httpx.AsyncClient, secret: bytes, clock: Clock) -> None:
        """``client`` has the address of admin as its base URL."""
        self._client = client
        self._secret = secret
        self._clock = clock

    async def authenticate(self, key: str) -> ApiKey | None:
        """The key's facts, None when admin does not know it. Raises AdminUnavailable."""
        response = await self._post("/internal/authenticate", {"key": key})
        if response.status_code == 200:
            try:
                return msgspec.json.decode(response.content, type=ApiKey)
            except msgspec.MsgspecError as error:
                raise self._unusable(f"an answer that cannot be read ({error})") from error
        failure = _failure(response)
        if response.status_code == 401 and failure.code != "not_from_gateway":
            return None
        raise self._unusable(f"{response.status_code} {failure.code}: {failure.message}")

    async def keys_used(self, used: Mapping[str, int]) -> None:
        """Tell when keys were used last, in ms UTC. Raises AdminUnavailable."""
        response = await self._post("/internal/keys/used", {"used": used})
        if not response.is_success:
            raise self._unusable(f"{response.status_code} {_failure(response).code}")

    async def problem(self) -> str:
        """Why admin cannot be used now; empty when it is alive."""
        try:
            response = await self._client.get("/healthz", timeout=PROBE_TIMEOUT)
        except httpx.HTTPError as error:
            return f"it cannot be reached ({type(error).__name__})"
        return "" if response.is_success else f"it answers {response.status_code}"

    async def _post(self, path: str, content: object) -> httpx.Response:
        body = msgspec.json.encode(content)
        principal = sign(
            Principal(kind="gateway"),
            method="POST",
            path=path,
            query="",
            body=body,
            secret=self._secret,
            now=self._clock.now(),
        )
        headers = {HEADER: principal, "content-type": "application/json"}
        try:
            return await self._client.post(path, content=body, headers=headers, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            raise AdminUnavailable("The admin service cannot be reached. Try again in a moment.") from error

    def _unusable(self, why: str) -> AdminUnavailable:
        log.error("admin_unusable", reason=why)
        return AdminUnavailable("The admin service cannot check API keys now. Try again in a moment.")


def _failure(response: httpx.Response) -> _Failure:
    try:
        return msgspec.json.decode(response.content, type=_Failure)
    except msgspec.MsgspecError:
        return _Failure()
