"""Why an identifier of an event may not join its current person. The reason is shown to people and kept.

Reasons: ``limit:<kind>``, ``cannot_link``, ``browser_source``, ``identifier_cap``, ``merge_cap``, ``device_rule``,
``alias``. The device rule is asked last: where only it stands in the way, the two may well be one person, and
the pair is worth a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leocdp.domain.events import Envelope
from leocdp.domain.identity.candidates import Candidate
from leocdp.domain.identity.limits import (
    CANNOT_LINK,
    IDENTIFIER_CAP,
    LIMIT,
    broken_cap,
    broken_limit,
    counted,
    head_of,
    holds_strong,
    kept_apart,
    too_many,
)
from leocdp.domain.identity.working_set import WorkingSet
from leocdp.domain.profiles.state import Profile, State

DEVICE_RULE: Final = "device_rule"
BROWSER_SOURCE: Final = "browser_source"
ALIAS: Final = "alias"


def claim_obstacle(people: WorkingSet, root: str, claims: Sequence[Candidate], candidate: Candidate) -> str | None:
    """What keeps an identifier that nobody has from the current person, who is about to get ``claims`` too."""
    rule = candidate.rule
    held = people.person(root).identifiers if root else {}
    if rule.limit is not None and not rule.rolling:
        head = candidate.key[: -len(candidate.identifier.value)]
        count = sum(key.startswith(head) and cell.state == "active" for key, cell in held.items())
        count += sum(one.key.startswith(head) for one in claims)
        if count >= rule.limit:
            return f"{LIMIT}:{rule.name}"
    return IDENTIFIER_CAP if len(held) + len(claims) >= people.rules.max_identifiers else None


def merge_obstacle(
    people: WorkingSet,
    event: Envelope,
    found: Sequence[Candidate],
    claims: Sequence[Candidate],
    root: str,
    other_root: str,
    by: Candidate,
) -> str | None:
    """What keeps the current person (``root``, or one still to be made of ``claims``) and another apart."""
    other = people.profiles[other_root]
    mine = people.profiles[root] if root else None
    if by.former and not event.source.authenticated:
        return ALIAS
    if mine and kept_apart(mine, other):
        return CANNOT_LINK
    return (
        _limit(people, mine, claims, other, by)
        or (BROWSER_SOURCE if mine and _names_two(people, event, mine, claims, other) else None)
        or _cap(people, mine, claims, other)
        or (DEVICE_RULE if by.rule.device and _brings_another(people, found, other) else None)
    )


def _limit(
    people: WorkingSet, mine: Profile | None, claims: Sequence[Candidate], other: Profile, by: Candidate
) -> str | None:
    """The old user id of an alias is not counted: it becomes *former* if this merge is allowed."""
    theirs = counted(other.folded, people.kind, by.key if by.former else None)
    if not theirs:
        return None
    ours = counted(mine.folded if mine else State(), people.kind)
    for one in claims:
        head = head_of(one.key)
        ours[head] = ours.get(head, 0) + 1
    return broken_limit(ours, theirs, people.kind)


def _names_two(people: WorkingSet, event: Envelope, mine: Profile, claims: Sequence[Candidate], other: Profile) -> bool:
    """A public key must not unite two people who each have a user id or an id of priority 2.

    A user id that nobody has yet is no second person: it is linked, as contacts and devices are.
    """
    if event.source.authenticated:
        return False
    named = any(one.rule.strong for one in claims) or holds_strong(mine.folded, people.kind)
    return named and holds_strong(other.folded, people.kind)


def _cap(people: WorkingSet, mine: Profile | None, claims: Sequence[Candidate], other: Profile) -> str | None:
    if mine:
        return broken_cap(people.rules, mine, other, len(claims), people.kind)
    return IDENTIFIER_CAP if too_many(people.rules, (other.folded,), len(claims)) else None


def _brings_another(people: WorkingSet, found: Sequence[Candidate], other: Profile) -> bool:
    """The device rule: the device's person has an e-mail (or phone), the event carries a different one, and no
    user id, id of priority 2 or contact of the event ties it to that person."""
    held = other.folded.identifiers
    if any(one.key in held for one in found if one.rule.strong or one.rule.contact):
        return False
    heads = {head_of(one.key) for one in found if one.rule.contact}
    return any(key.startswith(f"{head}:") and held[key].state != "shared" for head in heads for key in held)
