"""API keys: made with a choice of what they may do, shown once, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.responses import Response

from leocdp_admin.application.actor import SCOPES as SCOPE_CODES
from leocdp_admin.application.errors import Unacceptable
from leocdp_admin.application.shapes.administration import KeyAsked, KeyShape, NewKeyShape
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.settings.areas import area_page
from leocdp_admin.views.words import KEY_STATE_COLOURS, KEY_STATES, SCOPES, SCOPES_TO_COME, word

router = APIRouter(prefix="/settings/keys", route_class=PageRoute, include_in_schema=False)

LASTS: Final = {
    "90": N_("For 90 days"),
    "365": N_("For a year"),
    "30": N_("For 30 days"),
    "": N_("Until somebody revokes it"),
}


@dataclass(frozen=True, slots=True)
class KeyRow:
    id: str
    name: str
    state: str
    state_name: str
    state_colour: str
    summary: str
    scope_names: Sequence[str]
    last_used_at: datetime | None
    expires_at: datetime | None


@router.get("")
async def keys(frame: CurrentFrame) -> Response:
    return await _page(frame)


@router.post("")
async def create(
    frame: CurrentFrame,
    name: Annotated[str, Form(max_length=200)] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    lasts: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """The secret is on this answer only, so there is no redirect."""
    form, chosen = FormState.of(name=name, lasts=lasts), scopes or []
    form.need("name", frame.l10n)
    if not chosen:
        form.blame("scopes", frame.l10n.gettext("Choose at least one thing that it may do."))
    asked = _asked(frame, form, chosen)
    if asked is None:
        return await _page(frame, form=form, chosen=chosen, status=422)
    try:
        made = await frame.services.keys.create(frame.actor, asked)
    except Unacceptable as error:
        form.refused(error, frame.l10n, otherwise="name")
        return await _page(frame, form=form, chosen=chosen, status=422)
    return await _page(frame, secret=made)


@router.post("/{key_id}/revoke")
async def revoke(frame: CurrentFrame, key_id: str) -> Response:
    await frame.services.keys.revoke(frame.actor, key_id)
    return frame.go("/settings/keys", "key_revoked")


def _asked(frame: Frame, form: FormState, chosen: Sequence[str]) -> KeyAsked | None:
    if not form.ok:
        return None
    days = form.values["lasts"]
    ends = frame.now + timedelta(days=int(days)) if days and days in LASTS else None
    try:
        return KeyAsked.model_validate(
            {"name": form.values["name"].strip(), "scopes": list(chosen), "expires_at": ends}
        )
    except ValidationError as error:
        for found in error.errors():
            form.blame(str(found["loc"][0]), frame.l10n.gettext("This value does not fit here."))
        return None


async def _page(
    frame: Frame,
    *,
    form: FormState | None = None,
    chosen: Sequence[str] = (),
    secret: NewKeyShape | None = None,
    status: int = 200,
) -> Response:
    rows = [_row(key, frame) for key in await frame.services.keys.list(frame.actor)]
    offered = [code for code in SCOPE_CODES if code not in SCOPES_TO_COME]
    return area_page(
        frame,
        "keys",
        status=status,
        keys=rows,
        form=form or FormState.of(lasts="90"),
        chosen_scopes=list(chosen) if form else ["profiles:read"],
        secret=secret,
        scopes=[(code, word(SCOPES, code, frame.l10n)) for code in offered],
        lasts=[(days, frame.l10n.gettext(text)) for days, text in LASTS.items()],
    )


def _row(key: KeyShape, frame: Frame) -> KeyRow:
    l10n = frame.l10n
    names = [word(SCOPES, scope, l10n) for scope in key.scopes]
    summary = l10n.ngettext("%(num)s permission", "%(num)s permissions", len(names)) % {"num": len(names)}
    return KeyRow(
        id=key.id,
        name=key.name,
        state=key.state,
        state_name=word(KEY_STATES, key.state, l10n),
        state_colour=KEY_STATE_COLOURS[key.state],
        summary=summary,
        scope_names=names,
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
    )
