"""What events are worth: points, funnel stages, and how fast points fade."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from leocdp.domain.scoring.model import EVENT_SCORES, Scoring
from leocdp_admin.application.errors import Unacceptable
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.forms.scoring_form import GROUPS, NEW, NEW_MODELS, blame, rows, scoring_asked, scoring_form
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.settings.areas import area_page
from leocdp_admin.views.sources import version
from leocdp_admin.views.words import SCORE_HELP, SCORES, word

router = APIRouter(prefix="/settings/scores", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def show(frame: CurrentFrame) -> Response:
    scoring, version_ = await frame.services.configuration.scoring_table(frame.actor)
    return _page(frame, scoring, scoring_form(scoring, version_))


@router.post("")
async def save(frame: CurrentFrame) -> Response:
    given = await frame.request.form()
    form = FormState.of(**{name: str(value) for name, value in given.items()})
    scoring, _ = await frame.services.configuration.scoring_table(frame.actor)
    asked = scoring_asked(form, scoring, frame.l10n)
    if asked is None:
        return _page(frame, scoring, form, 422)
    try:
        expected = version(form.values["version"])
        await frame.services.configuration.put_scoring_table(frame.actor, asked, expected=expected)
    except Unacceptable as error:
        blame(form, error.problems, frame.l10n)
        return _page(frame, scoring, form, 422)
    return frame.go("/settings/scores", "scores_saved")


@router.post("/reset")
async def reset(frame: CurrentFrame) -> Response:
    await frame.services.configuration.put_scoring(frame.actor, {})
    return frame.go("/settings/scores", "scores_saved")


def _page(frame: Frame, scoring: Scoring, form: FormState, status: int = 200) -> Response:
    l10n = frame.l10n
    table = rows(scoring)
    titles = {**SCORES, "unscored": N_("Without points")}
    groups = [(score, word(titles, score, l10n), l10n.gettext(SCORE_HELP[score]), table[score]) for score in GROUPS]
    stages = [("", "–"), *((stage.id, stage.label.told(l10n.language)) for stage in scoring.stages)]
    return area_page(
        frame,
        "scores",
        status=status,
        form=form,
        new=NEW,
        groups=groups,
        stages=stages,
        scores=[(score, word(SCORES, score, l10n)) for score in EVENT_SCORES],
        models=[(model, word(SCORES, model, l10n)) for model in NEW_MODELS],
    )
