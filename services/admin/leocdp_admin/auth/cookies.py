"""The session cookie."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from leocdp_admin.application.sessions import ABSOLUTE_MS, NewSession
from leocdp_admin.auth.current import COOKIE, principal_of


def session_token(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def set_session(request: Request, response: Response, session: NewSession) -> None:
    """``Secure`` whenever the person came over https."""
    response.set_cookie(
        COOKIE,
        session.token,
        max_age=ABSOLUTE_MS // 1000,
        path="/",
        httponly=True,
        samesite="lax",
        secure=principal_of(request).https,
    )


def clear_session(request: Request, response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=principal_of(request).https)
