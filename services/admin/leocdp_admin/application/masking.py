"""Hide contacts from those who must not see them, wherever in an answer they stand.

The rule is one for all answers: every text is searched for e-mail addresses and phone numbers, and values of fields
that are contacts by name or by kind are hidden whole. It hides too much rather than too little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from re import IGNORECASE, Match, compile
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from phonenumbers import NumberParseException, is_valid_number, parse
from pydantic import BaseModel

from leocdp_admin.application.actor import Actor

HIDDEN_KINDS: Final = frozenset({"email", "phone", "national_id", "push_token"})
"""Kinds of identifier that are contacts or documents; every ``social:`` kind is one too."""

_FIELD_NAMES: Final = compile(
    r"e[-_ ]?mail|phone|mobile|msisdn|whatsapp|zalo|viber|telegram|\btel\b|\bfax\b|national_?id|passport|push_?token"
    r"|card_?number|iban|account_?number|\bip\b|address|street",
    IGNORECASE,
)
_OUR_NUMBERS: Final = frozenset({"offset", "index", "partition", "end", "position", "lag", "count", "total", "version"})
_EMAIL: Final = compile(r"[^\s@%<>()\[\]{},;:\"'=&?/\\|]{1,64}(?:@|%40)[^\s@<>()\[\]{},;:\"'=&?/\\|]+", IGNORECASE)
_PHONE: Final = compile(r"(?<!\d)(?:\+|00|%2B)?\(?\d(?:[ .()/-]{0,2}\d){7,14}(?!\d)", IGNORECASE)
_KEPT: Final = compile(
    # Times, our own ids, UUIDs and hashes: digits that are no number to call.
    r"((?<!\d)(?:19|20)\d\d-(?:0\d|1[0-2])-[0-3]\d(?!\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b[a-z]{3}_[0-9a-f]{28}\b|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b(?=\d*[a-f])[0-9a-f]{16,128}\b)"
)

M = TypeVar("M", bound=BaseModel)


def masked(answer: M, actor: Actor) -> M:
    """The answer as the actor may see it."""
    if not actor.masked:
        return answer
    return answer.__class__.model_validate(mask(answer.model_dump(by_alias=True)))


def mask(value: Any, field: str = "") -> Any:
    """The same value with contacts hidden. ``field`` is the name it stands under."""
    if isinstance(value, Mapping):
        return _mask_object(value, field)
    if isinstance(value, str):
        return _mask_text(value, field)
    if isinstance(value, Sequence):
        return [mask(item, field) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _mask_number(value, field)
    return value


def mask_identifier(kind: str, value: str) -> str:
    """An identifier's value: hidden by kind, or because it is a contact itself."""
    if kind in HIDDEN_KINDS or kind.startswith("social:"):
        return hidden(value)
    return _mask_found(value)


def is_contact(kind: str, value: str) -> bool:
    """Whether to look for this is to look for a contact."""
    return mask_identifier(kind, value) != value


def hidden(value: str) -> str:
    """Enough to tell two apart at a glance, too little to use: ``l•••@e•••`` and ``•••67``."""
    text = unquote(value)
    if "@" in text:
        mailbox, _, domain = text.rpartition("@")
        return f"{mailbox[:1]}•••@{domain[:1]}•••"
    return f"•••{text[-2:]}" if len(text) > 5 else "•••"


def _mask_object(value: Mapping[Any, Any], field: str) -> dict[Any, Any]:
    kind, content = value.get("kind"), value.get("value")
    if isinstance(kind, str) and isinstance(content, str):
        shown = hidden(content) if _is_contact_field(field) else mask_identifier(kind, content)
        identifier = {"kind": _mask_found(kind), "value": shown}
        rest = {name: part for name, part in value.items() if name not in identifier}
        return {**identifier, **_mask_object(rest, field)}
    # Keys may be contacts too: an object of totals per address.
    return {_mask_key(name): mask(part, _inner(field, str(name))) for name, part in value.items()}


def _mask_key(name: Any) -> Any:
    return _mask_found(name) if isinstance(name, str) else name


def _inner(field: str, name: str) -> str:
    """The name a part is judged by: inside of a contact everything is one, whatever it is called."""
    return field if _is_contact_field(field) else name


def _is_contact_field(field: str) -> bool:
    return bool(field) and _FIELD_NAMES.search(field) is not None


def _mask_text(value: str, field: str) -> str:
    return hidden(value) if value and _is_contact_field(field) else _mask_found(value)


def _mask_number(value: float, field: str) -> Any:
    """A number that is one to call: under the name of a contact, or a valid one with its country code."""
    digits = str(abs(int(value))) if isinstance(value, int) or value.is_integer() else ""
    if field in _OUR_NUMBERS or len(digits) < 8:
        return value
    return hidden(digits) if _is_contact_field(field) or _is_number_to_call(digits) else value


def _is_number_to_call(digits: str) -> bool:
    if not 11 <= len(digits) <= 15:
        return False
    try:
        return is_valid_number(parse(f"+{digits}"))
    except NumberParseException:
        return False


def _mask_found(value: str) -> str:
    """Addresses first: what is kept must not cut one in two."""
    text = _EMAIL.sub(_hide, value)
    parts = _KEPT.split(text)
    return "".join(part if place % 2 else _PHONE.sub(_hide, part) for place, part in enumerate(parts))


def _hide(found: Match[str]) -> str:
    return hidden(found.group())
