"""Run an ASGI application until SIGTERM or SIGINT, with sentences instead of tracebacks for what users meet."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from leocdp.kit.errors import LeoError


class CannotStart(SystemExit):
    """A service cannot start; the message says why and what to do. Exit status 1."""

    def __init__(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)
        super().__init__(1)


def instance_name(configured: str = "") -> str:
    return configured or f"{socket.gethostname()}-{os.getpid()}"


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket, or CannotStart with a sentence that names the setting to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {port} is in use by another program. Stop that program, or choose another port with {setting}."
            ) from error
        raise CannotStart(
            f"Cannot listen on {host}:{port} ({error.strerror}). Check LEOCDP_HOST and {setting}."
        ) from error
    listener.set_inheritable(True)
    return listener


class _Sentences:
    """An application whose start fails with an error that has a sentence says that sentence, not a traceback."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """No coroutine of its own, so that requests do not pay for what concerns the start only."""
        if scope["type"] == "lifespan":
            return self._lifespan(scope, receive, send)
        answering: Awaitable[None] = self._app(scope, receive, send)
        return answering

    async def _lifespan(self, scope: Any, receive: Any, send: Any) -> None:
        failed: list[dict[str, Any]] = []

        async def hold(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.startup.failed":
                failed.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, hold)
        except (LeoError, ValueError, SystemExit) as error:
            if not failed:
                raise
            if not isinstance(error, SystemExit):
                print(error, file=sys.stderr)
            await send({"type": "lifespan.startup.failed", "message": ""})
        except BaseException:
            for message in failed:
                await send(message)
            raise


class _Server(uvicorn.Server):
    """Says when it begins to drain, which is before its connections end and so before the lifespan does."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._on_stop is not None:
            self._on_stop()
        await super().shutdown(sockets)


def serve(
    app: Any,
    *,
    host: str,
    port: int,
    setting: str,
    grace: float,
    on_stop: Callable[[], None] | None = None,
    **options: Any,
) -> None:
    """Serve ``app``; its lifespan opens and closes what it needs. Returns when it has drained.

    ``setting`` names the environment variable of the port, ``grace`` is in seconds. ``on_stop`` is called on the
    event loop when a stop begins, so that answers without an end (event streams) end then.
    """
    listener = bind(host, port, setting)
    config = uvicorn.Config(
        _Sentences(app),
        interface="asgi3",
        loop="uvloop",
        http=options.pop("http", "httptools"),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=options.pop("date_header", True),
        timeout_graceful_shutdown=int(grace),
        backlog=2048,
        **options,
    )
    server = _Server(config, on_stop)
    server.run(sockets=[listener])
    if not server.started:
        raise SystemExit(1)
