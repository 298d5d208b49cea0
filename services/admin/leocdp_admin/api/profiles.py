"""``/api/v1/profiles``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Response

from leocdp_admin.api.errors import errors
from leocdp_admin.api.request_parts import Ref
from leocdp_admin.application.shapes.administration import (
    Accepted,
    CommandShape,
    IdentifierResult,
    MergeResult,
    ProfileResult,
    UnmergeResult,
)
from leocdp_admin.application.shapes.base import Asked, ListOf, Shape
from leocdp_admin.application.shapes.events import EventShape
from leocdp_admin.application.shapes.identity import IdentityShape
from leocdp_admin.application.shapes.profiles import (
    IdentifierStateAsked,
    LabelsAsked,
    LookupAsked,
    MergeAsked,
    ProfileEventsAsked,
    ProfileList,
    ProfilesAsked,
    ProfileShape,
    ScoresShape,
    UnmergeAsked,
)
from leocdp_admin.auth.current import CurrentActor, CurrentServices

router = APIRouter(prefix="/profiles", tags=["profiles"])


class IncludeAsked(Asked):
    include: Literal["", "provenance"] = ""


def command_answers(result: type[Shape]) -> dict[int | str, dict[str, Any]]:
    """For ``responses=`` of a route that is an action: its result, or the command that will be applied."""
    return {
        200: {"model": result, "description": "It is applied."},
        202: {"model": Accepted, "description": "It takes longer than some seconds; the command will be applied."},
        **errors(404, 409),
    }


def answer(command: CommandShape, response: Response) -> dict[str, Any]:
    """200 with the result, or 202 with the command's id."""
    if command.state == "pending":
        response.status_code = 202
        return {"command_id": command.id}
    return dict(command.result or {})


@router.get("", responses=errors())
async def list_profiles(
    asked: Annotated[ProfilesAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ProfileList:
    """Find people: exact id, then name prefix, then substring; newest first without `q`."""
    return await services.profiles.search(actor, asked)


@router.post("/lookup", responses=errors(404))
async def lookup_profile(asked: LookupAsked, actor: CurrentActor, services: CurrentServices) -> ProfileShape:
    """One person by an identifier, without a person's data in the address."""
    return await services.profiles.lookup(
        actor, asked.kind, asked.value, asked.id_space, provenance=asked.include == "provenance"
    )


@router.get("/{ref}", responses=errors(404))
async def get_profile(
    ref: Ref, asked: Annotated[IncludeAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ProfileShape:
    """One person. A merged id answers with the survivor."""
    return await services.profiles.get(actor, ref, provenance=asked.include == "provenance")


@router.get("/{ref}/events", responses=errors(404))
async def list_profile_events(
    ref: Ref, asked: Annotated[ProfileEventsAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[EventShape]:
    """The person's events, newest first by `timestamp`, over all profiles that were merged."""
    return await services.profiles.events(actor, ref, asked)


@router.get("/{ref}/scores", responses=errors(404))
async def get_profile_scores(ref: Ref, actor: CurrentActor, services: CurrentServices) -> ScoresShape:
    """Scores and funnel stage, with the events and fields that gave the points."""
    return await services.profiles.scores(actor, ref)


@router.get("/{ref}/identity", responses=errors(404))
async def get_profile_identity(ref: Ref, actor: CurrentActor, services: CurrentServices) -> IdentityShape:
    """Identifiers with provenance, merges, switches, refusals, cannot-links."""
    return await services.profiles.identity(actor, ref)


@router.post("/{ref}/merge", response_model=None, responses=command_answers(MergeResult))
async def merge_profiles(
    ref: Ref, asked: MergeAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> dict[str, Any]:
    """The two are one person: `{"merge_id", "into", "from"}`."""
    return answer(await services.profiles.merge(actor, ref, asked.with_), response)


@router.post("/{ref}/unmerge", response_model=None, responses=command_answers(UnmergeResult))
async def unmerge_profiles(
    ref: Ref, asked: UnmergeAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> dict[str, Any]:
    """Take a merge back: `{"profiles": [id, id]}`."""
    return answer(await services.profiles.unmerge(actor, ref, asked.merge_id, asked.identifier), response)


@router.put("/{ref}/consents", response_model=None, responses=command_answers(ProfileResult))
async def put_consents(
    ref: Ref,
    consents: Annotated[dict[str, Literal["granted", "denied"]], Body(examples=[{"marketing": "granted"}])],
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> dict[str, Any]:
    """Consent per purpose, for all identifiers of the person; purposes that are left out stay."""
    return answer(await services.profiles.set_consents(actor, ref, dict(consents)), response)


@router.put("/{ref}/labels", response_model=None, responses=command_answers(ProfileResult))
async def put_labels(
    ref: Ref, asked: LabelsAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> dict[str, Any]:
    """All labels that the person shall have."""
    return answer(await services.profiles.set_labels(actor, ref, asked.labels), response)


@router.put("/{ref}/identifiers", response_model=None, responses=command_answers(IdentifierResult))
async def put_identifier_state(
    ref: Ref, asked: IdentifierStateAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> dict[str, Any]:
    """Make an identifier `shared`, so that it resolves nobody any more, or `active` again."""
    command = await services.profiles.set_identifier_state(
        actor, ref, asked.kind, asked.value, asked.id_space, asked.state
    )
    return answer(command, response)


@router.post("/{ref}/cannot-link/lift", response_model=None, responses=command_answers(ProfileResult))
async def lift_cannot_link(
    ref: Ref, asked: MergeAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> dict[str, Any]:
    """Two people that an un-merge keeps apart may come together again."""
    return answer(await services.profiles.lift_cannot_link(actor, ref, asked.with_), response)
