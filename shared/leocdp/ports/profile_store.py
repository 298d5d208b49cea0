"""The profile store as the processor sees it: load, then one atomic commit.

Contract, for each adapter (``tests/contract/profile_store.py``):

* ``load`` and ``commit`` take a constant number of round trips, whatever the size of the batch.
* ``commit`` is one transaction: all of it or nothing, **positions included**. A crash at any moment leaves
  either the state before or the state after.
* It raises :class:`Conflict`, and writes nothing, when the decision no longer fits: a position is not at its
  ``old`` value; a claimed identifier, or one in ``absent``, is owned, or a moved one is not as ``expected``; a
  profile or a guard has another revision, or a new profile exists; a deduplication key exists; a command has an
  outcome.
* Deduplication keys of applied events are kept for the horizon and dropped whole buckets at a time.
* Problem events and published outbox records are bounded; history (merges, switches, refusals, reviews) is not.
* The store gives every commit the next ``sequence`` number.
* ``Profile.audience`` is kept with the profile and comes back with it. ``Changes.audiences`` writes it alone, under the
  same revision. Members are rows of their own, counted per segment and hour.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from leocdp.domain.decisions import Changes, LoadRequest, OutboxRecord, Snapshot, SwitchRecord
from leocdp.domain.privacy.ledger import Erasure, ErasureReceipt
from leocdp.domain.segments.subject import EventFact
from leocdp.kit.errors import LeoError


class StoreError(LeoError):
    """Base of all that a store raises.

    StoreError
    ├── StoreUnavailable   retryable: locked, down, timed out
    │   └── StoreHeld      a backup is made; nothing is committed until it is done
    ├── Conflict           retryable: load again, decide again
    ├── StoreInUse         permanent: another processor holds this embedded store
    ├── StoreCorrupt       permanent: damaged or not ours; the message says what to do
    └── SchemaTooNew       permanent: written by a newer version
    """

    code = "store_error"


class StoreUnavailable(StoreError):
    code = "store_unavailable"
    retryable = True


class StoreHeld(StoreUnavailable):
    """``until``: when it ends at the latest (ms UTC)."""

    code = "store_held"

    def __init__(self, until: int) -> None:
        shown = datetime.fromtimestamp(until / 1000, UTC).strftime("%H:%M:%S")
        super().__init__(f"Paused for a backup, until {shown} UTC at the latest. What arrives waits in the log.")
        self.until = until


class Conflict(StoreError):
    code = "conflict"
    retryable = True


class StoreInUse(StoreError):
    code = "store_in_use"


class StoreCorrupt(StoreError):
    code = "store_corrupt"


class SchemaTooNew(StoreError):
    code = "schema_too_new"


class PositionKey(NamedTuple):
    """Positions belong to a log: another log's offsets mean nothing."""

    log_id: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class PositionMove:
    """Compare-and-set of a position: the next offset to read. ``old`` None means that none is stored yet."""

    key: PositionKey
    old: int | None
    new: int


@dataclass(frozen=True, slots=True)
class StoredOutbox:
    """An outbox record that is not published yet, with its place in the order of commits."""

    sequence: int
    record: OutboxRecord


@dataclass(frozen=True, slots=True)
class RemovedData:
    """What one step of :meth:`ProfileStore.remove_source` did."""

    profiles: int
    events: int
    kept: int
    """Profiles that stay as they are, with the source's events, because other sources know them too."""
    next: str | None
    """Where the next step goes on; None: everything has been looked at."""


class ProfileStore(Protocol):
    """What the processor, the only writer, uses."""

    async def start(self) -> None:
        """Open for writing, take the lock, migrate. Raises StoreInUse, StoreCorrupt, SchemaTooNew, StoreUnavailable."""

    async def close(self) -> None:
        """Finish what is running, release the lock. Idempotent."""

    async def load(self, request: LoadRequest) -> Snapshot:
        """Everything a batch can see. Raises StoreUnavailable."""

    async def commit(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        """Write all of it and move the positions, or nothing. Returns the commit's sequence number.

        Raises Conflict, StoreUnavailable.
        """

    async def positions(self, log_id: str) -> Mapping[tuple[str, int], int]:
        """(topic, partition) → next offset to read, of one log."""

    async def other_logs(self, log_id: str) -> Sequence[str]:
        """Ids of other logs that positions are stored for: a sign that the log was exchanged."""

    async def held_until(self) -> int | None:
        """When the barrier that stands now expires (ms UTC); None when none does. See ``ports.barrier``."""

    async def pending_outbox(self, limit: int) -> Sequence[StoredOutbox]:
        """Oldest first."""

    async def mark_published(self, sequences: Sequence[int]) -> None: ...

    async def dead_letters_to_replay(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """Dead letter id → the record to append again."""

    async def mark_replayed(self, ids: Sequence[str], at: int) -> None: ...

    async def tidy(self, now: int) -> None:
        """Drop deduplication buckets past the horizon and trim bounded tables. Cheap when there is nothing to do."""

    async def remove_source(self, source_id: str, *, after: str | None, limit: int) -> RemovedData:
        """Remove what only this source has brought: one transaction that looks at about ``limit`` stored events.

        Begin with ``after`` None and go on with ``next``. A person all of whose events came from the source goes
        with everything: identifiers, events, deduplication keys, history, search rows; counts go back by as much.
        A person whom another source knows too is left as it is. Events without a person go. Starting again from
        the beginning, after a crash, is safe.
        """

    # Segments

    async def people_due(self, shards: Collection[int], now: int, limit: int) -> Sequence[str]:
        """Roots whose audience has ``due`` ≤ now, of these shards (``audience.shard_of``), earliest first."""

    async def people_behind(self, shards: Collection[int], generation: int, limit: int) -> Sequence[str]:
        """Roots of these shards whose audience is of an earlier generation; nobody's audience is generation 0."""

    async def person_events(
        self, people: Mapping[str, Sequence[str]], *, names: Collection[str], types: Collection[str]
    ) -> Mapping[str, Sequence[EventFact]]:
        """Events of people (root → leaves) that conditions ask for: track, page and screen events with one of the
        names, and all events of one of the types. In order of (time, message id); nobody is left out of the answer."""

    async def people_labelled(self, label: str, limit: int) -> Sequence[str]:
        """Some roots that have a label, also one that stands for an imported list; fewer than ``limit`` are all."""

    # Erasure

    async def identifiers(self, *, after: str | None, limit: int) -> Sequence[tuple[str, str]]:
        """(key, leaf) of stored identifiers, ``limit`` at a time, in an order of the store's own.

        ``after`` is the last key of the page before; None begins. Empty at the end.
        """

    async def switches_of(self, leaf_ids: Sequence[str]) -> Sequence[SwitchRecord]:
        """All switches from or to the leaves."""

    async def erase(self, erasure: Erasure, mentions: Callable[[str], bool]) -> ErasureReceipt:
        """Delete people with everything that is kept of them, and write the ledger: all of it or nothing.

        What goes: leaves, identifiers, events, search rows and lists, merges, switches, refusals and reviews that name
        one of the leaves, outbox records that wait, and problem events that belong to a leaf, are of a message that is
        deleted, or whose payload ``mentions`` the person. Counts go back by as much. Deduplication keys stay, so that a
        message that is sent once more is still a duplicate. What is deleted cannot be read from the disk either, as far
        as the engine can see to that.

        An ``id`` that was erased before changes nothing and returns the first receipt. Spells that the ledger has
        already are no error. Raises Conflict, and changes nothing, when a root has another revision or is gone.
        """

    async def erasure(self, erasure_id: str) -> ErasureReceipt | None:
        """The receipt of an erasure that was carried out."""

    async def erasure_keys(self) -> frozenset[str]:
        """Fingerprints of the secrets that the ledger was hashed with; empty when it is empty."""
