"""The event as the domain sees it, and the closed sets of what may become of it.

Times in the domain are integers: milliseconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from msgspec import Struct, field

from leocdp.domain.identity.identifiers import Identifier

EVENT_TYPES: Final = ("identify", "track", "page", "screen", "group", "alias")


class EdgeOutcome(StrEnum):
    """What an observer did with an item. Every item ends in exactly one."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Outcome(StrEnum):
    """What processing did with an accepted item. Every accepted item ends in exactly one."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    FILTERED = "filtered"
    DEAD_LETTERED = "dead-lettered"


class Address(NamedTuple):
    """Where an accepted item stands in the event log; ``item`` counts items inside the record."""

    topic: str
    partition: int
    offset: int
    item: int


class SourceFacts(Struct, frozen=True):
    """What resolution needs to know of the source an event came from."""

    id: str
    authenticated: bool = False
    """Its events arrive with a secret key (kind ``server``), so their word may be trusted further."""
    id_space: str = ""
    """Whose numbering its user ids follow; the empty string is the space ``default``."""
    shared_device: bool = False
    """A kiosk, point of sale or call centre: its device identifiers never resolve."""


class Envelope(Struct, frozen=True, kw_only=True):
    """One accepted item, normalised. The same whatever wire protocol brought it.

    ``identifiers`` are the usable ones, normalised, without duplicates, in resolution order
    (priority, kind, value); ``dropped`` tells which candidates were not usable and why.
    ``timestamp`` is corrected for the sender's clock and never later than ``received_at``.
    """

    message_id: str
    type: str
    source: SourceFacts
    protocol: str
    received_at: int
    timestamp: int
    address: Address
    name: str | None = None
    anonymous_id: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    verified: frozenset[Identifier] = frozenset()
    """Contacts that an authenticated source marked as verified on this event."""
    dropped: tuple[tuple[str, str], ...] = ()
    """(kind, reason) for every candidate identifier that was blocked, malformed or unusable."""
    traits: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    integrations: Mapping[str, Any] = field(default_factory=dict)
    consent: Mapping[str, bool] = field(default_factory=dict)
    original_timestamp: int | None = None
    sent_at: int | None = None
    flags: tuple[str, ...] = ()

    @property
    def dedup_key(self) -> bytes:
        return dedup_key(self.source.id, self.message_id)

    @property
    def event_id(self) -> str:
        """Deterministic, sortable by arrival: ``evt_`` + 12 hex digits of time + 16 of hash."""
        return f"evt_{self.received_at:012x}{self.dedup_key[:8].hex()}"


@lru_cache(maxsize=1 << 14)
def dedup_key(source_id: str, message_id: str) -> bytes:
    """128-bit key under which an event is known. Per source, so that nobody can pre-empt another's ids.

    Cached: each event of a batch is asked for it several times on its way.
    """
    return blake2b(f"{source_id}\x1f{message_id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def profile_id_for(source_id: str, message_id: str, received_at: int) -> str:
    """The deterministic id of the profile that an item creates: sortable by the item's arrival.

    ``prf_`` + 12 hex digits (ms of arrival) + 16 hex digits (hash of source and message id).
    """
    return f"prf_{received_at:012x}{dedup_key(source_id, message_id)[8:].hex()}"
