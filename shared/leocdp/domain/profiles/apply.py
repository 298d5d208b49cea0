"""What one event adds to the state of its leaf, and to the fold of the person: the same addition to both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from leocdp.domain.events import Envelope
from leocdp.domain.profiles.bounds import MAX_NAMES, MAX_TRAITS, bound_names, bound_traits
from leocdp.domain.profiles.facts import facts_of
from leocdp.domain.profiles.joins import earlier, later, latest_word
from leocdp.domain.profiles.state import ConsentCell, Register, State

_NOTHING: Final[Mapping[str, Register]] = {}
NAMED_TYPES: Final = frozenset({"track", "page", "screen"})
"""Types whose names are counted: of track events, and of pages and screens where they have one."""


class Addition(Struct, frozen=True):
    """An event as what it adds: made once, joined into the leaf and into the person."""

    event: Envelope
    keys: Sequence[str]
    """Identifiers that its consents speak for."""
    traits: Mapping[str, Register]
    firsts: Mapping[str, Register]
    lasts: Mapping[str, Register]


def addition(event: Envelope, keys: Sequence[str]) -> Addition:
    firsts, lasts = facts_of(event)
    return Addition(
        event,
        keys,
        _registers(event, traits_of(event)),
        _registers(event, firsts),
        _registers(event, lasts),
    )


def traits_of(event: Envelope) -> Mapping[str, Any]:
    """The traits that an event sets: only ``identify`` does (SDKs repeat old ones elsewhere). None is a tombstone."""
    return event.traits if event.type == "identify" else {}


def join_event(state: State, added: Addition) -> Sequence[str]:
    """Join an event into a state, which is changed; returns the names of traits that have another value now.

    Identifier cells are not touched here: who has an identifier is for resolution to say.
    """
    event = added.event
    at = event.timestamp
    _count(state, event)
    if state.first_seen is None or at < state.first_seen:
        state.first_seen = at
    if state.last_seen is None or at > state.last_seen:
        state.last_seen = at
    if event.consent:
        say(state, event.consent, added.keys, at, event.source.id)
    for name, register in added.firsts.items():
        held = state.firsts.get(name)
        state.firsts[name] = register if held is None else earlier(held, register)
    if added.lasts:
        _write(state.lasts, added.lasts)
    if not added.traits:
        return ()
    changed = _write(state.traits, added.traits)
    if len(state.traits) > MAX_TRAITS:
        bound_traits(state.traits)
    return changed


def _count(state: State, event: Envelope) -> None:
    kind, name = event.type, event.name
    state.total += 1
    state.by_type[kind] = state.by_type.get(kind, 0) + 1
    if name and kind in NAMED_TYPES:
        state.by_name[name] = state.by_name.get(name, 0) + 1
        if len(state.by_name) > MAX_NAMES:
            bound_names(state.by_name)


def _write(held: dict[str, Register], new: Mapping[str, Register]) -> list[str]:
    changed: list[str] = []
    for name, register in new.items():
        old = held.get(name)
        held[name] = kept = register if old is None else later(old, register)
        if kept is register and (old is None or old.value != register.value):
            changed.append(name)
    return changed


def say(state: State, words: Mapping[str, bool], keys: Sequence[str], at: int, source: str) -> None:
    """Write one word per purpose for each of the identifiers; later ones that are held already stay."""
    for purpose, granted in words.items():
        cells = state.consents.setdefault(purpose, {})
        word = ConsentCell(granted, at, source)
        for key in keys:
            held = cells.get(key)
            cells[key] = word if held is None else latest_word(held, word)


def _registers(event: Envelope, values: Mapping[str, Any]) -> Mapping[str, Register]:
    if not values:
        return _NOTHING
    at, message_id, source = event.timestamp, event.message_id, event.source.id
    return {name: Register(value, at, message_id, source) for name, value in values.items()}
