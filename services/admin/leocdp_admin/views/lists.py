"""Imported lists: make one, upload identifiers, see what was matched."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import Response

from leocdp_admin.application.errors import Conflict, Unacceptable
from leocdp_admin.application.shapes.segments import ImportedShape, ListAsked, ListShape
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.sources import version
from leocdp_admin.views.words import KINDS, word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_BYTES: Final = 16 << 20
UPLOAD_KINDS: Final = ("email", "phone", "user_id", "crm_id", "loyalty_id", "anonymous_id")


@router.get("/segments/lists")
async def lists(frame: CurrentFrame) -> Response:
    return await _all(frame, FormState())


@router.post("/segments/lists")
async def create(frame: CurrentFrame, name: Annotated[str, Form(max_length=200)] = "") -> Response:
    form = FormState.of(name=name)
    form.need("name", frame.l10n)
    if not form.ok:
        return await _all(frame, form, 422)
    try:
        made = await frame.services.lists.create(frame.actor, ListAsked(name=name.strip()[:100]))
    except (Unacceptable, Conflict) as error:
        form.blame("name", frame.l10n.gettext("Another list has this name already."))
        return await _all(frame, form, error.status)
    return frame.go(f"/segments/lists/{made.id}", "list_saved")


@router.get("/segments/lists/{list_id}")
async def show(frame: CurrentFrame, list_id: str) -> Response:
    return _one(frame, await frame.services.lists.get(frame.actor, list_id), FormState())


@router.post("/segments/lists/{list_id}/upload")
async def upload(
    frame: CurrentFrame,
    list_id: str,
    file: Annotated[UploadFile | None, File()] = None,
    text: Annotated[str, Form(max_length=1_000_000)] = "",
    kind: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """A file, or what was pasted."""
    found = await frame.services.lists.get(frame.actor, list_id)
    form = FormState.of(text=text, kind=kind)
    given = await file.read(MOST_BYTES + 1) if file is not None and file.filename else b""
    if len(given) > MOST_BYTES:
        form.blame("file", frame.l10n.gettext("The file is larger than 16 MB. Divide it."))
    elif not given and not text.strip():
        form.blame("file", frame.l10n.gettext("Choose a file, or paste some lines."))
    if not form.ok:
        return _one(frame, found, form, status=422)
    try:
        content = given.decode("utf-8-sig", "replace") if given else text
        outcome = await frame.services.lists.change_by_file(frame.actor, list_id, content, kind)
    except Unacceptable as error:
        form.blame("file", "; ".join(problem.problem for problem in error.problems))
        return _one(frame, found, form, status=422)
    return _one(frame, found, FormState(), outcome)


@router.post("/segments/lists/{list_id}/delete")
async def delete(frame: CurrentFrame, list_id: str, version_: Annotated[str, Form(alias="version")] = "") -> Response:
    await frame.services.lists.delete(frame.actor, list_id, expected=version(version_))
    return frame.go("/segments/lists", "list_deleted")


async def _all(frame: Frame, form: FormState, status: int = 200) -> Response:
    found = await frame.services.lists.list(frame.actor)
    return frame.page("lists.html", active="segments", status=status, lists=found, form=form)


def _one(
    frame: Frame, found: ListShape, form: FormState, outcome: ImportedShape | None = None, status: int = 200
) -> Response:
    kinds = [("", frame.l10n.gettext("As the first line of the file says"))]
    kinds += [(kind, word(KINDS, kind, frame.l10n)) for kind in UPLOAD_KINDS]
    return frame.page(
        "list.html", active="segments", status=status, list=found, form=form, kinds=kinds, outcome=outcome
    )
