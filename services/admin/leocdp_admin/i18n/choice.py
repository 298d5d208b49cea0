"""Which language a page is shown in: the address, what was remembered, the workspace, the browser, in this order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leocdp_admin.i18n.catalogues import LANGUAGES, SOURCE_LANGUAGE

LANGUAGE_COOKIE: Final = "leocdp_lang"


def choose_language(*, asked: str | None, remembered: str | None, workspace: str | None, accept: str | None) -> str:
    """A code that is offered. ``asked`` is ``?lang=``, ``accept`` the Accept-Language header."""
    for wish in (asked, remembered, workspace, *accepted(accept or "")):
        if wish in LANGUAGES:
            return wish
    return SOURCE_LANGUAGE


def accepted(header: str) -> Iterator[str]:
    """Language codes of an Accept-Language header, best first, regions dropped."""
    weighted = []
    for position, part in enumerate(header.split(",")):
        tag, _, parameters = part.strip().partition(";")
        weighted.append((-_quality(parameters), position, tag.split("-")[0].lower()))
    return (code for quality, _, code in sorted(weighted) if quality < 0)


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
