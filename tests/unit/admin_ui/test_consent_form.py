"""The purposes of consent as a form."""

from __future__ import annotations

import pytest

from leocdp_admin.application.settings_in_force import DEFAULT_PURPOSES
from leocdp_admin.application.shapes.administration import ConsentSettings, ConsentSettingsAsked
from leocdp_admin.forms.consent_form import consent_asked, consent_form, rows
from leocdp_admin.forms.form import Form
from leocdp_admin.i18n.localisation import Localisation

EN = Localisation("en", "UTC")


def asked(**typed: str) -> tuple[ConsentSettingsAsked | None, Form]:
    form = consent_form(ConsentSettings(version=2, updated_at=None, **DEFAULT_PURPOSES.model_dump()))
    form.values |= {name.replace("_", "."): value for name, value in typed.items()}
    return consent_asked(form, EN), form


def test_saving_without_a_change_changes_nothing() -> None:
    same, form = asked()
    assert same == DEFAULT_PURPOSES
    assert (form.values["version"], rows(form)) == ("2", [0, 1, 2, 3, 4])


def test_one_is_added_one_renamed_and_one_switched_off() -> None:
    changed, _ = asked(id_4=" telesales", name_4="Calls", on_0="", name_1="News", description_1="Each month")
    assert changed is not None
    assert [(one.id, one.name, one.description) for one in changed.purposes] == [
        ("marketing", "News", "Each month"),
        ("personalization", "Personalization", "Adapt content to the person."),
        ("sharing", "Sharing", "Pass data on to partners."),
        ("telesales", "Calls", ""),
    ]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"id_4": "Tele sales"}, "id.4"),
        ({"name_4": "Calls"}, "id.4"),
        ({"id_4": "marketing"}, "id.4"),
        ({"name_1": "x" * 101}, "name.1"),
        ({"description_1": "x" * 501}, "description.1"),
        ({f"on_{nr}": "" for nr in range(4)}, "id.0"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(typed: dict[str, str], field: str) -> None:
    changed, form = asked(**typed)
    assert changed is None
    assert list(form.problems) == [field]
