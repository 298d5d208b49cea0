"""Forgetting a person: what will be lost is said first, their name is typed, and a receipt is shown."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from leocdp_admin.application.errors import NotFound
from leocdp_admin.application.shapes.privacy import PrivacyAsked, PrivacyRequestShape
from leocdp_admin.application.shapes.profiles import ProfileShape
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.frame import HEADERS, CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import person_view
from leocdp_admin.views.words import word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WRITE: Final = "privacy:write"
COUNTS: Final = {
    "profiles": N_("Profiles"),
    "events": N_("Events"),
    "identifiers": N_("E-mail addresses, phones, devices and other IDs"),
    "history": N_("Merges and other history of who is who"),
    "problems": N_("Failed and refused events"),
    "outbox": N_("Announcements to other systems that were not sent yet"),
}
REFUSED: Final = {
    "no_erasure_key": N_("The processor has no secret for erasures: LEOCDP_ERASURE_KEY is not set there."),
    "other_erasure_key": N_("LEOCDP_ERASURE_KEY differs between admin and processor; it must be the same."),
    "profile_not_found": N_("The profile did not exist any more."),
    "log_unavailable": N_("The event log took nothing at that moment."),
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """``rows`` of label and count; ``copies_until`` is the day when the last copy is gone."""

    rows: list[tuple[str, int]]
    copies_until: str
    profile_ids: list[str]


@router.get("/profiles/{profile_id}/erase")
async def ask(frame: CurrentFrame, profile_id: str) -> Response:
    frame.actor.require(WRITE)
    profile = await frame.services.profiles.get(frame.actor, profile_id)
    return _survivor(profile) if profile.id != profile_id else _question(frame, profile, FormState())


@router.post("/profiles/{profile_id}/erase")
async def erase(frame: CurrentFrame, profile_id: str, typed: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Only who the page was about: a profile that was merged meanwhile is somebody bigger, and is asked about anew."""
    frame.actor.require(WRITE)
    profile = await frame.services.profiles.get(frame.actor, profile_id)
    if profile.id != profile_id:
        return _survivor(profile)
    form = FormState.of(typed=typed)
    name = person_view(profile, frame.l10n).name
    if not names(typed, name, profile.id):
        problem = frame.l10n.gettext("Type %(name)s or %(id)s. Nothing was deleted.")
        form.blame("typed", problem % {"name": name, "id": profile.id})
        return _question(frame, profile, form)
    request = await frame.services.privacy.ask(frame.actor, PrivacyAsked(kind="erasure", ref=profile.id))
    return frame.go(f"/privacy/requests/{request.id}")


@router.get("/privacy/requests/{request_id}")
async def receipt(frame: CurrentFrame, request_id: str) -> Response:
    request = await frame.services.privacy.get(frame.actor, request_id)
    if request.kind != "erasure":
        raise NotFound("privacy_request_not_found", "There is no erasure with this id.")
    return frame.page(
        "erasure_receipt.html",
        active="profiles",
        receipt_of=request,
        receipt=receipt_view(request, frame.l10n),
        refused=word(REFUSED, request.reason or "", frame.l10n),
    )


def names(typed: str, name: str, profile_id: str) -> bool:
    """Whether somebody typed the name or the number: spaces, upper case and ways to write accents do not matter."""
    return _folded(typed) in (_folded(name), _folded(profile_id))


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def receipt_view(request: PrivacyRequestShape, l10n: Localisation) -> Receipt | None:
    """None until it is carried out."""
    found: dict[str, Any] | None = request.receipt
    if request.state != "done" or found is None:
        return None
    rows = [(l10n.gettext(label), int(found[code])) for code, label in COUNTS.items() if code in found]
    until = l10n.calendar_day(date.fromisoformat(str(found["copies_until"])))
    return Receipt(rows, until, [str(one) for one in found.get("profile_ids", ())])


def _question(frame: Frame, profile: ProfileShape, form: FormState) -> Response:
    return frame.page(
        "profile_erase.html",
        status=422 if form.problems else 200,
        active="profiles",
        profile=profile,
        who=person_view(profile, frame.l10n),
        form=form,
        possible=frame.services.privacy.can_erase,
    )


def _survivor(profile: ProfileShape) -> Response:
    return RedirectResponse(f"/profiles/{profile.id}/erase", 303, headers=HEADERS)
