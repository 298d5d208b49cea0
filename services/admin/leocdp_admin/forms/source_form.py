"""The form of a source, in plain words, and what it asks the application for."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from leocdp_admin.application.shapes.administration import SourceAsked, SourceShape
from leocdp_admin.forms.form import Form
from leocdp_admin.i18n.localisation import Localisation

FIELDS = ("name", "kind", "origins", "shared_device", "consent_policy", "ip_policy", "id_space", "enabled", "version")


def source_form(source: SourceShape) -> Form:
    return Form.of(
        name=source.name,
        kind=source.kind,
        origins="" if source.origins == ["*"] else " ".join(source.origins),
        shared_device="1" if source.shared_device else "",
        consent_policy=source.consent_policy,
        ip_policy=source.ip_policy,
        id_space=source.id_space,
        enabled="1" if source.enabled else "",
        version=str(source.version),
    )


def new_source_form(name: str = "", kind: str = "browser", origins: str = "") -> Form:
    return Form.of(name=name, kind=kind, origins=origins, enabled="1")


def source_asked(form: Form, l10n: Localisation) -> SourceAsked | None:
    """None when the form has problems, which it then holds."""
    form.need("name", l10n)
    if not form.ok:
        return None
    values: dict[str, Any] = {
        "name": form.values["name"].strip(),
        "kind": form.values["kind"] or "browser",
        "origins": origins(form.values["origins"]),
        "shared_device": bool(form.values["shared_device"]),
        "enabled": bool(form.values["enabled"]),
    }
    values |= {name: form.values[name] for name in ("consent_policy", "ip_policy", "id_space") if form.values[name]}
    try:
        return SourceAsked.model_validate(values)
    except ValidationError as error:
        for found in error.errors():
            form.blame(str(found["loc"][0]), l10n.gettext("This value does not fit here."))
        return None


def origins(text: str) -> list[str]:
    """Addresses separated by spaces, commas or lines, as people paste them: the path after the name does not count."""
    found = [part for part in re.split(r"[\s,]+", text.strip()) if part]
    return [_origin(part) for part in found] or ["*"]


def _origin(text: str) -> str:
    if text == "*":
        return text
    whole = text if "://" in text else f"https://{text}"
    scheme, _, rest = whole.partition("://")
    return f"{scheme.lower()}://{rest.split('/')[0].lower()}"
