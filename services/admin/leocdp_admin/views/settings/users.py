"""Users: invite, change, switch off, delete."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.responses import Response

from leocdp_admin.application.actor import ROLES as ROLE_CODES
from leocdp_admin.application.errors import Conflict, Unacceptable
from leocdp_admin.application.shapes.administration import InvitedUser, UserAsked, UserChange, UserShape
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import initials
from leocdp_admin.views.settings.areas import area_page
from leocdp_admin.views.sources import version
from leocdp_admin.views.words import ROLE_HELP, ROLES, USER_STATE_COLOURS, USER_STATES, word

router = APIRouter(prefix="/settings/users", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class UserRow:
    id: str
    name: str
    email: str
    initials: str
    role_name: str
    status: str
    status_name: str
    status_colour: str
    last_login_at: datetime | None
    version: int
    me: bool
    form: FormState


@dataclass(frozen=True, slots=True)
class Invitation:
    email: str
    link: str


@router.get("")
async def users(frame: CurrentFrame) -> Response:
    return await _page(frame)


@router.post("")
async def invite(
    frame: CurrentFrame,
    email: Annotated[str, Form(max_length=300)] = "",
    name: Annotated[str, Form(max_length=100)] = "",
    role: Annotated[str, Form(max_length=20)] = "viewer",
) -> Response:
    """The invitation's link is on this answer only, so there is no redirect."""
    form = FormState.of(email=email, name=name, role=role)
    try:
        asked = UserAsked.model_validate({"email": email.strip(), "name": name.strip(), "role": role})
        invited = await frame.services.users.create(frame.actor, asked)
    except ValidationError:
        form.blame("email", frame.l10n.gettext("This is not an e-mail address."))
        return await _page(frame, form=form, status=422)
    except (Unacceptable, Conflict) as error:
        form.refused(error, frame.l10n, otherwise="email")
        return await _page(frame, form=form, status=error.status)
    return await _page(frame, invited=invited)


@router.post("/{user_id}")
async def change(
    frame: CurrentFrame,
    user_id: str,
    name: Annotated[str, Form(max_length=100)] = "",
    role: Annotated[str, Form(max_length=20)] = "",
    version_: Annotated[str, Form(alias="version")] = "",
) -> Response:
    asked = UserChange.model_validate({"name": name.strip(), "role": role if role in ROLE_CODES else None})
    await frame.services.users.update(frame.actor, user_id, asked, expected=version(version_))
    return frame.go("/settings/users", "user_saved")


@router.post("/{user_id}/disable")
async def disable(frame: CurrentFrame, user_id: str, version_: Annotated[str, Form(alias="version")] = "") -> Response:
    await frame.services.users.update(frame.actor, user_id, UserChange(status="disabled"), expected=version(version_))
    return frame.go("/settings/users", "user_saved")


@router.post("/{user_id}/enable")
async def enable(frame: CurrentFrame, user_id: str, version_: Annotated[str, Form(alias="version")] = "") -> Response:
    await frame.services.users.update(frame.actor, user_id, UserChange(status="active"), expected=version(version_))
    return frame.go("/settings/users", "user_saved")


@router.post("/{user_id}/invite")
async def invite_again(frame: CurrentFrame, user_id: str) -> Response:
    return await _page(frame, invited=await frame.services.users.invite_again(frame.actor, user_id))


@router.post("/{user_id}/delete")
async def delete(frame: CurrentFrame, user_id: str) -> Response:
    await frame.services.users.delete(frame.actor, user_id)
    return frame.go("/settings/users", "user_deleted")


async def _page(
    frame: Frame, *, form: FormState | None = None, invited: InvitedUser | None = None, status: int = 200
) -> Response:
    rows = [_row(user, frame) for user in await frame.services.users.list(frame.actor)]
    invitation = Invitation(invited.email, invited.invitation) if invited and invited.invitation else None
    return area_page(
        frame,
        "users",
        status=status,
        users=rows,
        form=form or FormState.of(role="marketer"),
        invitation=invitation,
        roles=[(code, word(ROLES, code, frame.l10n), word(ROLE_HELP, code, frame.l10n)) for code in ROLE_CODES],
    )


def _row(user: UserShape, frame: Frame) -> UserRow:
    return UserRow(
        id=user.id,
        name=user.name,
        email=user.email,
        initials=initials(user.name or user.email),
        role_name=word(ROLES, user.role, frame.l10n),
        status=user.status,
        status_name=word(USER_STATES, user.status, frame.l10n),
        status_colour=USER_STATE_COLOURS[user.status],
        last_login_at=user.last_login_at,
        version=user.version,
        me=user.id == frame.actor.id,
        form=replace(FormState.of(name=user.name, role=user.role), prefix=f"{user.id}-"),
    )
