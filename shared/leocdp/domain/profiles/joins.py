"""Joins of profile states: commutative and associative, so that a person is the same in whatever order it was made.

All values inside a state (registers, cells) are never changed, only replaced, so states may share them; the
dictionaries of a state belong to that state alone. :func:`copy_state` therefore copies the dictionaries only.

Two states that are joined have no event in common: an event belongs to one leaf. Registers, cells and sets are
also idempotent; sums rely on that.
"""

from __future__ import annotations

from collections.abc import Iterable

from leocdp.domain.profiles.bounds import bound_names, bound_traits
from leocdp.domain.profiles.state import ConsentCell, IdentifierCell, Register, State


def later(a: Register, b: Register) -> Register:
    """The register that was written last: by time, then message id, then source (ids are unique per source)."""
    if a.at != b.at:
        return b if b.at > a.at else a
    return b if (b.message_id, b.source) > (a.message_id, a.source) else a


def earlier(a: Register, b: Register) -> Register:
    """The register that was written first, by the same order."""
    if a.at != b.at:
        return b if b.at < a.at else a
    return b if (b.message_id, b.source) < (a.message_id, a.source) else a


def latest_word(a: ConsentCell, b: ConsentCell) -> ConsentCell:
    """The later word on a purpose; at the same time *denied* wins."""
    return b if (b.at, not b.granted, b.source) > (a.at, not a.granted, a.source) else a


def copy_state(state: State) -> State:
    """A state with dictionaries of its own."""
    return State(
        state.traits.copy(),
        state.total,
        state.by_type.copy(),
        state.by_name.copy(),
        state.first_seen,
        state.last_seen,
        state.firsts.copy(),
        state.lasts.copy(),
        {purpose: cells.copy() for purpose, cells in state.consents.items()},
        state.labels.copy(),
        state.identifiers.copy(),
        state.cannot_link.copy(),
    )


def join_into(target: State, other: State) -> State:
    """Add what ``other`` knows to ``target``, which is changed and returned; ``other`` stays as it is."""
    _last_registers(target.traits, other.traits)
    bound_traits(target.traits)
    _last_registers(target.lasts, other.lasts)
    _last_registers(target.labels, other.labels)
    _last_registers(target.cannot_link, other.cannot_link)
    for name, register in other.firsts.items():
        mine = target.firsts.get(name)
        target.firsts[name] = register if mine is None else earlier(mine, register)
    target.total += other.total
    _sums(target.by_type, other.by_type)
    _sums(target.by_name, other.by_name)
    bound_names(target.by_name)
    _span(target, other)
    _consents(target.consents, other.consents)
    _cells(target.identifiers, other.identifiers)
    return target


def fold(states: Iterable[State]) -> State:
    """The person that leaves with these states make together."""
    folded = State()
    for state in states:
        join_into(folded, state)
    return folded


def _last_registers(target: dict[str, Register], other: dict[str, Register]) -> None:
    for name, register in other.items():
        mine = target.get(name)
        target[name] = register if mine is None else later(mine, register)


def _sums(target: dict[str, int], other: dict[str, int]) -> None:
    for name, count in other.items():
        target[name] = target.get(name, 0) + count


def _span(target: State, other: State) -> None:
    if other.first_seen is not None and (target.first_seen is None or other.first_seen < target.first_seen):
        target.first_seen = other.first_seen
    if other.last_seen is not None and (target.last_seen is None or other.last_seen > target.last_seen):
        target.last_seen = other.last_seen


def _consents(target: dict[str, dict[str, ConsentCell]], other: dict[str, dict[str, ConsentCell]]) -> None:
    for purpose, cells in other.items():
        mine = target.get(purpose)
        if mine is None:
            target[purpose] = cells.copy()
            continue
        for key, cell in cells.items():
            held = mine.get(key)
            mine[key] = cell if held is None else latest_word(held, cell)


def _cells(target: dict[str, IdentifierCell], other: dict[str, IdentifierCell]) -> None:
    """A union: a key belongs to one leaf at a time. Should two cells meet, the one seen last stays."""
    for key, cell in other.items():
        mine = target.get(key)
        if mine is None or _rank(cell) > _rank(mine):
            target[key] = cell


def _rank(cell: IdentifierCell) -> tuple[int, int, int, int, str, str]:
    return (cell.last_seen, cell.hour, cell.hour_count, -cell.first_seen, cell.message_id, cell.source)
