"""How the system is, in one strip: a colour and a sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leocdp_admin.application.health.findings import State
from leocdp_admin.application.health.words import SUMMARIES
from leocdp_admin.application.shapes.administration import CountsShape
from leocdp_admin.i18n.localisation import Localisation

COLOURS: Final[dict[State, str]] = {"ok": "green", "unknown": "secondary", "warning": "orange", "critical": "red"}


@dataclass(frozen=True, slots=True)
class Sign:
    colour: str
    text: str
    url: str = ""


def state_sign(state: State, l10n: Localisation) -> Sign:
    """All of the status page in one sentence."""
    return Sign(COLOURS[state], l10n.gettext(SUMMARIES[state]).rstrip("."), "/settings/status")


def health_signs(lag: int | None, counts: CountsShape, l10n: Localisation) -> Sequence[Sign]:
    return [_lag_sign(lag, l10n), _failed_sign(counts.dead_letters, l10n), _refused_sign(counts.rejected, l10n)]


def _lag_sign(lag: int | None, l10n: Localisation) -> Sign:
    if lag is None:
        return Sign("red", l10n.gettext("The event log does not answer"), "/settings/status")
    if lag == 0:
        return Sign("green", l10n.gettext("Everything received is processed"))
    text = l10n.ngettext("%(num)s delivery is waiting", "%(num)s deliveries are waiting", lag)
    return Sign("yellow" if lag < 1_000 else "orange", text % {"num": l10n.short_number(lag)}, "/settings/status")


def _failed_sign(failed: int, l10n: Localisation) -> Sign:
    if not failed:
        return Sign("green", l10n.gettext("No failed events"))
    text = l10n.ngettext("%(num)s failed event waits for you", "%(num)s failed events wait for you", failed)
    return Sign("red", text % {"num": l10n.short_number(failed)}, "/events/quality")


def _refused_sign(refused: int, l10n: Localisation) -> Sign:
    if not refused:
        return Sign("green", l10n.gettext("No refused events"))
    text = l10n.ngettext("%(num)s refused event", "%(num)s refused events", refused)
    return Sign("yellow", text % {"num": l10n.short_number(refused)}, "/events/quality?outcome=rejected")
