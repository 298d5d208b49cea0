"""Why something was refused, failed, or left apart, in words, with advice where there is any."""

from __future__ import annotations

from typing import Final

from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.words import kind_name, word

COMMAND_REASONS: Final = {
    "profile_not_found": N_("One of the two profiles does not exist (any more)."),
    "same_person": N_("The two are one profile already."),
    "different_people": N_("The two belong to different people now."),
    "merge_not_found": N_("This merge is not known."),
    "already_undone": N_("This merge was undone already, or another merge came after it. Undo the later one first."),
    "identifier_not_found": N_("This profile does not have it any more."),
    "not_kept_apart": N_("The two profiles are not kept apart (any more)."),
    "unknown_command": N_(
        "The processors are of an older version and do not know this yet. Try again after the upgrade."
    ),
}

REFUSALS: Final = {
    "missing_write_key": N_("No write key was sent"),
    "unknown_write_key": N_("The write key is unknown"),
    "source_disabled": N_("The source is switched off"),
    "origin_not_allowed": N_("The website is not on the source’s list"),
    "rate_limited": N_("Too many requests at once"),
    "empty_body": N_("The request was empty"),
    "invalid_json": N_("Not readable as JSON"),
    "invalid_utf8": N_("The text is not UTF-8"),
    "invalid_encoding": N_("The compression is damaged"),
    "unsupported_encoding": N_("Compressed in a way we do not read"),
    "body_timeout": N_("The request did not arrive in time"),
    "body_too_large": N_("The request is too large"),
    "invalid_batch": N_("The batch has no list of events"),
    "empty_batch": N_("The batch is empty"),
    "too_many_items": N_("Too many events in one request"),
    "context_too_large": N_("The context of the batch is too large"),
    "nothing_accepted": N_("No event of the request was acceptable"),
    "merge_not_supported": N_("This kind of call is not supported"),
    "method_not_allowed": N_("The address was called in the wrong way"),
    "not_found": N_("The address is wrong"),
    "event_too_large": N_("The event is larger than 32 KB"),
    "too_deep": N_("The event is nested too deeply"),
    "not_an_object": N_("The event is no JSON object"),
    "missing_type": N_("The event does not say its type"),
    "unknown_type": N_("The type of the event is unknown"),
    "missing_id": N_("The event says neither who nor which browser"),
    "missing_event": N_("The action has no name"),
    "missing_group_id": N_("The group has no ID"),
    "missing_previous_id": N_("One of the two IDs to link is missing"),
    "invalid_field": N_("A field has an impossible value"),
    "invalid_pixel": N_("The tracking pixel’s address cannot be read"),
    "unreadable": N_("The event cannot be read"),
    "unknown_protocol": N_("The event came in a format that is not known here"),
    "record_unreadable": N_("The record cannot be read"),
    "command_unreadable": N_("The command cannot be read"),
    "known": N_("Received before"),
    "duplicate": N_("Received before"),
    "erased": N_("The person was erased"),
    "defect": N_("Processing failed"),
}
ADVICE: Final = {
    "missing_write_key": N_("Copy the snippet of the source again; it contains the key."),
    "unknown_write_key": N_("Compare the key in the website with the one under Sources. Perhaps it was replaced."),
    "source_disabled": N_("Switch the source on again under Sources if its events are wanted."),
    "origin_not_allowed": N_("Add the address of this website to the source, or remove the snippet from it."),
    "missing_id": N_("Send a userId or an anonymousId with every event."),
    "missing_event": N_("Give the track call a name, such as “Order Completed”."),
    "missing_type": N_("Add type: track, identify, page, screen, group or alias."),
    "unknown_type": N_("Use track, identify, page, screen, group or alias."),
    "event_too_large": N_("Send fewer or shorter properties."),
    "too_many_items": N_("Send at most 2,500 events in one request."),
    "body_too_large": N_("Send fewer events in one request: 500 KB at most."),
}

LEFT_APART: Final = {
    "cannot_link": N_("Somebody undid a merge of the two before."),
    "browser_source": N_("Both are known customers, and a web page alone may not merge two of them."),
    "identifier_cap": N_("The profile has too many IDs already."),
    "merge_cap": N_("The profile was merged too often already."),
    "device_rule": N_("The same device, but a different e-mail or phone: perhaps a shared computer."),
    "alias": N_("A web page alone may not link two customer IDs."),
    "shared": N_("Several people use it, so it decides nothing."),
}
REVIEW_REASONS: Final = {
    "cannot_link": N_("An event connects them, but somebody undid their merge before."),
    "browser_source": N_("An event on a web page connects two customers who are both known."),
    "identifier_cap": N_("They seem to be one person, but together they would have too many IDs."),
    "merge_cap": N_("They seem to be one person, but were merged too often already."),
    "device_rule": N_(
        "Same device, but different e-mail or phone. One person with two addresses, or a shared computer?"
    ),
    "alias": N_("A web page says that two customer IDs are one person."),
}


ONE_EACH: Final = frozenset({"user_id", "crm_id", "national_id"})
"""Kinds of which a person has one."""


def left_apart(reason: str, l10n: Localisation) -> str:
    """``limit:email``: the person would have too many of that kind."""
    head, _, kind = reason.partition(":")
    if head == "limit":
        return _too_many(kind, l10n)
    return word(LEFT_APART, reason, l10n)


def review_reason(reason: str, l10n: Localisation) -> str:
    head, _, kind = reason.partition(":")
    if head == "limit":
        return _too_many(kind, l10n)
    return word(REVIEW_REASONS, reason, l10n)


def _too_many(kind: str, l10n: Localisation) -> str:
    named = {"kind": kind_name(kind, l10n)}
    if kind in ONE_EACH:
        return l10n.gettext("Each has a different %(kind)s, and a person has only one.") % named
    return l10n.gettext("Together they would have too many of these: %(kind)s.") % named


def command_reason(reason: str, l10n: Localisation) -> str:
    if reason.startswith("invalid:"):
        return l10n.gettext("Something in the form is missing.")
    return word(COMMAND_REASONS, reason, l10n)


def problem_reason(reason: str | None, l10n: Localisation) -> str:
    """Why an event was refused, failed or left out."""
    return word(REFUSALS, reason, l10n).capitalize() if reason not in REFUSALS else word(REFUSALS, reason, l10n)


def advice(reason: str | None, l10n: Localisation) -> str:
    found = ADVICE.get(reason or "")
    return l10n.gettext(found) if found else ""
