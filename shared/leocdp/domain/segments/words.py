"""A condition in plain words, for people who did not write it: English and Vietnamese, from the same tree.

What is said is exactly what is asked; the names of segments and lists stand for their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from leocdp.domain.segments.nodes import All, Any_, Everyone, Node, Not
from leocdp.domain.segments.phrases import Phrases
from leocdp.domain.segments.simplify import NOBODY, simplified
from leocdp.domain.segments.words_en import English
from leocdp.domain.segments.words_vi import Vietnamese

_LANGUAGES: Final[Mapping[str, type[Phrases]]] = {"en": English, "vi": Vietnamese}


def describe(node: Node, language: str, names: Mapping[str, str]) -> str:
    """``language``: ``en`` or ``vi``, all else is English; ``names``: id of a segment, list or funnel stage → its
    name, the id itself where it has none."""
    phrases = _LANGUAGES.get(language, English)(names)
    plain = simplified(node)
    if isinstance(plain, Everyone):
        return phrases.everyone
    if plain == NOBODY:
        return phrases.nobody
    return phrases.people(_said(phrases, plain, outermost=True))


def _said(phrases: Phrases, node: Node, *, outermost: bool = False) -> str:
    if isinstance(node, All | Any_):
        parts = [_said(phrases, part) for part in node.parts]
        joined = phrases.joined(parts, phrases.and_ if isinstance(node, All) else phrases.or_)
        return joined if outermost else f"({joined})"
    if isinstance(node, Not):
        return phrases.without(_said(phrases, node.part))
    return phrases.leaf(node)
