"""What searches look into: one document per person with folded texts, and the n-grams that find it.

Grams of two kinds stand in the indexed lists: ``^`` and the first one to three characters of each word of the name, and
every three characters in a row of the name and of identifiers of priority 1–5 (those of contacts in a list of their
own). A search looks up its rarest gram and compares the texts of what that finds.
"""

from __future__ import annotations

from collections.abc import Iterable
from re import compile
from typing import Any, Final

from leocdp.domain.profiles.search_text import LINE, SearchText

GRAM: Final = 3
_WORD: Final = compile(r"[^\W_]+")


def words(folded: str) -> str:
    """The words of a text with one space before each: a word that begins with *x* contains `` x``."""
    return "".join(f" {word}" for word in _WORD.findall(folded))


def grams(text: str) -> set[str]:
    """All runs of three characters within one line."""
    return {line[n : n + GRAM] for line in text.split(LINE) for n in range(len(line) - GRAM + 1)}


def beginnings(spaced: str) -> set[str]:
    """Of :func:`words`: the first one, two and three characters of each, marked."""
    return {f"^{word[:length]}" for word in spaced.split() for length in range(1, min(GRAM, len(word)) + 1)}


def starts(spaced: str) -> set[str]:
    """Of the words that are looked for: the longest beginning of each that is in the index."""
    return {f"^{word[:GRAM]}" for word in spaced.split()}


def search_document(profile_id: str, text: SearchText) -> dict[str, Any]:
    spaced = words(text.name)
    return {
        "_key": profile_id,
        "words": spaced,
        "name": text.name,
        "ids": text.ids,
        "contacts": text.contacts,
        "grams": _sorted(beginnings(spaced) | grams(text.name) | grams(text.ids)),
        "contact_grams": _sorted(grams(text.contacts)),
    }


def _sorted(found: Iterable[str]) -> list[str]:
    return sorted(found)
