"""Our codes in the words of people who sell things: kinds of identifiers, outcomes, reasons, actions.

Every table is closed by its producer; a code that is not here is shown as it is, never hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation

KINDS: Final = {
    "user_id": N_("Customer ID"),
    "crm_id": N_("CRM ID"),
    "national_id": N_("National ID"),
    "loyalty_id": N_("Loyalty ID"),
    "app_id": N_("App ID"),
    "fintech_id": N_("Fintech ID"),
    "email": N_("E-mail"),
    "phone": N_("Phone"),
    "social": N_("Social accounts"),
    "device_id": N_("Device"),
    "push_token": N_("Push address"),
    "anonymous_id": N_("Browser or app"),
    "fingerprint": N_("Browser fingerprint"),
}
KIND_ICONS: Final = {
    "user_id": "id-badge-2",
    "email": "mail",
    "phone": "phone",
    "device_id": "device-mobile",
    "push_token": "device-mobile",
    "anonymous_id": "browser",
    "fingerprint": "fingerprint",
}
DEVICE_KINDS: Final = frozenset({"device_id", "push_token", "anonymous_id", "fingerprint"})

STATES: Final = {
    "active": N_("In use"),
    "former": N_("Former"),
    "shared": N_("Shared by several people"),
    "retired": N_("Not seen lately"),
}
STATE_HELP: Final = {
    "active": N_("Events with this belong to this profile."),
    "former": N_("Replaced by another one. Events with it still find this profile."),
    "shared": N_("Several people use it, so it no longer decides whose an event is."),
    "retired": N_("One of many older browsers or devices. Events with it still find this profile."),
}
STATE_COLOURS: Final = {"active": "green", "former": "secondary", "shared": "orange", "retired": "secondary"}

SCORE_HELP: Final = {
    "lead": N_("Shows interest: looks around, reads, leaves contact details."),
    "prospect": N_("Wants something: puts it into the cart, tries it, asks."),
    "engagement": N_("Buys and takes part. Complaints and returns count against it."),
    "loyalty": N_("Comes back and recommends you."),
    "unscored": N_("Gives no points: it is counted, and leads to a stage."),
}

SCORES: Final = {
    "lead": N_("Interest"),
    "prospect": N_("Readiness to buy"),
    "engagement": N_("Engagement"),
    "loyalty": N_("Loyalty"),
    "data_quality": N_("Completeness of the profile"),
}

TYPES: Final = {
    "identify": N_("Details given"),
    "track": N_("Action"),
    "page": N_("Page view"),
    "screen": N_("App screen"),
    "group": N_("Company or group"),
    "alias": N_("IDs linked"),
}
TYPE_ICONS: Final = {
    "identify": "id",
    "track": "bolt",
    "page": "file-text",
    "screen": "device-mobile",
    "group": "users-group",
    "alias": "link",
}

OUTCOMES: Final = {
    "applied": N_("Added to a profile"),
    "duplicate": N_("Sent twice"),
    "filtered": N_("Left out"),
    "dead-lettered": N_("Failed"),
    "rejected": N_("Refused"),
}
OUTCOME_COLOURS: Final = {
    "applied": "green",
    "duplicate": "secondary",
    "filtered": "secondary",
    "dead-lettered": "red",
    "rejected": "orange",
}

ROLES: Final = {"owner": N_("Owner"), "marketer": N_("Marketer"), "viewer": N_("Viewer")}
ROLE_HELP: Final = {
    "owner": N_("May do everything, also users, keys and settings."),
    "marketer": N_("Works with profiles, events and sources. No users, keys or settings."),
    "viewer": N_("May look only. E-mail addresses and phone numbers are hidden."),
}
USER_STATES: Final = {"invited": N_("Invited"), "active": N_("Active"), "disabled": N_("Switched off")}
USER_STATE_COLOURS: Final = {"invited": "azure", "active": "green", "disabled": "secondary"}
KEY_STATES: Final = {"active": N_("Active"), "expired": N_("Expired"), "revoked": N_("Revoked")}
KEY_STATE_COLOURS: Final = {"active": "green", "expired": "orange", "revoked": "secondary"}
SOURCE_KINDS: Final = {"browser": N_("Website or app"), "server": N_("Server")}
CONSENTS: Final = {"granted": N_("Agreed"), "denied": N_("Refused"), "unknown": N_("Not asked")}
CONSENT_COLOURS: Final = {"granted": "green", "denied": "red", "unknown": "secondary"}
PURPOSES: Final = {
    "analytics": N_("Analytics"),
    "marketing": N_("Marketing"),
    "personalization": N_("Personalisation"),
    "sharing": N_("Sharing with partners"),
}
SCOPES: Final = {
    "profiles:read": N_("Read profiles, their events and possible duplicates"),
    "profiles:write": N_("Merge profiles, change consents and labels"),
    "events:read": N_("Read events and problems"),
    "events:write": N_("Replay failed events"),
    "segments:read": N_("Read segments"),
    "segments:write": N_("Change segments"),
    "sources:read": N_("Read sources and their write keys"),
    "sources:write": N_("Create and change sources"),
    "privacy:read": N_("Read privacy requests"),
    "privacy:write": N_("Make privacy requests"),
    "settings:read": N_("Read settings"),
    "admin": N_("Users, keys, settings and audit log"),
}
SCOPES_TO_COME: Final = frozenset({"segments:read", "segments:write"})
"""Scopes of areas that have no screen or route yet: not offered."""


def word(table: Mapping[str, str], code: str | None, l10n: Localisation) -> str:
    """The code in words, or the code itself with its separators opened up."""
    if not code:
        return ""
    known = table.get(code)
    return l10n.gettext(known) if known else code.replace("_", " ").replace("-", " ")


def kind_name(kind: str, l10n: Localisation) -> str:
    """``social:zalo`` is *Zalo*."""
    if kind.startswith("social:"):
        return kind.removeprefix("social:").capitalize()
    return word(KINDS, kind, l10n)


def kind_icon(kind: str) -> str:
    return KIND_ICONS.get(kind, "at" if kind.startswith("social:") else "id")
