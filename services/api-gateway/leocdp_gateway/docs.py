"""The page at ``/api/docs``: our own, it draws what ``/api/v1/openapi.json`` says. Nothing comes from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leocdp_gateway.routes import DOCS

_TYPES: Final = {"index.html": "text/html", "docs.js": "text/javascript", "docs.css": "text/css"}
_HEADERS: Final = {
    "cache-control": "public, max-age=300",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

Endpoint = Callable[[Request], Awaitable[Response]]


def routes() -> list[Route]:
    return [Route(DOCS, _file("index.html")), *(Route(f"{DOCS}/{name}", _file(name)) for name in _TYPES)]


def _file(name: str) -> Endpoint:
    content = files("leocdp_gateway").joinpath("static", name).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(content, media_type=_TYPES[name], headers=_HEADERS)

    return answer
