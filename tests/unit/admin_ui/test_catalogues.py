"""Both languages are complete: nothing missing, fuzzy, left over, or with other placeholders than the source."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog, Message

from leocdp_admin.i18n.catalogues import LANGUAGES, SOURCE_LANGUAGE, read_catalogue, translations
from leocdp_admin.i18n.extract import extract

TRANSLATED = [language for language in LANGUAGES if language != SOURCE_LANGUAGE]


@pytest.fixture(scope="module")
def source() -> Catalog:
    return extract()


def texts(message: Message) -> list[str]:
    string = message.string
    return list(string) if isinstance(string, tuple | list) else [string]


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_string_of_the_source_is_translated(language: str, source: Catalog) -> None:
    catalogue = read_catalogue(language)
    missing = []
    for message in source:
        found = catalogue.get(message.id, message.context) if message.id else message
        if found is None or (not all(texts(found)) and message.id):
            missing.append(message.id)
    assert missing == [], "run python -m leocdp_admin.i18n.extract and translate what is empty"


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_fuzzy_and_nothing_is_left_over(language: str, source: Catalog) -> None:
    catalogue = read_catalogue(language)
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert [message.id for message in catalogue if message.id and source.get(message.id) is None] == []
    assert not catalogue.obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_are_those_of_the_source(language: str) -> None:
    wrong = {}
    for message in read_catalogue(language):
        ids = list(message.id) if isinstance(message.id, tuple | list) else [message.id]
        wanted = placeholders(ids[-1])
        if message.id and any(placeholders(text) - wanted or wanted - placeholders(text) for text in texts(message)):
            wrong[ids[0]] = texts(message)
    assert wrong == {}


def test_a_language_that_is_not_offered_is_an_error() -> None:
    with pytest.raises(KeyError):
        translations("de")


def test_vietnamese_has_one_form_for_every_number() -> None:
    found = translations("vi")
    assert found.ngettext("%(num)s event", "%(num)s events", 1) == "%(num)s sự kiện"
    assert found.ngettext("%(num)s event", "%(num)s events", 5) == "%(num)s sự kiện"
