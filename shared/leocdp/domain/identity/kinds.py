"""The tables that identity rules start from: kinds of identifier, and values that never count as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["id", "email", "phone", "verbatim"]
"""How a kind's values are normalised: trimmed, as an e-mail address, as a phone number, or left as they are."""

STRONG_PRIORITY: Final = 2
IDENTIFYING_PRIORITY: Final = 5
SOCIAL: Final = "social"


@dataclass(frozen=True, slots=True)
class KindRule:
    """One kind of identifier. ``social`` stands for every ``social:<provider>``."""

    name: str
    priority: int
    """1 is the strongest; the strongest identifier of an event anchors it."""
    limit: int | None = None
    """How many a person may have, None for any number."""
    rolling: bool = False
    """Beyond the limit the least recently seen is retired, instead of refusing the new one."""
    device: bool = False
    """It links what one person does on a device; it never brings a second person."""
    contact: bool = False
    """A way to reach a person: may be verified, and a different one beside a device is a sign of another person."""
    resolves: bool = True
    """False: a hint that is kept with the event and finds nobody."""
    spaced: bool = False
    """Its values are numbered by a source's id space."""
    form: Form = "id"

    @property
    def strong(self) -> bool:
        """Names a person by itself: ``user_id`` and the kinds of priority 2."""
        return self.priority <= STRONG_PRIORITY and not self.device

    @property
    def identifies(self) -> bool:
        """A person with one of these is *identified*, without any *anonymous*."""
        return self.resolves and not self.device and self.priority <= IDENTIFYING_PRIORITY


DEFAULT_KINDS: Final = (
    KindRule("user_id", 1, limit=1, spaced=True),
    KindRule("crm_id", 2, limit=1, spaced=True),
    KindRule("national_id", 2, limit=1, spaced=True),
    KindRule("loyalty_id", 2, limit=5, spaced=True),
    KindRule("app_id", 2, limit=5, spaced=True),
    KindRule("fintech_id", 2, limit=5, spaced=True),
    KindRule("email", 3, limit=5, contact=True, form="email"),
    KindRule("phone", 4, limit=5, contact=True, form="phone"),
    KindRule(SOCIAL, 5, limit=5),
    KindRule("device_id", 6, limit=20, rolling=True, device=True, form="verbatim"),
    KindRule("push_token", 6, limit=20, rolling=True, device=True, form="verbatim"),
    KindRule("anonymous_id", 7, limit=100, rolling=True, device=True, form="verbatim"),
    KindRule("fingerprint", 8, device=True, resolves=False, form="verbatim"),
)

_PLACEHOLDERS = """
    null none undefined nil nan true false 0 -1 id email guest anonymous unknown test void not_authenticated distinct_id
"""
DEFAULT_BLOCKED_VALUES: Final = frozenset({*_PLACEHOLDERS.split(), "[object object]"})

_MACHINE_MAILBOXES = ("noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply", "do_not_reply")


@dataclass(frozen=True, slots=True)
class BlockedPattern:
    """Values that match never become identifiers. ``*`` is any text, ``?`` one character; case does not count."""

    pattern: str
    kind: str = ""
    """The kind it is for; empty for all of them."""


DEFAULT_BLOCKED_PATTERNS: Final = (
    *(BlockedPattern(f"{mailbox}{tail}", "email") for mailbox in _MACHINE_MAILBOXES for tail in ("@*", "+*@*")),
    BlockedPattern("test@*", "email"),
)

Check = Literal["all_zero", "mailbox_is_domain", "repeated_digit", "digit_run", "equal_tail"]
CHECKS: Final[Mapping[Check, str]] = {
    "all_zero": "Ids that consist of zeros and separators only.",
    "mailbox_is_domain": "Addresses whose local part is the first label of their domain, such as abc@abc.com.",
    "repeated_digit": "Phone numbers of one repeated digit.",
    "digit_run": "Phone numbers that count up or down, such as 0123456789 or 0987654321.",
    "equal_tail": "Phone numbers that end in seven equal digits.",
}


@dataclass(frozen=True, slots=True)
class SharedThresholds:
    """From where on an identifier is *shared*: known, but it resolves nobody any more."""

    people: int = 10
    """A device that carried more different people than this within ``days`` days."""
    days: int = 30
    user_ids: int = 10
    """A contact that was seen beside more different user ids than this."""
    events_per_hour: int = 5_000
