"""Changes by cookie need a token that another site cannot know: HMAC of the session, so there is nothing to store."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from starlette.requests import Request

from leocdp_admin.application.errors import Forbidden

FIELD: Final = "csrf_token"
MOST_FIELDS: Final = 5_000
"""Of one form: the metric table has four a row and at most a thousand rows."""
HEADER: Final = "x-csrf-token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def csrf_token(session_token: str) -> str:
    """For forms (field ``csrf_token``) and scripts (header ``x-csrf-token``) of this session."""
    return hmac.new(session_token.encode(), b"leocdp csrf 1", sha256).hexdigest()


async def check_csrf(request: Request, session_token: str) -> None:
    """Raises Forbidden (``csrf``) for a change without the token, or one that another site has sent."""
    if request.method in _SAFE:
        return
    check_same_site(request)
    given = request.headers.get(HEADER, "") or await _from_form(request)
    if not hmac.compare_digest(given.encode(), csrf_token(session_token).encode()):
        raise Forbidden("This page is too old or was not sent by LEO CDP. Reload it and try again.", "csrf")


def check_same_site(request: Request) -> None:
    """For forms before there is a session (login, welcome): browsers say where a request comes from."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This form was sent by another site.", "csrf")


async def _from_form(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return ""
    value = (await request.form(max_fields=MOST_FIELDS)).get(FIELD, "")
    return value if isinstance(value, str) else ""
