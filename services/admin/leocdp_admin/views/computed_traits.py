"""Computed details: traits that follow from what people did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from leocdp_admin.application.errors import Conflict, Unacceptable
from leocdp_admin.application.shapes.segments import ComputedTraitAsked
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.segment_words import read_json, written
from leocdp_admin.views.sources import version

router = APIRouter(route_class=PageRoute, include_in_schema=False)

EXAMPLE = {"event": "Order Completed", "fn": "sum", "property": "total", "within": "90d"}


@router.get("/segments/details")
async def details(frame: CurrentFrame) -> Response:
    return await _page(frame, FormState.of(definition=written(EXAMPLE)))


@router.post("/segments/details")
async def create(
    frame: CurrentFrame,
    trait: Annotated[str, Form(max_length=200)] = "",
    definition: Annotated[str, Form(max_length=50_000)] = "",
) -> Response:
    form = FormState.of(trait=trait, definition=definition)
    form.need("trait", frame.l10n)
    if not form.ok:
        return await _page(frame, form, 422)
    try:
        asked = ComputedTraitAsked(trait=trait.strip()[:100], definition=read_json(definition, "definition"))
        await frame.services.computed_traits.create(frame.actor, asked)
    except Unacceptable as error:
        for path, problem in error.problems:
            form.blame("trait" if path == "trait" else "definition", f"{path}: {problem}")
        return await _page(frame, form, error.status)
    except Conflict as error:
        form.blame("trait", frame.l10n.gettext("Another computed detail has this name already."))
        return await _page(frame, form, error.status)
    return frame.go("/segments/details", "trait_saved")


@router.post("/segments/details/{trait_id}/delete")
async def delete(frame: CurrentFrame, trait_id: str, version_: Annotated[str, Form(alias="version")] = "") -> Response:
    await frame.services.computed_traits.delete(frame.actor, trait_id, expected=version(version_))
    return frame.go("/segments/details", "trait_deleted")


async def _page(frame: Frame, form: FormState, status: int = 200) -> Response:
    found = await frame.services.computed_traits.list(frame.actor)
    rows = [(one, written(one.definition)) for one in found]
    return frame.page("computed_traits.html", active="segments", status=status, traits=rows, form=form)
