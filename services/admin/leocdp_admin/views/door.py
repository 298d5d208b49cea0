"""Before one is in: log in, log out, and links that work once (first owner, invitation, new password)."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from leocdp_admin.application.errors import Conflict, TooManyAttempts, Unacceptable, Unauthenticated
from leocdp_admin.application.passwords import SHORTEST_PASSWORD
from leocdp_admin.application.users import Welcome
from leocdp_admin.auth.cookies import clear_session, session_token, set_session
from leocdp_admin.auth.csrf import check_same_site
from leocdp_admin.auth.current import principal_of, services_of, signed_in
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.views.frame import CurrentFrame, Frame, make_frame
from leocdp_admin.views.notices import Message
from leocdp_admin.views.page_route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/login")
async def login_page(request: Request, next: str = "/") -> Response:
    frame = await make_frame(request, await signed_in(request))
    if frame.person is not None:
        return frame.go(inside(next))
    if not await frame.services.users.has_owner():
        return _nobody_yet(frame)
    return frame.page("login.html", form=FormState.of(next=inside(next)))


@router.post("/login")
async def login(
    request: Request,
    email: Annotated[str, Form(max_length=300)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    check_same_site(request)
    frame = await make_frame(request, None)
    form = FormState.of(email=email, next=inside(next))
    try:
        session = await frame.services.sessions.login(
            email,
            password,
            client=principal_of(request).client,
            agent=request.headers.get("user-agent", ""),
            previous=session_token(request),
        )
    except Unauthenticated as error:
        text = frame.l10n.gettext("E-mail or password is wrong. Check both and try again.")
        return frame.saying(Message("danger", text)).page("login.html", status=error.status, form=form)
    except TooManyAttempts as error:
        text = frame.l10n.gettext("Too many failed attempts. Wait 15 minutes, then try again.")
        response = frame.saying(Message("danger", text)).page("login.html", status=error.status, form=form)
        response.headers["retry-after"] = str(error.retry_after)
        return response
    response = frame.go(inside(next))
    set_session(request, response, session)
    return response


@router.post("/logout")
async def logout(frame: CurrentFrame) -> Response:
    await frame.services.sessions.logout(session_token(frame.request))
    response = frame.go("/login", "logged_out")
    clear_session(frame.request, response)
    return response


@router.get("/welcome")
async def welcome_page(request: Request, token: str = "") -> Response:
    frame = await make_frame(request, None)
    welcome = await services_of(request).users.welcome(token)
    if welcome is None:
        return _used_up(frame)
    return _welcome(frame, welcome, token, FormState())


@router.post("/welcome")
async def accept(
    request: Request,
    token: Annotated[str, Form(max_length=200)] = "",
    email: Annotated[str, Form(max_length=300)] = "",
    name: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    check_same_site(request)
    frame = await make_frame(request, None)
    users = frame.services.users
    welcome = await users.welcome(token)
    if welcome is None:
        return _used_up(frame)
    form = _checked(frame, welcome, FormState.of(email=email, name=name), password)
    if not form.ok:
        return _welcome(frame, welcome, token, form, 422)
    try:
        user = await users.accept(token, email=email, name=name, password=password)
    except Unacceptable as error:
        form.refused(error, frame.l10n, otherwise="password")
        return _welcome(frame, welcome, token, form, 422)
    except Conflict:
        return _used_up(frame)
    session = await frame.services.sessions.open(
        user, client=principal_of(request).client, agent=request.headers.get("user-agent", "")
    )
    response = frame.go("/")
    set_session(request, response, session)
    return response


def inside(target: str) -> str:
    """An address of ours to go to after the login; anything else becomes the home page."""
    parts = urlsplit(target.replace("\\", "/"))
    plain = target.startswith("/") and not target.startswith("//") and not parts.scheme and not parts.netloc
    return target if plain and target.isprintable() and parts.path not in ("/login", "/logout") else "/"


def _checked(frame: Frame, welcome: Welcome, form: FormState, password: str) -> FormState:
    if welcome.kind == "first_owner":
        form.need("name", frame.l10n)
        form.need("email", frame.l10n)
    if len(password) < SHORTEST_PASSWORD:
        form.blame("password", frame.l10n.gettext("A password needs at least 10 characters."))
    return form


def _welcome(frame: Frame, welcome: Welcome, token: str, form: FormState, status: int = 200) -> Response:
    return frame.page(
        "welcome.html",
        status=status,
        token=token,
        form=form,
        kind=welcome.kind,
        email=welcome.email,
        person=welcome.name or welcome.email,
    )


def _used_up(frame: Frame) -> Response:
    return frame.page(
        "door_message.html",
        status=409,
        picture="hourglass",
        heading=frame.l10n.gettext("This link does not work any more"),
        text=frame.l10n.gettext(
            "It was used already, or it is too old. Log in if you have a password, or ask an owner for a new link."
        ),
        code_line="",
        way_on=("/login", frame.l10n.gettext("Log in")),
    )


def _nobody_yet(frame: Frame) -> Response:
    """There is no open set-up page: whoever can read the server's terminal is the one who may begin."""
    return frame.page(
        "door_message.html",
        picture="key",
        heading=frame.l10n.gettext("Almost there"),
        text=frame.l10n.gettext(
            "Nobody can log in yet. Open the first-login link that was printed where LEO CDP was started. It works for "
            "30 minutes; start LEO CDP again, or run this there, for a new one:"
        ),
        code_line="leocdp user invite you@example.com --role owner",
        way_on=None,
    )
