"""What is said after something was done: a code from a closed set travels in a cookie to the next page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation

NOTICE_COOKIE: Final = "leocdp_notice"
Kind = Literal["success", "info", "danger"]


@dataclass(frozen=True, slots=True)
class Message:
    kind: Kind
    text: str
    link: str = ""
    link_text: str = ""


NOTICES: Final[dict[str, tuple[Kind, str]]] = {
    "later": ("info", N_("Noted. It takes a little longer than usual; reload the page in a moment to see it.")),
    "merged": ("success", N_("The two profiles are one now. You can undo this under Identity.")),
    "unmerged": ("success", N_("The merge is undone. Both profiles exist again.")),
    "consents_saved": ("success", N_("The consents are saved.")),
    "labels_saved": ("success", N_("The labels are saved.")),
    "identifier_shared": ("success", N_("Noted: several people use it. It no longer decides whose an event is.")),
    "identifier_active": ("success", N_("It is in use again.")),
    "allowed": ("success", N_("The two profiles may merge again.")),
    "kept_apart": ("success", N_("Noted: they are two people.")),
    "reopened": ("success", N_("The pair is back in the list.")),
    "replaying": ("success", N_("The events are on their way again. Those that work now leave this list.")),
    "source_saved": ("success", N_("The source is saved. Its changes work within seconds.")),
    "source_deleted": ("success", N_("The source is deleted. Its events and profiles are still here.")),
    "key_replaced": ("success", N_("The key is replaced. Put the new one into your website or system now.")),
    "key_revoked": ("success", N_("The key is revoked.")),
    "saved": ("success", N_("Saved.")),
    "rules_saved": ("success", N_("Saved. The rules hold for events that come from now on.")),
    "scores_saved": ("success", N_("Saved. The scores of everybody are being computed again.")),
    "user_saved": ("success", N_("The user is saved.")),
    "user_deleted": ("success", N_("The user is deleted.")),
    "password_changed": ("success", N_("Your password is changed.")),
    "consents_unchanged": ("info", N_("Nothing was chosen, so nothing changed.")),
    "segment_created": ("success", N_("The segment is saved. Its members are being computed.")),
    "segment_saved": ("success", N_("The segment is saved. A new condition works as soon as it is computed.")),
    "segment_active": ("success", N_("The segment is working again.")),
    "segment_paused": ("success", N_("The segment is paused. Its members stay as they are.")),
    "segment_archived": ("success", N_("The segment is archived. Its members leave it.")),
    "segment_deleted": ("success", N_("The segment is deleted.")),
    "segment_split": ("success", N_("The parts are segments of their own now.")),
    "list_saved": ("success", N_("The list is saved.")),
    "list_deleted": ("success", N_("The list is deleted.")),
    "trait_saved": ("success", N_("The computed detail is saved. It is being computed for everybody.")),
    "trait_deleted": ("success", N_("The computed detail is deleted.")),
    "logged_out": ("info", N_("You are logged out.")),
}


def notice(code: str, l10n: Localisation) -> Message | None:
    """None for a code that is not ours."""
    found = NOTICES.get(code)
    return Message(found[0], l10n.gettext(found[1])) if found else None
