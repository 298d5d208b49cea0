"""Gettext catalogues, read straight from the ``.po`` files: nothing to compile, nothing to forget to compile.

English is the language of the source text, so it needs no catalogue.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = {"en": "English", "vi": "Tiếng Việt"}
"""Code → the language's own name, in the order in which they are offered."""
SOURCE_LANGUAGE: Final = "en"
LOCALE_DIR: Final = Path(__file__).resolve().parent.parent / "locale"


def po_path(language: str) -> Path:
    return LOCALE_DIR / language / "LC_MESSAGES" / "admin.po"


def read_catalogue(language: str) -> Catalog:
    """The catalogue as written, fuzzy and empty strings included. Raises FileNotFoundError."""
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@cache
def translations(language: str) -> NullTranslations:
    """What gettext looks strings up in. Raises KeyError for a language that is not offered."""
    if language not in LANGUAGES:
        raise KeyError(language)
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def N_(message: str) -> str:
    """Marks a string for the catalogue that is translated later, where the reader's language is known."""
    return message
