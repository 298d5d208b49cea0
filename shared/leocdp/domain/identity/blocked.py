"""Values that name nobody: what programs send when they have no value, and what people type to get past a form."""

from __future__ import annotations

from re import compile
from typing import Final

from leocdp.domain.identity.kinds import Check, KindRule
from leocdp.domain.identity.phone_number import PhoneNumber
from leocdp.domain.identity.rules import IdentityRules

_AROUND: Final = " \t\r\n\"'`\u2018\u2019\u201c\u201d"
_ZEROS: Final = compile(r"[0\s.:_\-{}()]*")
_SHORTEST_RUN: Final = 6
_EQUAL_TAIL: Final = 7
_UP: Final = "01234567890"
_DOWN: Final = "09876543210"
"""A run may end or begin with the 0 beside 9, as on a keyboard; 0901234567 is a person's number, not a run."""


def is_blocked(rule: KindRule, value: str, rules: IdentityRules) -> bool:
    """Whether a value (any spelling) is one of the blocked values or patterns: blank, exact in any quotes and case,
    all zeros, or a pattern of its kind."""
    bare = value.strip(_AROUND).lower()
    if not bare or bare in rules.blocked_values:
        return True
    if bare[0] in "0-{(" and "all_zero" in rules.blocked_checks and _ZEROS.fullmatch(bare):
        return True
    pattern = rules.pattern_for(rule)
    return pattern is not None and pattern.match(bare) is not None


def is_blocked_email(address: str, rules: IdentityRules) -> bool:
    """``abc@abc.com``: what people type when a form insists. ``address`` is normalised."""
    mailbox, _, domain = address.rpartition("@")
    return "mailbox_is_domain" in rules.blocked_checks and mailbox == domain.partition(".")[0]


def is_blocked_phone(number: PhoneNumber, rules: IdentityRules) -> bool:
    """Numbers that are typed, not owned: one digit, counting up or down, or seven equal digits at the end."""
    digits = number.national
    found: dict[Check, bool] = {
        "repeated_digit": len(set(digits)) == 1,
        "digit_run": len(digits) >= _SHORTEST_RUN and (digits in _UP or digits in _DOWN),
        "equal_tail": len(digits) >= _EQUAL_TAIL and len(set(digits[-_EQUAL_TAIL:])) == 1,
    }
    return any(holds and check in rules.blocked_checks for check, holds in found.items())
