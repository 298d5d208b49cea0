"""From a value as it was sent to identifiers: one spelling per identifier, and a reason where there is none.

The same for events and for references in the API, so that what was sent can be found the way it was sent.
"""

from __future__ import annotations

from functools import lru_cache
from re import compile
from typing import Any, Final, Literal, NamedTuple

from leocdp.domain.errors import DomainError
from leocdp.domain.identity.blocked import is_blocked, is_blocked_email, is_blocked_phone
from leocdp.domain.identity.identifiers import DEFAULT_SPACE, Identifier
from leocdp.domain.identity.kinds import SOCIAL, KindRule
from leocdp.domain.identity.mail_address import normalise_email
from leocdp.domain.identity.phone_number import PhoneNumber, read_phone
from leocdp.domain.identity.rules import IdentityRules

Reason = Literal["blocked", "malformed", "too_long", "unknown_kind"]
LONGEST_VALUE: Final = 500
_CACHED: Final = 1 << 16
_UNFIT: Final = compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
"""Control characters, lone surrogates and what stands in for them: different values could look the same."""
_MOBILE_LIKE: Final = compile("[0+\uff10\uff0b]")
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


_NOTHING: Final[dict[Reason, Reading]] = {reason: Reading((), reason) for reason in _TEXTS}
_MALFORMED: Final = _NOTHING["malformed"]
_BLOCKED: Final = _NOTHING["blocked"]


def read_value(kind: str, rule: KindRule, value: Any, space: str, rules: IdentityRules) -> Reading:
    """Normalise one candidate of a kind and its rule. ``space`` is the source's id space, kept for kinds that have one.

    Numbers are read as their digits, as clients in other languages would have sent them.
    """
    text = value if isinstance(value, str) else _text(value)
    if text is None:
        return _MALFORMED
    form = rule.form
    if form == "verbatim":
        return _identifier(kind, rule, text, "", rules)
    if form != "id":
        return _contact(kind, text, rules)
    scope = space if rule.spaced and space != DEFAULT_SPACE else ""
    text = text.strip()
    if kind == "user_id" and ("@" in text or text[:1] in "0+" or not text.isascii()):
        return _user_id(text, scope, rules)
    return _identifier(kind, rule, text, scope, rules)


def normalise_ref(kind: str, value: str, space: str, rules: IdentityRules) -> Identifier:
    """The identifier that a reference (``email:A@X.vn``, ``user_id@shop:u-1``) means.

    Raises:
        UnusableIdentifier: no such kind, or a value that can never have become an identifier.
    """
    kind = kind_name(kind)
    rule = rules.find(kind)
    if rule is None:
        raise UnusableIdentifier(kind, "unknown_kind")
    reading = read_value(kind, rule, value, space, rules)
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
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int) and abs(value) < 10**40:
        return str(value)
    return None


def _identifier(kind: str, rule: KindRule, text: str, space: str, rules: IdentityRules) -> Reading:
    reason = _unfit(rule, text, rules)
    return _NOTHING[reason] if reason else Reading((Identifier(kind, text, space),))


def _unfit(rule: KindRule, text: str, rules: IdentityRules) -> Reason | None:
    if len(text) > LONGEST_VALUE:
        return "too_long"
    if not (text.isascii() and text.isprintable()) and _UNFIT.search(text):
        return "malformed"
    return "blocked" if is_blocked(rule, text, rules) else None


@lru_cache(maxsize=_CACHED)
def _contact(kind: str, text: str, rules: IdentityRules) -> Reading:
    """Cached: reading a phone number takes tens of microseconds, and people come back."""
    rule = rules.kind(kind)
    reason = _unfit(rule, text, rules)
    if reason:
        return _NOTHING[reason]
    return _email(kind, rule, text, rules, text) if rule.form == "email" else _phone(kind, rule, text, rules)


def _email(kind: str, rule: KindRule, text: str, rules: IdentityRules, unblocked: str = "") -> Reading:
    """``unblocked`` is a spelling that the rule is known not to block."""
    address = normalise_email(text)
    if address is None:
        return _MALFORMED
    blocked = (address != unblocked and is_blocked(rule, address, rules)) or is_blocked_email(address, rules)
    return _BLOCKED if blocked else Reading((Identifier(kind, address),))


def _phone(kind: str, rule: KindRule, text: str, rules: IdentityRules) -> Reading:
    number = read_phone(text, rules.phone_region)
    return _MALFORMED if number is None else _number(kind, rule, number, rules)


def _number(kind: str, rule: KindRule, number: PhoneNumber, rules: IdentityRules) -> Reading:
    blocked = is_blocked(rule, number.e164, rules) or is_blocked_phone(number, rules)
    return _BLOCKED if blocked else Reading((Identifier(kind, number.e164),))


@lru_cache(maxsize=_CACHED)
def _user_id(text: str, space: str, rules: IdentityRules) -> Reading:
    """A user id that is an e-mail address or a mobile number is written as that, and gives that contact as well.

    It follows the contact's blocked values: ``no-reply@x.vn`` is nobody, as a user id too.
    """
    own = _identifier("user_id", rules.kind("user_id"), text, space, rules)
    contact = own if own.reason else _contact_of(text, rules)
    if contact.reason == "malformed" or not contact.identifiers:
        return own if contact.reason == "malformed" else contact
    found = contact.identifiers[0]
    return Reading((Identifier("user_id", found.value, space), found))


def _contact_of(text: str, rules: IdentityRules) -> Reading:
    """The contact that a user id is, or *malformed* when it is none."""
    address = _email("email", rules.kind("email"), text, rules)
    if address.reason != "malformed" or not _MOBILE_LIKE.match(text):
        return address
    number = read_phone(text, rules.phone_region)
    return _number("phone", rules.kind("phone"), number, rules) if number and number.mobile else _MALFORMED
