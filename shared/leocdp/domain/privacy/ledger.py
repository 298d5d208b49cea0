"""What remains of an erased person: keyed hashes of identifiers, each with the times for which they were theirs.

An item that was received in such a time is the erased person's, whenever it is processed: late, on replay, or after a
restore. What is received afterwards is not: the person may come back, as somebody new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

SHORTEST_SECRET: Final = 32


class Spell(NamedTuple):
    """A time for which an identifier was an erased person's: after ``since`` and up to ``until``, ms of arrival.

    A shared tablet goes from one person to another; only what it sent in between is the erased person's.
    """

    since: int
    until: int

    def covers(self, received_at: int) -> bool:
        return self.since < received_at <= self.until


Ledger = Mapping[str, Sequence[Spell]]
"""Hash of an identifier, or the identifier's key where it is known → its spells."""


def covered(ledger: Ledger, key: str, received_at: int) -> bool:
    """Whether an identifier was an erased person's when an item arrived."""
    return any(spell.covers(received_at) for spell in ledger.get(key, ()))


class ErasureKey:
    """The secret that identifiers are hashed with: without it nobody can try out whom a ledger speaks of.

    Processor and admin have the same. ``fingerprint`` tells two secrets apart and gives away neither.
    """

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for a secret of less than 32 bytes."""
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"must have {SHORTEST_SECRET} bytes or more")
        # BLAKE2 takes keys of up to 64 bytes; a longer secret counts as a whole.
        self._key = blake2b(secret, digest_size=64, person=b"leocdp.erase.key").digest()
        self.fingerprint = blake2b(self._key, digest_size=4, person=b"leocdp.erase.fpr").hexdigest()

    def hash(self, identifier: str) -> str:
        """128 bits in hex, of an identifier's key (``email:lan@x.vn``)."""
        data = identifier.encode("utf-8", "surrogatepass")
        return blake2b(data, key=self._key, digest_size=16, person=b"leocdp.erase.idn").hexdigest()


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """A person as it was when the erasure was decided."""

    root: str
    revision: int
    """Of the root: each change to the person writes it, so another one means that the decision is outdated."""
    leaves: tuple[str, ...]
    """All of them, the root included."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What to delete, and what to remember of it."""

    id: str
    """Id of the command."""
    at: int
    """Items received until then are kept away."""
    key: str
    """Fingerprint of the secret that the ledger was hashed with."""
    people: tuple[ErasedPerson, ...]
    """None when nobody is there (any more): then the ledger alone is written."""
    ledger: Mapping[str, tuple[Spell, ...]]
    """By hash."""


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What an erasure has deleted. A store keeps it under the erasure's id."""

    erasure: Erasure
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many ``profiles``, ``events``, ``identifiers``, ``history``, ``problems`` and ``outbox`` records."""
