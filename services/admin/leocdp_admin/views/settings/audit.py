"""The audit log in words: who did what to whose data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from leocdp.ports.profile_store import StoreUnavailable
from leocdp_admin.application.shapes.administration import AuditAsked, AuditRow
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.settings.areas import area_page
from leocdp_admin.views.words import word

router = APIRouter(prefix="/settings/audit", route_class=PageRoute, include_in_schema=False)

ACTIONS: Final = {
    "profile.read": N_("looked at a profile"),
    "profile.events": N_("read the story of a profile"),
    "profile.identity": N_("looked at the identity of a profile"),
    "profile.list": N_("looked at the list of profiles"),
    "profile.merge": N_("merged two profiles"),
    "profile.unmerge": N_("undid a merge"),
    "profile.consent": N_("changed consents"),
    "profile.label": N_("changed labels"),
    "profile.identifier_state": N_("changed how an ID is used"),
    "profile.lift_cannot_link": N_("allowed two profiles to merge again"),
    "review.list": N_("looked at possible duplicates"),
    "review.dismiss": N_("kept two profiles apart"),
    "review.reopen": N_("took up a pair again"),
    "event.read": N_("looked at an event"),
    "event.list": N_("looked at recent events"),
    "event.stream": N_("watched live events"),
    "dead_letter.list": N_("looked at failed events"),
    "dead_letter.replay": N_("tried failed events again"),
    "source.create": N_("made a source"),
    "source.update": N_("changed a source"),
    "source.rotate": N_("replaced the key of a source"),
    "source.delete": N_("deleted a source"),
    "key.create": N_("made an API key"),
    "key.revoke": N_("revoked an API key"),
    "user.create": N_("invited a user"),
    "user.update": N_("changed a user"),
    "user.invite": N_("made a new link for a user"),
    "user.delete": N_("deleted a user"),
    "user.password": N_("changed the own password"),
    "user.first_owner": N_("became the first owner"),
    "user.login": N_("logged in"),
    "user.login_failed": N_("failed to log in"),
    "privacy.access": N_("took up a request for a copy of data"),
    "privacy.export": N_("fetched a copy of a person’s data"),
    "privacy.objection": N_("took up an objection"),
    "privacy.erasure": N_("erased a person"),
    "settings.identity_rules": N_("changed the identity rules"),
    "settings.consent": N_("changed the consent purposes"),
    "settings.workspace": N_("changed the workspace"),
    "settings.scoring": N_("changed the metrics"),
}
GROUPS: Final = {
    "profile.": N_("Profiles"),
    "review.": N_("Possible duplicates"),
    "event.": N_("Events"),
    "dead_letter.": N_("Failed events"),
    "privacy.": N_("Privacy requests"),
    "source.": N_("Sources"),
    "user.": N_("Users and logins"),
    "key.": N_("API keys"),
    "settings.": N_("Settings"),
}
_PAGES: Final = {"prf_": "/profiles/", "src_": "/sources/"}


class LogAsked(AuditAsked):
    lang: str = ""


@dataclass(frozen=True, slots=True)
class AuditLine:
    at: datetime
    who: str
    what: str
    target: str
    url: str
    client: str


@router.get("")
async def audit(frame: CurrentFrame, asked: Annotated[LogAsked, Query()]) -> Response:
    page = await frame.services.audit.list(frame.actor, asked)
    people = await frame.services.users.list(frame.actor)
    gone = await _gone(frame, page.data)
    next_url = frame.url("/settings/audit", actor=asked.actor, action=asked.action, cursor=page.next)
    return area_page(
        frame,
        "audit",
        asked=asked,
        rows=[_line(row, frame.l10n, gone) for row in page.data],
        actors=[(user.id, user.name or user.email) for user in people],
        action_groups=[(code, frame.l10n.gettext(text)) for code, text in GROUPS.items()],
        next_url=next_url if page.next else "",
    )


def _target(target: str) -> str:
    """Our own long ids by their end; names of settings as they are."""
    return f"…{target[-6:]}" if target[3:4] == "_" and len(target) > 14 else target


async def _gone(frame: Frame, rows: Sequence[AuditRow]) -> frozenset[str]:
    """Profiles that were erased since: their links would lead nowhere. Unknown while the store is away."""
    people = {row.target for row in rows if row.target.startswith("prf_")}
    with suppress(StoreUnavailable):
        return frozenset(people - await frame.services.profiles.existing(frame.actor, people))
    return frozenset()


def _url(row: AuditRow, gone: frozenset[str]) -> str:
    if row.action.startswith("privacy.erasure") and (request := row.details.get("request")):
        return f"/privacy/requests/{request}"
    page = _PAGES.get(row.target[:4], "")
    return f"{page}{row.target}" if page and row.target not in gone else ""


def _line(row: AuditRow, l10n: Localisation, gone: frozenset[str]) -> AuditLine:
    return AuditLine(
        at=row.at,
        who=row.actor_name or row.actor,
        what=word(ACTIONS, row.action, l10n),
        target=_target(row.target),
        url=_url(row, gone),
        client=row.client,
    )
