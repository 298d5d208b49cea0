"""The rules by which events become people, as far as a form may change them; all of them by the API."""

from __future__ import annotations

from babel import Locale
from fastapi import APIRouter
from phonenumbers import SUPPORTED_REGIONS
from starlette.responses import Response

from leocdp.domain.identity.rules import IdentityRules
from leocdp_admin.application.errors import Unacceptable
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.forms.identity_form import blame, details, identity_asked, identity_form, limited
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.settings.areas import area_page
from leocdp_admin.views.sources import version
from leocdp_admin.views.words import KINDS, word

router = APIRouter(prefix="/settings/identity", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def show(frame: CurrentFrame) -> Response:
    rules, version_ = await frame.services.configuration.identity_rules(frame.actor)
    return _page(frame, rules, identity_form(rules, version_))


@router.post("")
async def save(frame: CurrentFrame) -> Response:
    given = await frame.request.form()
    form = FormState.of(**{name: str(value) for name, value in given.items()})
    rules, _ = await frame.services.configuration.identity_rules(frame.actor)
    asked = identity_asked(form, rules, frame.l10n)
    if asked is None:
        return _page(frame, rules, form, 422)
    try:
        expected = version(form.values["version"])
        await frame.services.configuration.put_identity_rules(frame.actor, asked, expected=expected)
    except Unacceptable as error:
        blame(form, error.problems, frame.l10n)
        return _page(frame, rules, form, 422)
    return frame.go("/settings/identity", "rules_saved")


def _page(frame: Frame, rules: IdentityRules, form: FormState, status: int = 200) -> Response:
    names = Locale.parse(frame.l10n.language).territories
    regions = sorted(((code, names.get(code, code)) for code in SUPPORTED_REGIONS), key=lambda each: each[1])
    kinds = [(kind, word(KINDS, kind.name, frame.l10n)) for kind in limited(rules)]
    meanings = [
        (kind.name, word(KINDS, kind.name, frame.l10n)) for kind in rules.kinds.values() if kind.name != "social"
    ]
    social = [(kind, kind) for kind in sorted(set(rules.trait_kinds.values())) if kind not in rules.kinds]
    return area_page(
        frame,
        "identity",
        status=status,
        form=form,
        regions=regions,
        kinds=kinds,
        details=details(form),
        meanings=[("", "–"), *meanings, *social],
    )
