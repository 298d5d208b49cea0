"""Parts of requests that several routes read: path segments as sent, versions, cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar
from urllib.parse import unquote

from fastapi import Depends, Header, Path, Response
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from leocdp_admin.application.errors import RequestError
from leocdp_admin.application.shapes.base import PageAsked

T = TypeVar("T")

_REF_HELP: Final = "Profile id, or `kind:value` (URL-encoded), such as `email:lan%40example.vn`, `user_id@shop:u-1`."

_REF_AT: Final = 4
"""``/api/v1/profiles/{ref}``: the segments of a path count from 0, the empty one before the first slash."""


class AsSent:
    """Reads requests of the API as their senders mean them.

    A path segment may hold an encoded slash (``anonymous_id:a%2Fb``): it is routed as one segment. A body is JSON
    whatever a client calls it: ``curl -d`` calls everything a form.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes = scope.get("raw_path") or b""
        if scope["type"] == "http" and b"%2f" in raw.lower():
            scope["path"] = "/".join(part.replace("/", "_") for part in _segments(raw))
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            others = [header for header in scope["headers"] if header[0] != b"content-type"]
            scope["headers"] = [*others, (b"content-type", b"application/json")]
        await self._app(scope, receive, send)


def _segments(raw: bytes) -> list[str]:
    return [unquote(part) for part in raw.decode("latin-1").split("/")]


_PERSON_AT: Final = 6
"""``/api/v1/segments/{id}/explain/{ref}``"""


async def _person_ref(request: Request, ref: Annotated[str, Path(max_length=3000, description=_REF_HELP)]) -> str:
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return _segments(raw)[_PERSON_AT]


async def _ref(request: Request, ref: Annotated[str, Path(max_length=3000, description=_REF_HELP)]) -> str:
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return _segments(raw)[_REF_AT]


async def _message_id(request: Request, message_id: Annotated[str, Path(max_length=3000)]) -> str:
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return _segments(raw)[_REF_AT]


class _Unreadable(RequestError):
    status = 400


async def _expected(
    if_match: Annotated[str | None, Header(description='The version that was read: `"3"`.')] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise _Unreadable("unreadable", 'If-Match must be a version in quotes, such as "3".')
    return int(text)


Ref = Annotated[str, Depends(_ref)]
PersonRef = Annotated[str, Depends(_person_ref)]
MessageId = Annotated[str, Depends(_message_id)]
Expected = Annotated[int | None, Depends(_expected)]


def tag(response: Response, version: int) -> None:
    """The version as ``ETag``."""
    response.headers["ETag"] = f'"{version}"'


def paged(rows: Sequence[T], asked: PageAsked, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """A page of a short list that is in memory as a whole, ordered by its key."""
    ordered = sorted(rows, key=key)
    after = [row for row in ordered if asked.cursor is None or key(row) > asked.cursor]
    page = after[: asked.limit]
    return page, key(page[-1]) if len(after) > asked.limit else None
