"""What a person can be found by, and the ways in which what somebody typed may stand in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from leocdp.domain.identity.identifiers import Identifier, parse_key
from leocdp.domain.identity.normalise import UnusableIdentifier, normalise_ref
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.listing import fold, identifying, is_contact
from leocdp.domain.profiles.state import State

MAX_TEXT: Final = 2_000
LINE: Final = "\n"
"""Between two identifiers of a text: no folded search text contains it."""

_RULES: Final = IdentityRules()
_PUNCTUATION: Final = str.maketrans("", "", " +-.()/")


@dataclass(frozen=True, slots=True)
class SearchText:
    """What a person can be found by, folded. Device identifiers are not in it."""

    name: str
    ids: str
    contacts: str

    @property
    def empty(self) -> bool:
        return not (self.name or self.ids or self.contacts)


def search_text(state: State, name: str) -> SearchText:
    """``name`` is the folded name. One that is an address counts as a contact."""
    ids: list[str] = []
    contacts: list[str] = []
    for key in state.identifiers:
        if identifying(key):
            identifier = parse_key(key)
            (contacts if is_contact(identifier) else ids).append(fold(identifier.value))
    if "@" in name:
        contacts.append(name)
        name = ""
    return SearchText(name, LINE.join(sorted(ids))[:MAX_TEXT], LINE.join(sorted(contacts))[:MAX_TEXT])


def spellings(text: str) -> Sequence[str]:
    """The text as it may stand in a key: as typed, and as an e-mail address or a phone number is kept."""
    found = {text}
    for kind in ("email", "phone"):
        with suppress(UnusableIdentifier):
            found.add(normalise_ref(kind, text, "", _RULES).value)
    return sorted(found)


def named_identifier(text: str) -> Identifier | None:
    """``kind:value`` or ``kind@space:value``, normalised."""
    try:
        given = parse_key(text)
        return normalise_ref(given.kind, given.value, given.space, _RULES)
    except ValueError:
        return None


def parts_of(folded: str) -> Sequence[str]:
    """What to look for inside folded texts: the text, and its digits if it looks like a part of a phone number."""
    return sorted({folded, _digits(folded)} - {""})


def _digits(folded: str) -> str:
    """Without the zero that stands for the country."""
    digits = folded.translate(_PUNCTUATION)
    return digits.lstrip("0") if digits.isdigit() and len(digits.lstrip("0")) >= 3 else ""
