"""What a person is known to want, from the words that came by each of their identifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leocdp.domain.profiles.state import ConsentCell, State

ConsentStatus = Literal["granted", "denied", "unknown"]


@dataclass(frozen=True, slots=True)
class PersonConsent:
    """The status on one purpose, and the word that decides it."""

    status: ConsentStatus
    at: int | None = None
    source: str = ""


UNKNOWN = PersonConsent("unknown")


def person_consent(state: State, purpose: str) -> PersonConsent:
    """*Denied* if the latest word by any identifier is denied, *granted* if some are granted and none denied.

    So an opt-out survives every merge, and only a later grant that carries the same identifier lifts it.
    The deciding word is the latest of those with that status.
    """
    cells = state.consents.get(purpose)
    if not cells:
        return UNKNOWN
    denied = [cell for cell in cells.values() if not cell.granted]
    word = max(denied or cells.values(), key=_order)
    return PersonConsent("denied" if denied else "granted", word.at, word.source)


def person_consents(state: State) -> dict[str, PersonConsent]:
    """All purposes there is a word on."""
    return {purpose: person_consent(state, purpose) for purpose in sorted(state.consents)}


def _order(cell: ConsentCell) -> tuple[int, str]:
    return (cell.at, cell.source)
