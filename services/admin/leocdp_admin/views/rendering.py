"""Templates: one environment per language, everything escaped, undefined names are errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from leocdp_admin.i18n.catalogues import translations

TEMPLATES_DIR: Final = Path(__file__).resolve().parent.parent / "templates"


@cache
def environment(language: str) -> Environment:
    """Raises KeyError for a language that is not offered."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES_DIR),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return made


def render(template: str, language: str, context: Mapping[str, Any]) -> str:
    return environment(language).get_template(template).render(context)
