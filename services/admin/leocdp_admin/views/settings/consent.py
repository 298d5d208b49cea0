"""The purposes that people are asked for."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from leocdp_admin.forms.consent_form import consent_asked, consent_form, rows
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.settings.areas import area_page
from leocdp_admin.views.sources import version
from leocdp_admin.views.words import PURPOSES, word

router = APIRouter(prefix="/settings/consent", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def show(frame: CurrentFrame) -> Response:
    return _page(frame, consent_form(await frame.services.configuration.consent(frame.actor)))


@router.post("")
async def save(frame: CurrentFrame) -> Response:
    given = await frame.request.form()
    form = FormState.of(**{name: str(value) for name, value in given.items()})
    asked = consent_asked(form, frame.l10n)
    if asked is None:
        return _page(frame, form, 422)
    await frame.services.configuration.put_consent(frame.actor, asked, expected=version(form.values["version"]))
    return frame.go("/settings/consent", "saved")


def _page(frame: Frame, form: FormState, status: int = 200) -> Response:
    known = {purpose: word(PURPOSES, purpose, frame.l10n) for purpose in PURPOSES}
    return area_page(frame, "consent", status=status, form=form, rows=rows(form), known=known)
