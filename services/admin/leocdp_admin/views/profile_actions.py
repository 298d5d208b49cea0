"""What people do to profiles: merge, take back, consents, labels, states of identifiers."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from leocdp_admin.application.shapes.administration import CommandShape
from leocdp_admin.application.shapes.profiles import ConsentStatus, ProfilesAsked
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import Candidate, candidate, person_view

router = APIRouter(route_class=PageRoute, include_in_schema=False)

CANDIDATES = 10


@router.get("/profiles/{profile_id}/merge")
async def choose(frame: CurrentFrame, profile_id: str, q: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Search for the other profile; nothing is searched before something is typed."""
    frame.actor.require("profiles:write")
    profile = await frame.services.profiles.get(frame.actor, profile_id)
    found: list[Candidate] = []
    if q.strip():
        page = await frame.services.profiles.search(frame.actor, ProfilesAsked(q=q, limit=CANDIDATES + 1))
        others = [row for row in page.data if row.id != profile.id]
        found = [candidate(row, frame.l10n) for row in others[:CANDIDATES]]
    return frame.page(
        "profile_merge.html",
        active="profiles",
        profile=profile,
        who=person_view(profile, frame.l10n),
        q=q,
        candidates=found,
    )


@router.post("/profiles/{profile_id}/merge")
async def merge(frame: CurrentFrame, profile_id: str, with_: Annotated[str, Form(alias="with")]) -> Response:
    done = await frame.services.profiles.merge(frame.actor, profile_id, with_)
    survivor = str((done.result or {}).get("into", profile_id))
    return after(frame, done, f"/profiles/{survivor}", "merged")


@router.post("/profiles/{profile_id}/unmerge")
async def unmerge(
    frame: CurrentFrame,
    profile_id: str,
    merge_id: Annotated[str, Form()],
    identifier: Annotated[Literal["keep", "shared"], Form()] = "keep",
) -> Response:
    done = await frame.services.profiles.unmerge(frame.actor, profile_id, merge_id, identifier)
    return after(frame, done, f"/profiles/{profile_id}/identity", "unmerged")


@router.post("/profiles/{profile_id}/labels")
async def labels(frame: CurrentFrame, profile_id: str, labels: Annotated[str, Form(max_length=5000)] = "") -> Response:
    wanted = [label.strip() for label in labels.split(",") if label.strip()]
    done = await frame.services.profiles.set_labels(frame.actor, profile_id, wanted)
    return after(frame, done, f"/profiles/{profile_id}", "labels_saved")


@router.post("/profiles/{profile_id}/consents")
async def consents(frame: CurrentFrame, profile_id: str) -> Response:
    """Only what differs is sent: saying the same again would be a new word of the person."""
    profile = await frame.services.profiles.get(frame.actor, profile_id)
    form = await frame.request.form()
    wanted = {
        purpose: cast(ConsentStatus, given)
        for purpose, now in profile.consents.items()
        if (given := form.get(purpose)) in ("granted", "denied") and given != now.status
    }
    if not wanted:
        return frame.go(f"/profiles/{profile_id}", "consents_unchanged")
    done = await frame.services.profiles.set_consents(frame.actor, profile_id, wanted)
    return after(frame, done, f"/profiles/{profile_id}", "consents_saved")


@router.post("/profiles/{profile_id}/identifiers")
async def identifier_state(
    frame: CurrentFrame,
    profile_id: str,
    kind: Annotated[str, Form()],
    value: Annotated[str, Form()],
    state: Annotated[Literal["active", "shared"], Form()],
    id_space: Annotated[str, Form()] = "default",
) -> Response:
    done = await frame.services.profiles.set_identifier_state(frame.actor, profile_id, kind, value, id_space, state)
    return after(frame, done, f"/profiles/{profile_id}/identity", f"identifier_{state}")


@router.post("/profiles/{profile_id}/allow")
async def allow(frame: CurrentFrame, profile_id: str, with_: Annotated[str, Form(alias="with")]) -> Response:
    done = await frame.services.profiles.lift_cannot_link(frame.actor, profile_id, with_)
    return after(frame, done, f"/profiles/{profile_id}/identity", "allowed")


def after(frame: Frame, done: CommandShape, url: str, said: str) -> Response:
    """Back to where the result is seen; what takes longer says so."""
    return frame.go(url, said if done.state == "applied" else "later")
