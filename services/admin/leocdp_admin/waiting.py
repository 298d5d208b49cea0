"""While the log or a store cannot be reached at the start, everything but the probes is answered 503."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from leocdp.kit.web import error_response

RETRY_AFTER: Final = "5"
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Waiting:
    """``reason``: why the service is not open yet; empty when it is."""

    def __init__(self, app: ASGIApp, reason: Callable[[], str]) -> None:
        self._app = app
        self._reason = reason

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = self._reason() if scope["type"] == "http" and scope["path"] not in _PROBES else ""
        if not reason:
            await self._app(scope, receive, send)
            return
        text = f"LEO CDP is starting and waits: {reason}"
        await error_response(503, "starting", text, headers={"Retry-After": RETRY_AFTER})(scope, receive, send)
