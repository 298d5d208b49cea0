"""Errors in the words of the person who meets them: what happened, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.reasons import command_reason

Way = tuple[str, str]
HOME: Final = ("/", N_("To the home page"))


@dataclass(frozen=True, slots=True)
class Explanation:
    heading: str
    text: str
    picture: str
    ways: Sequence[Way]
    again: bool = False
    """Trying again may help."""


_MISSING: Final = N_("We could not find this")
_NOT_NOW: Final = N_("This does not work right now")
_NOT_ALLOWED: Final = N_("You may not do this")
_STORE_AWAY: Final = N_(
    "The profiles cannot be read: the processor has not started yet, or its database is away. Nothing is lost; new "
    "events wait."
)

CODES: Final[dict[str, tuple[str, str, str, Way]]] = {
    "profile_not_found": (
        _MISSING,
        N_("There is no profile with this address. It may have been deleted, or the link was cut short."),
        "user-question",
        ("/profiles", N_("To the profiles")),
    ),
    "privacy_request_not_found": (
        _MISSING,
        N_("There is no privacy request with this number. Check it for typing mistakes."),
        "zoom-question",
        ("/profiles", N_("To the profiles")),
    ),
    "no_erasure_key": (
        N_("Erasing is not set up yet"),
        N_(
            "Whoever runs this installation must set LEOCDP_ERASURE_KEY, the same secret for admin and processors. "
            "Without it nobody could be kept away after an erasure."
        ),
        "shield-lock",
        HOME,
    ),
    "source_not_found": (
        _MISSING,
        N_("There is no such source. Perhaps a colleague deleted it."),
        "plug",
        ("/sources", N_("To the sources")),
    ),
    "user_not_found": (
        _MISSING,
        N_("There is no such user. Perhaps another owner deleted it."),
        "user",
        ("/settings/users", N_("To the users")),
    ),
    "key_not_found": (_MISSING, N_("There is no such key."), "key", ("/settings/keys", N_("To the API keys"))),
    "not_found": (
        _MISSING,
        N_("There is no page with this address. Check it for typing mistakes."),
        "zoom-question",
        HOME,
    ),
    "method_not_allowed": (
        _MISSING,
        N_("This address only takes what a form sends. Open the page from the menu instead."),
        "zoom-question",
        HOME,
    ),
    "defect": (
        N_("Something is wrong on our side"),
        N_("It was written to the log, so that somebody can mend it. Nothing more was done."),
        "alert-triangle",
        HOME,
    ),
    "invalid": (
        N_("This address is not complete"),
        N_("Something in it cannot be understood. Open the page from the menu again."),
        "zoom-question",
        HOME,
    ),
    "dead_letters_not_found": (
        N_("Nothing left to try again"),
        N_("No failed event is waiting that fits. Perhaps a colleague was faster."),
        "circle-check",
        ("/events/quality", N_("To the data quality")),
    ),
    "role_not_allowed": (
        _NOT_ALLOWED,
        N_("Your role does not include this. Ask an owner of this workspace."),
        "shield-lock",
        HOME,
    ),
    "csrf": (
        N_("Please send that again"),
        N_("The page was open for too long, or you logged in again meanwhile. Nothing was changed."),
        "hourglass",
        HOME,
    ),
    "version_mismatch": (
        N_("Somebody was faster"),
        N_("A colleague changed the same thing while you had it open. Nothing of yours was saved; look at it again."),
        "users",
        HOME,
    ),
    "command_refused": (N_("This was not possible"), N_("Nothing was changed."), "ban", HOME),
    "last_owner": (
        N_("This is the last owner"),
        N_("Make somebody else an owner first, so that the workspace keeps one."),
        "user-check",
        ("/settings/users", N_("To the users")),
    ),
    "store_unavailable": (_NOT_NOW, _STORE_AWAY, "cloud-off", HOME),
    "log_unavailable": (
        _NOT_NOW,
        N_("The event log takes nothing at the moment, so nothing was changed. Try again in a minute."),
        "cloud-off",
        HOME,
    ),
}
_OTHERWISE: Final = (
    _NOT_NOW,
    N_("Part of the system does not answer. Nothing was changed. Try again in a minute."),
    "cloud-off",
    HOME,
)
_AGAIN: Final = frozenset({"csrf", "version_mismatch", "command_refused", "store_unavailable", "log_unavailable"})


def explain(status: int, code: str, message: str, l10n: Localisation) -> Explanation:
    """``message``: the application's sentence, used where there is none here; of a refused command, its reason."""
    heading, text, picture, (url, label) = CODES.get(code, _OTHERWISE)
    heading, text = l10n.gettext(heading), l10n.gettext(text)
    if code == "command_refused":
        text = f"{command_reason(message, l10n)} {text}"
    elif code not in CODES and status < 500:
        heading, text, picture = l10n.gettext("This was not possible"), message, "alert-circle"
    again = code in _AGAIN or code not in CODES
    return Explanation(heading, text, picture, [(url, l10n.gettext(label))], again)
