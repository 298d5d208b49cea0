"""The list of people: search as you type, filters, pages by cursor."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from leocdp_admin.application.shapes.profiles import ProfileList, ProfileRow, ProfilesAsked
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import PersonView, person_view

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class ListAsked(ProfilesAsked):
    """What the address of the list may hold."""

    lang: str = ""


@router.get("/profiles")
async def profiles(frame: CurrentFrame, asked: Annotated[ListAsked, Query()]) -> Response:
    page = await frame.services.profiles.search(frame.actor, asked)

    def person(row: ProfileRow) -> PersonView:
        return person_view(row, frame.l10n)

    context: dict[str, Any] = {
        "asked": asked,
        "page": page,
        "person": person,
        "total_text": total_text(page, frame),
        "filtered": bool(asked.q or asked.status or asked.label),
        "next_url": _url(frame, asked, cursor=page.next) if page.next else "",
        "without_label": _url(frame, asked, label=""),
    }
    if frame.wants_part():
        return frame.part("profiles_results.html", **context)
    return frame.page("profiles.html", active="profiles", **context)


def total_text(page: ProfileList, frame: Frame) -> str:
    l10n = frame.l10n
    if page.total == "1000+":
        return l10n.gettext("More than %(num)s profiles") % {"num": l10n.number(1000)}
    return l10n.ngettext("%(num)s profile", "%(num)s profiles", page.total) % {"num": l10n.number(page.total)}


def _url(frame: Frame, asked: ListAsked, *, cursor: str = "", label: str | None = None) -> str:
    sort = "" if asked.sort == "last_seen" else asked.sort
    kept = asked.label if label is None else label
    return frame.url("/profiles", q=asked.q, status=asked.status, label=kept, sort=sort, cursor=cursor)
