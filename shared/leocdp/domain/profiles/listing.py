"""What a list of people shows of each, and the words by which it is searched. Pure rules over a person's state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from re import compile
from typing import Any, Final, Literal
from unicodedata import combining, normalize

from leocdp.domain.identity.identifiers import Identifier, parse_key
from leocdp.domain.identity.kinds import DEFAULT_KINDS, SOCIAL, KindRule
from leocdp.domain.profiles.state import Register, State
from leocdp.domain.segments.audience import is_list_label

LISTED_IDENTIFIERS: Final = 6
_CONTROLS: Final = compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MAX_NAME: Final = 200
_RULES: Final = {rule.name: rule for rule in DEFAULT_KINDS}
_UNKNOWN: Final = KindRule("", 9, resolves=False)
_FULL_NAMES: Final = ("name", "full_name", "fullName")
_GIVEN_NAMES: Final = ("first_name", "firstName", "firstname")
_FAMILY_NAMES: Final = ("last_name", "lastName", "lastname")

Status = Literal["identified", "anonymous"]


def kind_rule(kind: str) -> KindRule:
    """The default rule of a kind; lists do not depend on configuration. Unknown kinds identify nobody."""
    return _RULES.get(SOCIAL if kind.startswith("social:") else kind, _UNKNOWN)


@lru_cache(maxsize=4096)
def _identifies(head: str) -> bool:
    return kind_rule(head.partition("@")[0]).identifies


def identifying(key: str) -> bool:
    """Whether an identifier key is of a kind of priority 1–5, which makes its person *identified*."""
    head = key.partition(":")[0]
    return _identifies("social:" if head == "social" else head)


def status_of(state: State) -> Status:
    return "identified" if any(map(identifying, state.identifiers)) else "anonymous"


def is_contact(identifier: Identifier) -> bool:
    """A way to reach a person: contact kinds, and ids of other kinds that are an e-mail address or a phone number."""
    if kind_rule(identifier.kind).contact or "@" in identifier.value:
        return True
    value = identifier.value
    return value.startswith(("+", "0")) and len(value) >= 9 and value[1:].isdigit()


def listed_identifiers(state: State) -> Sequence[Identifier]:
    """Identifiers of priority 1–5 in resolution order, at most six; shared and former ones last."""
    found = [
        (state.identifiers[key].state != "active", parse_key(key)) for key in state.identifiers if identifying(key)
    ]
    found.sort(key=lambda pair: (pair[0], kind_rule(pair[1].kind).priority, pair[1]))
    return [identifier for _, identifier in found[:LISTED_IDENTIFIERS]]


def display_name(traits: Mapping[str, Register]) -> str:
    """``name`` (or ``full_name``), else first and last name; empty when nothing of that is text."""
    full = _first_text(traits, _FULL_NAMES)
    if full:
        return full
    parts = (_first_text(traits, _GIVEN_NAMES), _first_text(traits, _FAMILY_NAMES))
    return " ".join(part for part in parts if part)


def labels_of(state: State) -> tuple[str, ...]:
    """The labels that people give and see: not those that stand for imported lists."""
    return tuple(label for label in stored_labels(state) if not is_list_label(label))


def stored_labels(state: State) -> tuple[str, ...]:
    """All labels, by which stores find people: imported lists among them (``segments.audience.list_label``)."""
    if not state.labels:
        return ()
    return tuple(sorted(label for label, cell in state.labels.items() if cell.value))


def fold(text: str) -> str:
    """Text as searches compare it, without case, marks and extra spaces: ``Nguyễn  Văn Đức`` → ``nguyen van duc``."""
    if not text.isascii():
        plain = "".join(char for char in normalize("NFKD", text.casefold()) if not combining(char))
        text = plain.replace("đ", "d")
    return " ".join(_CONTROLS.sub(" ", text.casefold()).split())


def _first_text(traits: Mapping[str, Register], names: Iterable[str]) -> str:
    for name in names:
        cell = traits.get(name)
        text = _text(cell.value) if cell is not None else ""
        if text:
            return text
    return ""


def _text(value: Any) -> str:
    return " ".join(value.split())[:_MAX_NAME] if isinstance(value, str) else ""
