"""Pages for people who are not logged in, and for everything that goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from leocdp_admin.auth.current import LoginNeeded, signed_in
from leocdp_admin.views.frame import HEADERS, Frame, make_frame
from leocdp_admin.views.problems import Explanation, explain

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """Whoever is not logged in is asked to, and comes back to the same page afterwards."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except LoginNeeded:
                return to_login(request)

        return handler


def to_login(request: Request) -> Response:
    """Scripts get 401, because a redirect would put a login form into the middle of a page."""
    if request.headers.get("hx-request") == "true" or "text/event-stream" in request.headers.get("accept", ""):
        return Response(status_code=401, headers=HEADERS)
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    url = "/login" if request.method != "GET" or back == "/" else f"/login?next={quote(back, safe='')}"
    return RedirectResponse(url, 303, headers=HEADERS)


async def page_error(request: Request, status: int, code: str, message: str) -> Response:
    """The page for an error: what happened, and a way on."""
    frame = await make_frame(request, await signed_in(request))
    said = explain(status, code, message, frame.l10n)
    context = {"heading": said.heading, "text": said.text, "picture": said.picture}
    if frame.person is None:
        return frame.page("door_message.html", status=status, code_line="", way_on=said.ways[0], **context)
    return frame.page("error.html", status=status, ways=_ways(request, said, frame), **context)


def _ways(request: Request, said: Explanation, frame: Frame) -> list[tuple[str, str]]:
    own = request.url.path if request.method == "GET" else _page_before(request)
    again = [(own, frame.l10n.gettext("Try again"))] if said.again and own else []
    return [*again, *said.ways]


def _page_before(request: Request) -> str:
    """The path of the page that a form was on, when it is one of ours."""
    before = urlsplit(request.headers.get("referer", ""))
    return before.path if before.netloc == request.headers.get("host", "") else ""
