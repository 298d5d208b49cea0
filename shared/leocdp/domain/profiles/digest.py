"""The digest of all people: how two runs over the same events are compared.

It covers what is known of people and nothing of how it is kept: no profile ids, no history, no order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from leocdp.domain.profiles.state import State


@dataclass(frozen=True, slots=True)
class DigestedPerson:
    """A person's fold and the ids of their events, in any order.

    Events without a person belong to one more entry with an empty state.
    """

    state: State
    event_ids: Iterable[str]


def digest(people: Iterable[DigestedPerson]) -> str:
    """SHA-256 (hex) over the people: each as canonical JSON, then their hashes in sorted order.

    Of a person: identifiers with their state, traits with the time they were written (removed ones too),
    counters, first and last time, consents per purpose and identifier, ids of events. Entries that know nothing
    and have no events are left out. Needs 32 bytes of memory per person.
    """
    total = sha256()
    for one in sorted(filter(None, map(_hash, people))):
        total.update(one)
    return total.hexdigest()


def _hash(person: DigestedPerson) -> bytes | None:
    described = describe(person)
    if not any(described.values()):
        return None
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).digest()


def describe(person: DigestedPerson) -> dict[str, Any]:
    """What the digest sees of a person, as JSON values: for tests that have to tell where two runs differ."""
    state = person.state
    return {
        "identifiers": {key: cell.state for key, cell in state.identifiers.items()},
        "traits": {name: [_by_value(register.value), register.at] for name, register in state.traits.items()},
        "total": state.total,
        "by_type": state.by_type,
        "by_name": state.by_name,
        "first_seen": state.first_seen,
        "last_seen": state.last_seen,
        "consents": {
            purpose: {key: [word.granted, word.at] for key, word in words.items()}
            for purpose, words in state.consents.items()
        },
        "events": sorted(person.event_ids),
    }


def _by_value(value: Any) -> Any:
    """Numbers without a fraction as integers: stores differ in whether 1.0 is kept apart from 1."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    if isinstance(value, dict):
        return {key: _by_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_by_value(inner) for inner in value]
    return value
