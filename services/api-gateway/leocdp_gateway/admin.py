"""What the gateway itself asks of admin, signed like everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from leocdp.contracts.principal import HEADER, Principal, sign
from leocdp.kit.logs import get_logger
from leocdp.ports.clock import Clock
from leocdp_gateway.headers import RawHeaders
from leocdp_gateway.refusals import AdminUnavailable
from leocdp_gateway.upstream import Upstream, UpstreamError, UpstreamRequest

ANSWER_SECONDS: Final = 5.0
PROBE_SECONDS: Final = 2.0
LARGEST_ANSWER: Final = 1 << 20
KNOCK: Final = "/internal/knock"

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
    def __init__(self, upstream: Upstream, secret: bytes, clock: Clock) -> None:
        self._upstream = upstream
        self._secret = secret
        self._clock = clock

    async def authenticate(self, key: str) -> ApiKey | None:
        """The key's facts, None when admin does not know it. Raises AdminUnavailable."""
        status, content = await self._post("/internal/authenticate", {"key": key})
        if status == 200:
            try:
                return msgspec.json.decode(content, type=ApiKey)
            except msgspec.MsgspecError as error:
                raise self._unusable(f"an answer that cannot be read ({error})") from error
        failure = _failure(content)
        if status == 401 and failure.code != "not_from_gateway":
            return None
        raise self._unusable(f"{status} {failure.code}: {failure.message}")

    async def keys_used(self, used: Mapping[str, int]) -> None:
        """Tell when keys were used last, in ms UTC. Raises AdminUnavailable."""
        status, content = await self._post("/internal/keys/used", {"used": used})
        if not 200 <= status < 300:
            raise self._unusable(f"{status} {_failure(content).code}")

    async def problem(self) -> str:
        """Why admin cannot be used now; empty when it answers what this gateway has signed."""
        try:
            status, content = await self._ask(self._signed("GET", KNOCK, None), PROBE_SECONDS)
        except (UpstreamError, TimeoutError) as error:
            return f"it cannot be reached ({type(error).__name__}). Start it, or check LEOCDP_GATEWAY_ADMIN_URL."
        # An admin of the version before has no such path: it has accepted the signature all the same.
        if 200 <= status < 300 or status == 404:
            return ""
        return _failure(content).message or f"it answers {status}"

    async def _post(self, path: str, content: object) -> tuple[int, bytes]:
        request = self._signed("POST", path, msgspec.json.encode(content))
        try:
            return await self._ask(request, ANSWER_SECONDS)
        except (UpstreamError, TimeoutError) as error:
            raise AdminUnavailable("The admin service cannot be reached. Try again in a moment.") from error

    def _signed(self, method: str, path: str, body: bytes | None) -> UpstreamRequest:
        signature = sign(
            Principal(kind="gateway"),
            method=method,
            path=path,
            query="",
            body=body or b"",
            secret=self._secret,
            now=self._clock.now(),
        )
        headers: RawHeaders = [(b"host", self._upstream.authority), (HEADER.encode(), signature.encode())]
        if body is not None:
            headers.append((b"content-type", b"application/json"))
        return UpstreamRequest(method, path.encode(), headers, body or b"")

    async def _ask(self, request: UpstreamRequest, seconds: float) -> tuple[int, bytes]:
        """Status and body."""
        async with asyncio.timeout(seconds), self._upstream.exchange(request) as answer:
            content = b""
            async for chunk in answer.body(seconds):
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise UpstreamError("the answer is too long")
            return answer.status, content

    def _unusable(self, why: str) -> AdminUnavailable:
        log.error("admin_unusable", reason=why)
        return AdminUnavailable("The admin service cannot check API keys now. Try again in a moment.")


def _failure(content: bytes) -> _Failure:
    try:
        return msgspec.json.decode(content, type=_Failure)
    except msgspec.MsgspecError:
        return _Failure()
