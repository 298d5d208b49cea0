"""What one event adds to the state of its leaf, and to the fold of the person: the same addition to both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from leocdp.domain.events import Envelope
from leocdp.domain.profiles.facts import firsts_of, lasts_of
from leocdp.domain.profiles.joins import earlier, later, latest_word
from leocdp.domain.profiles.state import ConsentCell, Register, State

NAMED_TYPES: Final = frozenset({"track", "page", "screen"})
"""Types whose names are counted: of track events, and of pages and screens where they have one."""


def trait_registers(event: Envelope) -> dict[str, Register]:
    """The traits that an event sets: only ``identify`` does (SDKs repeat old ones elsewhere). None is a tombstone."""
    if event.type != "identify" or not event.traits:
        return {}
    at, message_id, source = event.timestamp, event.message_id, event.source.id
    return {name: Register(value, at, message_id, source) for name, value in event.traits.items()}


def apply_event(state: State, event: Envelope, traits: Mapping[str, Register], keys: Sequence[str]) -> Sequence[str]:
    """Join an event into a state, which is changed. ``keys`` are the identifiers that its consents speak for.

    Returns the names of traits that have another value now. Identifier cells are not touched here: who has an
    identifier is for resolution to say.
    """
    at = event.timestamp
    kind = event.type
    state.total += 1
    state.by_type[kind] = state.by_type.get(kind, 0) + 1
    name = event.name
    if name and kind in NAMED_TYPES:
        state.by_name[name] = state.by_name.get(name, 0) + 1
    if state.first_seen is None or at < state.first_seen:
        state.first_seen = at
    if state.last_seen is None or at > state.last_seen:
        state.last_seen = at
    if event.consent:
        say(state, event.consent, keys, at, event.source.id)
    _facts(state, event)
    return _write(state.traits, traits) if traits else ()


def _write(held: dict[str, Register], traits: Mapping[str, Register]) -> list[str]:
    changed: list[str] = []
    for name, register in traits.items():
        old = held.get(name)
        held[name] = new = register if old is None else later(old, register)
        if new is register and (old is None or old.value != register.value):
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


def _facts(state: State, event: Envelope) -> None:
    for name, value in firsts_of(event).items():
        register = _register(event, value)
        held = state.firsts.get(name)
        state.firsts[name] = register if held is None else earlier(held, register)
    for name, value in lasts_of(event).items():
        register = _register(event, value)
        held = state.lasts.get(name)
        state.lasts[name] = register if held is None else later(held, register)


def _register(event: Envelope, value: Any) -> Register:
    return Register(value, event.timestamp, event.message_id, event.source.id)
