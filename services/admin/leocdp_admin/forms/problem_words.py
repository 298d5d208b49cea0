"""The application's problems in the reader's language. Forms check first; what comes through here is the rest."""

from __future__ import annotations

from typing import Final

from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation

KNOWN: Final = {
    "must be an e-mail address": N_("This is not an e-mail address."),
    "needs 10 to 1000 characters": N_("A password needs at least 10 characters."),
    "must not be blank": N_("Please fill this in."),
    'must be "*" or an origin such as https://shop.example.vn, without a path': N_(
        "Write addresses like https://shop.example.vn, without anything after the name."
    ),
    "must be a word of lower-case letters, digits, _ - and .": N_(
        "Use one word of small letters, digits, hyphen, underscore and dot."
    ),
    "must be an IANA name, such as Asia/Ho_Chi_Minh": N_("Choose a time zone from the list, such as Asia/Ho_Chi_Minh."),
    "must be in the future": N_("This must be in the future."),
    "is more than you have yourself": N_("You cannot give more than you have yourself."),
}


def problem_text(problem: str, l10n: Localisation) -> str:
    known = KNOWN.get(problem)
    return l10n.gettext(known) if known else problem
