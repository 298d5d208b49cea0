"""Whose an identifier was and when, which people a ledger speaks of, and which items are an erased person's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from leocdp.domain.decisions import SwitchRecord
from leocdp.domain.events import Envelope
from leocdp.domain.identity.candidates import SHARED, previous_ids
from leocdp.domain.identity.identifiers import Identifier, parse_key
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.identity.working_set import WorkingSet
from leocdp.domain.privacy.ledger import Ledger, Spell, covered
from leocdp.domain.profiles.state import Profile

ERASED: Final = "erased"
"""Reason of the outcome *filtered*, and of identifiers that were left out."""


def ledger_of(leaves: Sequence[Profile], switches: Iterable[SwitchRecord], at: int) -> dict[str, tuple[Spell, ...]]:
    """Key of each identifier that a person has, or had until it went to somebody else → when it was theirs.

    ``switches`` are those of the leaves, ``at`` is the time of the erasure. Shared identifiers are everybody's and
    left out.
    """
    own = {leaf.id for leaf in leaves}
    held = {key: cell.state for leaf in leaves for key, cell in leaf.state.identifiers.items()}
    moves: dict[str, list[SwitchRecord]] = {}
    for one in sorted(switches, key=lambda record: (record.at, record.id)):
        if (one.from_leaf in own) != (one.to_leaf in own):
            moves.setdefault(one.identifier, []).append(one)
    spells = {key: _spells(moves.get(key, ()), own, at if key in held else None) for key in {**held, **moves}}
    return {key: found for key, found in spells.items() if found and held.get(key) != SHARED}


def _spells(moves: Sequence[SwitchRecord], own: set[str], until: int | None) -> tuple[Spell, ...]:
    """``moves`` of one identifier to or from the person, oldest first; ``until`` None: it is not theirs now."""
    spells: list[Spell] = []
    left = 0
    since: int | None = None if moves and moves[0].to_leaf in own else 0
    for move in moves:
        if move.to_leaf in own:
            since = move.at if since is None else since
        else:
            spells.append(Spell(left if since is None else since, move.at))
            since, left = None, move.at
    if until is not None:
        spells.append(Spell(left if since is None else since, until))
    return tuple(spells)


def erased_people(ledger: Ledger, roots: Iterable[Profile], rules: IdentityRules) -> list[Profile]:
    """Of people who have an identifier of the ledger (by key): those who are the erased person.

    The strongest identifiers decide, and that the person was made while one of them was the erased person's.
    Somebody with a user id of their own does not go because of a phone number or a tablet that was the erased
    person's at another time; nor somebody who came after the erasure.
    """
    return [root for root in roots if _is_erased(root, ledger, rules)]


def _is_erased(root: Profile, ledger: Ledger, rules: IdentityRules) -> bool:
    strength = {
        key: rules.kind(parse_key(key).kind).priority
        for key, cell in root.folded.identifiers.items()
        if cell.state != SHARED
    }
    best = min(strength.values(), default=None)
    return any(covered(ledger, key, root.created_at) for key, priority in strength.items() if priority == best)


def item_keys(event: Envelope, rules: IdentityRules) -> list[str]:
    """Keys of all identifiers that an item may find somebody by."""
    return [one.key for one in (*event.identifiers, *previous_ids(event, rules))]


def without_erased(event: Envelope, ledger: Ledger, people: WorkingSet) -> Envelope | None:
    """An item as it may be applied, or None when it is an erased person's.

    * Its strongest identifier was the erased person's when it arrived: it is theirs.
    * Nobody is known by its strongest identifier, and another one that names a person or is a way to reach them was
      the erased person's: it is theirs.
    * Otherwise it is somebody else's. What was the erased person's (the family's tablet, a phone number) is left out
      of it: it finds nobody, and nobody gets it.
    """
    gone = {key for key in item_keys(event, people.rules) if covered(ledger, key, event.received_at)}
    if not gone:
        return event
    usable = [one for one in event.identifiers if _is_usable(one, event, people)]
    if not usable or usable[0].key in gone:
        return None if usable or _previous_is_gone(event, gone, people.rules) else _left_out(event, gone, people.rules)
    anchor = usable[0].key
    if anchor not in people.owners and any(one.key in gone and people.kind(one.kind).identifies for one in usable):
        people.nobody_has(anchor)
        return None
    return _left_out(event, gone, people.rules)


def _is_usable(identifier: Identifier, event: Envelope, people: WorkingSet) -> bool:
    rule, owner = people.kind(identifier.kind), people.owners.get(identifier.key)
    if owner is not None and owner.state == SHARED:
        return False
    return rule.resolves and not (event.source.shared_device and rule.device)


def _previous_is_gone(event: Envelope, gone: set[str], rules: IdentityRules) -> bool:
    return any(one.key in gone for one in previous_ids(event, rules))


def _left_out(event: Envelope, gone: set[str], rules: IdentityRules) -> Envelope:
    left_out = [one for one in event.identifiers if one.key in gone]
    return replace(
        event,
        identifiers=tuple(one for one in event.identifiers if one.key not in gone),
        verified=event.verified.difference(left_out),
        dropped=(*event.dropped, *((one.kind, ERASED) for one in left_out)),
        previous_id=None if _previous_is_gone(event, gone, rules) else event.previous_id,
    )
