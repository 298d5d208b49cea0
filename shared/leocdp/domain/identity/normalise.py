"""From a value as it was sent to identifiers: one spelling per identifier, and a reason where there is none.

The same for events and for references in the API, so that what was sent can be found the way it was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from re import compile
from typing import Any, Final, Literal, NamedTuple

from leocdp.domain.errors import DomainError
from leocdp.domain.identity.blocked import is_blocked, is_blocked_email, is_blocked_phone
from leocdp.domain.identity.identifiers import DEFAULT_SPACE, Identifier
from leocdp.domain.identity.kinds import SOCIAL
from leocdp.domain.identity.mail_address import normalise_email
from leocdp.domain.identity.phone_number import read_phone
from leocdp.domain.identity.rules import IdentityRules

Reason = Literal["blocked", "malformed", "too_long", "unknown_kind"]
LONGEST_VALUE: Final = 500
_CACHED: Final = 1 << 16
_UNFIT: Final = compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates: no key, column or address can hold them all."""
_PROVIDER: Final = compile(r"[a-z0-9_.\-]{1,50}")

_TEXTS: Final[dict[Reason, str]] = {
    "blocked": "is a placeholder or a blocked value, which never identifies anybody",
    "malformed": "cannot be read as such",
    "too_long": f"is longer than {LONGEST_VALUE} characters",
    "unknown_kind": "is no kind of identifier here",
}


class UnusableIdentifier(DomainError):
    """A value cannot be an identifier of this kind; ``reason`` tells why. The value itself is not in the text."""

    code = "identifier_unusable"

    def __init__(self, kind: str, reason: Reason) -> None:
        self.kind = kind
        self.reason: Reason = reason
        super().__init__(f"{kind}: {_TEXTS[reason]}")


class Reading(NamedTuple):
    """What a value gives: identifiers (the asked kind first), or the reason why it gives none."""

    identifiers: tuple[Identifier, ...]
    reason: Reason | None = None


def read_value(kind: str, value: Any, space: str, rules: IdentityRules) -> Reading:
    """Normalise one candidate. ``space`` is the source's id space and only kept for kinds that have one.

    Numbers are read as their digits, as clients in other languages would have sent them.
    """
    text = _text(value)
    if text is None:
        return Reading((), "malformed")
    rule = rules.kind(kind)
    form = rule.form
    if form == "verbatim":
        return _identifier(kind, text, "", rules)
    if form != "id":
        return _contact(kind, text, rules)
    scope = space if rule.spaced and space != DEFAULT_SPACE else ""
    text = text.strip()
    if kind == "user_id" and ("@" in text or "＠" in text or text[:1] in "0+"):
        return _user_id(text, scope, rules)
    return _identifier(kind, text, scope, rules)


def normalise_ref(kind: str, value: str, space: str, rules: IdentityRules) -> Identifier:
    """The identifier that a reference (``email:A@X.vn``, ``user_id@shop:u-1``) means.

    Raises:
        UnusableIdentifier: no such kind, or a value that can never have become an identifier.
    """
    kind = kind_name(kind)
    if not rules.knows(kind):
        raise UnusableIdentifier(kind, "unknown_kind")
    reading = read_value(kind, value, space, rules)
    if reading.reason is not None:
        raise UnusableIdentifier(kind, reading.reason)
    return reading.identifiers[0]


def kind_name(name: str) -> str:
    """A kind as keys write it: the provider of a social kind in lower case, ``social:`` where it is unusable."""
    head, colon, provider = name.partition(":")
    if head != SOCIAL or not colon:
        return name
    provider = provider.strip().lower()
    return f"{SOCIAL}:{provider}" if _PROVIDER.fullmatch(provider) else f"{SOCIAL}:"


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int) and abs(value) < 10**40:
        return str(value)
    return None


def _identifier(kind: str, text: str, space: str, rules: IdentityRules) -> Reading:
    reason = _unfit(kind, text, rules)
    return Reading((), reason) if reason else Reading((Identifier(kind, text, space),))


def _unfit(kind: str, text: str, rules: IdentityRules) -> Reason | None:
    if len(text) > LONGEST_VALUE:
        return "too_long"
    if not text.isprintable() and _UNFIT.search(text):
        return "malformed"
    return "blocked" if is_blocked(kind, text, rules) else None


@lru_cache(maxsize=_CACHED)
def _contact(kind: str, text: str, rules: IdentityRules) -> Reading:
    """Cached: reading a phone number takes tens of microseconds, and people come back."""
    return _READERS[rules.kind(kind).form](kind, text, rules)


def _email(kind: str, text: str, rules: IdentityRules) -> Reading:
    reason = _unfit(kind, text, rules)
    if reason:
        return Reading((), reason)
    address = normalise_email(text)
    if address is None:
        return Reading((), "malformed")
    if is_blocked(kind, address, rules) or is_blocked_email(address, rules):
        return Reading((), "blocked")
    return Reading((Identifier(kind, address),))


def _phone(kind: str, text: str, rules: IdentityRules) -> Reading:
    reason = _unfit(kind, text, rules)
    if reason:
        return Reading((), reason)
    number = read_phone(text, rules.phone_region)
    if number is None:
        return Reading((), "malformed")
    if is_blocked(kind, number.e164, rules) or is_blocked_phone(number, rules):
        return Reading((), "blocked")
    return Reading((Identifier(kind, number.e164),))


_READERS: Final[dict[str, Callable[[str, str, IdentityRules], Reading]]] = {"email": _email, "phone": _phone}


@lru_cache(maxsize=_CACHED)
def _user_id(text: str, space: str, rules: IdentityRules) -> Reading:
    """A user id that is an e-mail address or a mobile number is written as that, and gives that contact as well.

    It follows the contact's blocked values: ``no-reply@x.vn`` is nobody, as a user id too.
    """
    own = _identifier("user_id", text, space, rules)
    if own.reason:
        return own
    contact = _email("email", text, rules)
    if contact.reason == "malformed" and text[0] in "0+":
        number = read_phone(text, rules.phone_region)
        if number and number.mobile:
            contact = _phone("phone", text, rules)
    if contact.reason == "malformed":
        return own
    if contact.reason:
        return contact
    found = contact.identifiers[0]
    return Reading((Identifier("user_id", found.value, space), found))
