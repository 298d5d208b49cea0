"""Name, time zone, language and currency of the workspace; and one's own password."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.responses import Response

from leocdp_admin.application.errors import Unacceptable, Unauthenticated
from leocdp_admin.application.passwords import SHORTEST_PASSWORD
from leocdp_admin.application.shapes.administration import WorkspaceAsked
from leocdp_admin.auth.cookies import session_token
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.settings.areas import area_page
from leocdp_admin.views.sources import version

router = APIRouter(prefix="/settings", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def first(frame: CurrentFrame) -> Response:
    return frame.go("/settings/workspace")


@router.get("/workspace")
async def workspace(frame: CurrentFrame) -> Response:
    now = frame.workspace
    form = FormState.of(
        name=now.name,
        time_zone=now.time_zone,
        language=now.language,
        currency=now.currency,
        version=str(now.version),
    )
    return _page(frame, form)


@router.post("/workspace")
async def save_workspace(
    frame: CurrentFrame,
    name: Annotated[str, Form(max_length=200)] = "",
    time_zone: Annotated[str, Form(max_length=200)] = "",
    language: Annotated[str, Form(max_length=10)] = "",
    currency: Annotated[str, Form(max_length=10)] = "",
    version_: Annotated[str, Form(alias="version")] = "",
) -> Response:
    form = FormState.of(name=name, time_zone=time_zone, language=language, currency=currency, version=version_)
    asked = _asked(frame, form)
    if asked is None:
        return _page(frame, form, 422)
    try:
        await frame.services.configuration.put_workspace(frame.actor, asked, expected=version(version_))
    except Unacceptable as error:
        form.refused(error, frame.l10n, otherwise="name")
        return _page(frame, form, 422)
    return frame.go("/settings/workspace", "saved")


@router.get("/account")
async def account(frame: CurrentFrame) -> Response:
    return area_page(frame, "account", form=FormState())


@router.post("/account")
async def change_password(
    frame: CurrentFrame,
    current: Annotated[str, Form(max_length=2000)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    form = FormState()
    if len(password) < SHORTEST_PASSWORD:
        form.blame("password", frame.l10n.gettext("A password needs at least 10 characters."))
        return area_page(frame, "account", status=422, form=form)
    try:
        await frame.services.users.change_password(
            frame.actor, current, password, keep_session=session_token(frame.request)
        )
    except Unauthenticated:
        form.blame("current", frame.l10n.gettext("This is not your current password."))
        return area_page(frame, "account", status=422, form=form)
    except Unacceptable as error:
        form.refused(error, frame.l10n, otherwise="password")
        return area_page(frame, "account", status=422, form=form)
    return frame.go("/settings/account", "password_changed")


def _asked(frame: Frame, form: FormState) -> WorkspaceAsked | None:
    form.need("name", frame.l10n)
    code = form.values["currency"].strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        form.blame("currency", frame.l10n.gettext("Three letters, such as VND or USD."))
    if not form.ok:
        return None
    values = {
        "name": form.values["name"].strip(),
        "time_zone": form.values["time_zone"].strip(),
        "language": form.values["language"],
        "currency": code,
    }
    try:
        return WorkspaceAsked.model_validate(values)
    except ValidationError as error:
        for found in error.errors():
            form.blame(str(found["loc"][0]), frame.l10n.gettext("This value does not fit here."))
        return None


def _page(frame: Frame, form: FormState, status: int = 200) -> Response:
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/")))
    return area_page(frame, "workspace", status=status, form=form, zones=zones)
