"""Routes: what the double answers. What is not here is refused with 501."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from tests.doubles.arangodb.errors import Unknown
from tests.doubles.arangodb.web.message import Request, Response
from tests.doubles.arangodb.web.work import Server

Handler = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Route:
    operation: str
    """Its name in the log and in faults, such as ``document.insert``."""
    method: str
    parts: tuple[str, ...]
    """Pieces of the path; those in braces are handed to the handler, decoded."""
    handler: Handler

    def match(self, method: str, parts: list[str]) -> dict[str, str] | None:
        if method != self.method or len(parts) != len(self.parts):
            return None
        found = {}
        for pattern, part in zip(self.parts, parts, strict=True):
            if pattern.startswith("{"):
                found[pattern[1:-1]] = unquote(part)
            elif pattern != part:
                return None
        return found


ROUTES: Final[list[Route]] = []


def route(operation: str, method: str, path: str) -> Callable[[Handler], Handler]:
    """Registers a handler: ``handler(server, request, **pieces)``, called under the engine's monitor."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(operation, method, tuple(path.strip("/").split("/")), handler))
        return handler

    return register


def find(request: Request) -> tuple[Route, dict[str, str]]:
    parts = request.path.strip("/").split("/")
    for each in ROUTES:
        if (pieces := each.match(request.method, parts)) is not None:
            return each, pieces
    raise Unknown(f"the route {request.method} {request.path}")


def run(server: Server, request: Request, found: Route, pieces: dict[str, str]) -> Response:
    with server.engine.monitor:
        return found.handler(server, request, **pieces)
