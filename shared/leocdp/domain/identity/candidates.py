"""The identifiers of an event that resolution may use, in order: the first is the anchor."""

from __future__ import annotations

from collections import Counter
from typing import Final

from msgspec import Struct

from leocdp.domain.events import Envelope
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.identity.kinds import KindRule
from leocdp.domain.identity.normalise import read_value
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.identity.working_set import WorkingSet

USER_ID: Final = "user_id"
ANONYMOUS_ID: Final = "anonymous_id"
SHARED: Final = "shared"


class Candidate(Struct, frozen=True):
    """A usable identifier of an event. ``former`` marks the old user id of an alias."""

    key: str
    rule: KindRule
    identifier: Identifier
    former: bool = False

    @property
    def is_user(self) -> bool:
        return self.rule.name == USER_ID


def previous_ids(event: Envelope, rules: IdentityRules) -> tuple[Identifier, ...]:
    """What the previous id of an alias may be, in the order in which it is looked up: an anonymous id, a user id.

    Empty for other events, and when the value is blocked or malformed as either.
    """
    if event.type != "alias" or not event.previous_id:
        return ()
    found: list[Identifier] = []
    for kind in (ANONYMOUS_ID, USER_ID):
        reading = read_value(kind, rules.kind(kind), event.previous_id, event.source.id_space, rules)
        found.extend(reading.identifiers[:1])
    return tuple(found)


def candidates(event: Envelope, people: WorkingSet, dropped: Counter[tuple[str, str]]) -> list[Candidate]:
    """Drop what resolves nobody: hints, shared identifiers, and the devices of a source that many people share."""
    found: list[Candidate] = []
    kiosk = event.source.shared_device
    owners = people.owners
    for identifier in event.identifiers:
        kind = identifier.kind
        rule = people.kind(kind)
        key = identifier.key
        owner = owners.get(key)
        if owner is not None and owner.state == "shared":
            people.root_of(owner.leaf)
            dropped[kind, SHARED] += 1
        elif kiosk and rule.device:
            dropped[kind, "shared_device"] += 1
        elif rule.resolves:
            found.append(Candidate(key, rule, identifier))
    if event.type == "alias":
        _add_previous(found, event, people, dropped)
    return found


def _add_previous(
    found: list[Candidate], event: Envelope, people: WorkingSet, dropped: Counter[tuple[str, str]]
) -> None:
    """Put the previous id of an alias behind the user ids: the first of its readings that somebody has, else the
    first, an anonymous id from now on."""
    readings = previous_ids(event, people.rules)
    if not readings:
        dropped[ANONYMOUS_ID, "blocked"] += 1
        return
    owners = people.owners
    chosen = next((one for one in readings if one.key in owners), readings[0])
    for unknown in readings:
        if unknown.key in owners:
            break
        people.nobody_has(unknown.key)
    former = chosen.kind == USER_ID and chosen.key in owners
    owner = owners.get(chosen.key)
    if any(one.key == chosen.key for one in found):
        return
    if owner is not None and owner.state == "shared":
        people.root_of(owner.leaf)
        dropped[chosen.kind, SHARED] += 1
        return
    candidate = Candidate(chosen.key, people.kind(chosen.kind), chosen, former)
    if former:
        found.insert(sum(one.is_user for one in found), candidate)
    else:
        found.append(candidate)
