"""Only what the gateway has signed gets in."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leocdp.contracts.principal import HEADER, UNHASHED, Principal, PrincipalRefused, body_hash, verify
from leocdp.kit.web import error_response
from leocdp.ports.clock import Clock

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
INTERNAL: Final = "/internal/"
LARGEST_BODY: Final = 1_048_576


class GatewayOnly:
    """Puts the :class:`Principal` into the request's state, or answers 401; 413 for a body over 1 MiB."""

    def __init__(self, app: ASGIApp, secret: bytes, clock: Clock) -> None:
        self._app = app
        self._secret = secret
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in OPEN_PATHS):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError("the admin service speaks http only")
        try:
            principal, hashed = self._verify(scope)
        except PrincipalRefused as error:
            await error_response(401, "not_from_gateway", str(error))(scope, receive, send)
            return
        if (principal.kind == "gateway") != scope["path"].startswith(INTERNAL):
            await error_response(401, "not_from_gateway", _WRONG_KIND)(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            text = f"The body is larger than {LARGEST_BODY} bytes."
            await error_response(413, "body_too_large", text)(scope, receive, send)
            return
        if hashed != UNHASHED and hashed != body_hash(body):
            await error_response(401, "not_from_gateway", _OTHER_BODY)(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, _replay(body, receive), send)

    def _verify(self, scope: Scope) -> tuple[Principal, str]:
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        return verify(
            Headers(scope=scope).get(HEADER),
            method=scope["method"],
            path=path.decode("latin-1"),
            query=scope.get("query_string", b"").decode("latin-1"),
            secret=self._secret,
            now=self._clock.now(),
        )


_WRONG_KIND: Final = "The gateway's own calls go to /internal/, and nobody else's do."
_OTHER_BODY: Final = "The gateway has signed another body than the one that came."


async def _read(receive: Receive) -> bytes | None:
    """The whole body, None when it is too large. Everything this service takes is small."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(chunks)
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
