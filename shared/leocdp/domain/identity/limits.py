"""What keeps people apart: limits per kind of identifier, caps per person, cannot-links, and what counts for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from leocdp.domain.identity.kinds import KindRule
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.state import Profile, State

KindOf = Callable[[str], KindRule]
"""Name of a kind → its rule."""

LIMIT: Final = "limit"
CANNOT_LINK: Final = "cannot_link"
IDENTIFIER_CAP: Final = "identifier_cap"
MERGE_CAP: Final = "merge_cap"


def head_of(key: str) -> str:
    """Everything of an identifier key before its value: kind and id space, over which limits are counted."""
    head, _, rest = key.partition(":")
    return f"social:{rest.partition(':')[0]}" if head == "social" else head


def is_reachable(rule: KindRule) -> bool:
    """A contact or a stronger kind: merges of profiles without one do not count towards the cap."""
    return rule.contact or rule.strong


def holds_reachable(state: State, kind_of: KindOf) -> bool:
    return any(is_reachable(kind_of(head_of(key).partition("@")[0])) for key in state.identifiers)


def holds_strong(state: State, kind_of: KindOf) -> bool:
    return any(kind_of(head_of(key).partition("@")[0]).strong for key in state.identifiers)


def counted(state: State, kind_of: KindOf, without: str | None = None) -> dict[str, int]:
    """Kind and id space → active identifiers, of the kinds whose limit refuses (rolling ones retire instead)."""
    counts: dict[str, int] = {}
    for key, cell in state.identifiers.items():
        if cell.state != "active" or key == without:
            continue
        head = head_of(key)
        rule = kind_of(head.partition("@")[0])
        if rule.limit is not None and not rule.rolling:
            counts[head] = counts.get(head, 0) + 1
    return counts


def broken_limit(mine: dict[str, int], theirs: dict[str, int], kind_of: KindOf) -> str | None:
    """``limit:<kind>`` for the strongest kind that both sides have and that would be too many together.

    A person who is over a limit already (a merge by hand) is not held back by what the other side does not add to.
    """
    broken = []
    for head in mine.keys() & theirs.keys():
        rule = kind_of(head.partition("@")[0])
        if rule.limit is not None and mine[head] + theirs[head] > rule.limit:
            broken.append((rule.priority, rule.name))
    return f"{LIMIT}:{min(broken)[1]}" if broken else None


def kept_apart(one: Profile, other: Profile) -> bool:
    """Whether a person decided that these two roots, or any leaves under them, are two people."""
    return _denies(one, other) or _denies(other, one)


def _denies(one: Profile, other: Profile) -> bool:
    links = one.folded.cannot_link
    return bool(links) and any(links[leaf].value for leaf in other.leaf_ids if leaf in links)


def broken_cap(rules: IdentityRules, one: Profile, other: Profile, more: int, kind_of: KindOf) -> str | None:
    """The cap that a merge of two roots would break; ``more`` identifiers are about to be claimed as well."""
    if too_many(rules, (one.folded, other.folded), more):
        return IDENTIFIER_CAP
    total = one.counted_merges + other.counted_merges + 1
    if total > rules.max_merges and holds_reachable(one.folded, kind_of) and holds_reachable(other.folded, kind_of):
        return MERGE_CAP
    return None


def too_many(rules: IdentityRules, states: Iterable[State], more: int) -> bool:
    return sum(len(state.identifiers) for state in states) + more > rules.max_identifiers
