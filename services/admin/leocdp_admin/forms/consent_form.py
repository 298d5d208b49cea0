"""The purposes that people are asked for as a form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from leocdp_admin.application.shapes.administration import ConsentSettings, ConsentSettingsAsked, PurposeAsked
from leocdp_admin.forms.form import Form
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation

MOST: Final = 50
LONGEST_NAME: Final = 100
LONGEST_DESCRIPTION: Final = 500
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE: Final = N_("Use small letters, digits and underscore, beginning with a letter: your website sends this word.")
_TWICE: Final = N_("This purpose is there twice.")
_NONE: Final = N_("At least one purpose has to stay.")
_LONG: Final = N_("This is too long.")


def consent_form(settings: ConsentSettings) -> Form:
    form = Form.of(version=str(settings.version))
    for index, purpose in enumerate(settings.purposes):
        form.values |= {f"id.{index}": purpose.id, f"name.{index}": purpose.name, f"on.{index}": "1"}
        form.values[f"description.{index}"] = purpose.description
    if len(settings.purposes) < MOST:
        form.values |= {f"{name}.{len(settings.purposes)}": "" for name in ("id", "name", "description")}
    return form


def rows(form: Form) -> Sequence[int]:
    """The numbers of the rows; the last is the one that is added."""
    return [index for index in range(MOST + 1) if f"id.{index}" in form.values]


def consent_asked(form: Form, l10n: Localisation) -> ConsentSettingsAsked | None:
    """None when the form has problems, which it then holds."""
    found: dict[str, PurposeAsked] = {}
    for index in rows(form):
        row = {name: form.values[f"{name}.{index}"].strip() for name in ("id", "name", "description")}
        added = index == rows(form)[-1] and any(row.values())
        if not (form.values[f"on.{index}"] or added):
            continue
        for problem, field in _problems(row, found):
            form.blame(f"{field}.{index}", l10n.gettext(problem))
        if form.ok:
            found[row["id"]] = PurposeAsked(**row)
    if form.ok and not found:
        form.blame("id.0", l10n.gettext(_NONE))
    return ConsentSettingsAsked(purposes=list(found.values())) if form.ok else None


def _problems(row: dict[str, str], before: dict[str, PurposeAsked]) -> Sequence[tuple[str, str]]:
    found = []
    if not _ID.fullmatch(row["id"]):
        found.append((_CODE, "id"))
    elif row["id"] in before:
        found.append((_TWICE, "id"))
    for field, most in (("name", LONGEST_NAME), ("description", LONGEST_DESCRIPTION)):
        if len(row[field]) > most:
            found.append((_LONG, field))
    return found
