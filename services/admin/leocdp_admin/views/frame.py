"""One request of a browser: who asks, in which language, and how an answer is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from leocdp_admin.application.actor import SYSTEM, Actor
from leocdp_admin.application.sessions import SignedIn
from leocdp_admin.application.shapes.administration import WorkspaceSettings
from leocdp_admin.application.shapes.base import iso
from leocdp_admin.auth.csrf import csrf_token
from leocdp_admin.auth.current import page_session, principal_of, services_of
from leocdp_admin.environment import Services
from leocdp_admin.i18n.catalogues import LANGUAGES
from leocdp_admin.i18n.choice import LANGUAGE_COOKIE, choose_language
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.assets import Assets
from leocdp_admin.views.notices import NOTICE_COOKIE, Message, notice
from leocdp_admin.views.people import initials
from leocdp_admin.views.rendering import render
from leocdp_admin.views.words import ROLE_HELP, ROLES, word

YEAR_S: Final = 365 * 86_400
ASSETS: Final = Assets()
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class UserView:
    name: str
    email: str
    initials: str
    role_name: str
    role_help: str


@dataclass(frozen=True, slots=True)
class Frame:
    request: Request
    services: Services
    person: SignedIn | None
    workspace: WorkspaceSettings
    l10n: Localisation
    now: datetime
    said: tuple[Message, ...] = ()

    @property
    def actor(self) -> Actor:
        """Only on pages behind the login. Speaks the language of the page."""
        assert self.person is not None
        return replace(self.person.actor, language=self.l10n.language)

    def may(self, *scopes: str) -> bool:
        return self.person is not None and self.person.actor.may(*scopes)

    def saying(self, message: Message) -> Frame:
        """The same with one more message on the page."""
        return replace(self, said=(*self.said, message))

    def wants_part(self) -> bool:
        """htmx asks for a part of the page; going back in the history asks for all of it."""
        headers = self.request.headers
        return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"

    def page(self, template: str, *, status: int = 200, active: str = "", **context: Any) -> Response:
        """A whole page. Notices are shown once; a language that was asked for is remembered."""
        shown = notice(self.request.cookies.get(NOTICE_COOKIE, ""), self.l10n)
        messages = ([shown] if shown else []) + list(self.said)
        response = self._html(template, status, {"active": active, "messages": messages, **context})
        if NOTICE_COOKIE in self.request.cookies:
            response.delete_cookie(NOTICE_COOKIE, path="/", httponly=True, samesite="lax")
        return response

    def part(self, template: str, **context: Any) -> Response:
        return self._html(template, 200, context)

    def text(self, template: str, **context: Any) -> str:
        """A part of a page as text, for streams."""
        return render(template, self.l10n.language, {**self._common(), **context})

    def go(self, url: str, said: str = "") -> Response:
        """See other; ``said`` is a code of :mod:`leocdp_admin.views.notices`."""
        response = RedirectResponse(url, 303, headers=HEADERS)
        if said:
            response.set_cookie(
                NOTICE_COOKIE, said, max_age=60, path="/", httponly=True, samesite="lax", secure=self._https
            )
        return response

    def url(self, path: str, **query: str | None) -> str:
        """An address with those parameters that have a value."""
        given = {name: value for name, value in query.items() if value}
        return f"{path}?{urlencode(given)}" if given else path

    def with_language(self, code: str) -> str:
        query = [(name, value) for name, value in self.request.query_params.multi_items() if name != "lang"]
        return f"{self.request.url.path}?{urlencode([*query, ('lang', code)])}"

    @property
    def _https(self) -> bool:
        return principal_of(self.request).https

    def _html(self, template: str, status: int, context: Mapping[str, Any]) -> HTMLResponse:
        body = render(template, self.l10n.language, {**self._common(), **context})
        response = HTMLResponse(body, status, headers=HEADERS)
        asked = self.request.query_params.get("lang")
        if asked in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, asked, max_age=YEAR_S, path="/", httponly=True, samesite="lax", secure=self._https
            )
        return response

    def _common(self) -> dict[str, Any]:
        return {
            "language": self.l10n.language,
            "languages": LANGUAGES,
            "l10n": self.l10n,
            "now": self.now,
            "iso": iso,
            "static": ASSETS.url,
            "csrf_token": csrf_token(self.person.token) if self.person else "",
            "user": user_view(self.person, self.l10n) if self.person else None,
            "may": self.may,
            "may_see_contacts": self.person is not None and not self.person.actor.masked,
            "with_language": self.with_language,
            "workspace": self.workspace.name,
        }


def user_view(person: SignedIn, l10n: Localisation) -> UserView:
    user = person.user
    name = user.name or user.email
    return UserView(name, user.email, initials(name), word(ROLES, user.role, l10n), word(ROLE_HELP, user.role, l10n))


async def make_frame(request: Request, person: SignedIn | None) -> Frame:
    """The frame of a request, with the language that was asked for, remembered, or set for the workspace."""
    services = services_of(request)
    workspace = await services.configuration.workspace(person.actor if person else SYSTEM)
    asked = request.query_params.get("lang")
    language = choose_language(
        asked=asked,
        remembered=request.cookies.get(LANGUAGE_COOKIE) or (person.user.language if person else None),
        workspace=workspace.language if workspace.version else None,
        accept=request.headers.get("accept-language"),
    )
    if person is not None and asked in LANGUAGES:
        await services.users.set_language(person.user, asked)
    return Frame(request, services, person, workspace, Localisation(language, workspace.time_zone), datetime.now(UTC))


async def page_frame(request: Request) -> Frame:
    """Of a page behind the login. Raises LoginNeeded, Forbidden (``csrf``)."""
    return await make_frame(request, await page_session(request))


CurrentFrame = Annotated[Frame, Depends(page_frame)]
