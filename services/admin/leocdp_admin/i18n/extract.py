"""Find every string that people read, in templates and in Python, and bring the catalogues up to date.

``python -m leocdp_admin.i18n.extract`` adds new strings to each catalogue (empty, to be translated) and drops those
that are gone. A test fails on what is missing or fuzzy.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import write_po

from leocdp_admin.i18n.catalogues import LANGUAGES, SOURCE_LANGUAGE, po_path, read_catalogue

PACKAGE: Final = Path(__file__).resolve().parent.parent
METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS: Final = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}

_UNSTABLE: Final = (
    *(b'"Project-Id-Version', b'"Report-Msgid', b'"POT-Creation', b'"PO-Revision', b'"Last-Translator'),
    *(b'"Language-Team', b'"Generated-By'),
)


def extract() -> Catalog:
    """A catalogue of all strings in the package, with the files they stand in and no line numbers."""
    catalogue = Catalog(project="LEO CDP admin", charset="utf-8")
    found = extract_from_dir(
        PACKAGE, METHODS, OPTIONS, keywords={**DEFAULT_KEYWORDS, "N_": None}, comment_tags=("NOTE:",)
    )
    for file, _line, message, comments, context in found:
        place = (Path(file).as_posix(), None)
        catalogue.add(message, locations=[place], auto_comments=comments, context=context)  # type: ignore[list-item]
    return catalogue


def update(language: str) -> int:
    """Rewrite a catalogue after the source; returns how many strings are still to be translated."""
    template = extract()
    path = po_path(language)
    catalogue = read_catalogue(language) if path.exists() else Catalog(locale=language, charset="utf-8")
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.fuzzy = False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_written(catalogue))
    return sum(1 for message in catalogue if message.id and not _complete(message.string))


def _written(catalogue: Catalog) -> bytes:
    """The file, without the header's dates and addresses, so that it changes only when a string does."""
    catalogue.header_comment = "# Strings of the admin UI. English is the language of the source."
    out = BytesIO()
    write_po(out, catalogue, width=120, sort_output=True, ignore_obsolete=True)
    kept = [line for line in out.getvalue().splitlines(keepends=True) if not line.startswith(_UNSTABLE)]
    return b"".join(kept)


def _complete(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def main() -> int:
    missing = {language: update(language) for language in LANGUAGES if language != SOURCE_LANGUAGE}
    for language, count in missing.items():
        print(f"{language}: {count} strings to translate" if count else f"{language}: complete")
    return 1 if any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
