"""The distributed profile store, as processors write it: an ArangoDB database that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from time import time
from typing import Final, TypeVar
from uuid import uuid4

import msgspec

from leocdp.adapters.arango.barrier import held, passing
from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database, Transaction
from leocdp.adapters.arango.keys import number_key
from leocdp.adapters.arango.migrations import migrate, stored_version
from leocdp.adapters.arango.profiles import aql, upkeep
from leocdp.adapters.arango.profiles import erasure as erasure_of
from leocdp.adapters.arango.profiles.commit import Bounds, Commit
from leocdp.adapters.arango.profiles.documents import replay_record
from leocdp.adapters.arango.profiles.errors import translated
from leocdp.adapters.arango.profiles.head import Head
from leocdp.adapters.arango.profiles.load import load
from leocdp.adapters.arango.profiles.messages import Absent
from leocdp.adapters.arango.profiles.removal import remove_step
from leocdp.adapters.arango.profiles.schema import LEDGER, SCHEMA
from leocdp.adapters.arango.segments import refresh_reads
from leocdp.adapters.arango.threads import Threads
from leocdp.adapters.arango.turns import FINDING_OUT, PATIENCE, Turns
from leocdp.domain.decisions import Changes, LoadRequest, OutboxRecord, Snapshot, SwitchRecord
from leocdp.domain.privacy.ledger import Erasure, ErasureReceipt
from leocdp.domain.segments.subject import EventFact
from leocdp.ports.profile_store import PositionMove, RemovedData, StoredOutbox

READERS: Final = 3
ADOPT_AFTER: Final = 30.0

T = TypeVar("T")


class ArangoProfileStore:
    """``ports.profile_store.ProfileStore`` in ArangoDB.

    Several processors may share it: their commits take turns, each in one transaction. Transactions are the work of
    one thread, in the order of the calls; what only reads is done beside it.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        bounds: Bounds | None = None,
        patience: float = PATIENCE,
        finding_out: float = FINDING_OUT,
        adopt_after: float = ADOPT_AFTER,
    ) -> None:
        """``patience``: seconds that a commit waits for its turn. ``finding_out``: that it takes to find out whether
        it counts, where the answer was lost. ``adopt_after``: after which what another processor has committed and
        not published is published here."""
        self._connection = connection
        self._owner = uuid4().hex
        self._adopt_after = adopt_after
        self._bounds = bounds or Bounds()
        breaker = Breaker()
        self._writer = Threads(connection, breaker, 1, "arango-writer")
        self._readers = Threads(connection, breaker, READERS, "arango-reader")
        self._turns = Turns(LEDGER, self._writer.stopping, patience, finding_out, held=passing)
        self._absent = Absent()
        self._upkeep = upkeep.Upkeep(self._turns, self._bounds)

    async def start(self) -> None:
        self._writer.start()
        self._readers.start()
        try:
            with translated(self._connection):
                await self._writer.repeat(_bring_up)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.close()

    async def load(self, request: LoadRequest) -> Snapshot:
        snapshot, buckets = await self._read(lambda database: load(database, request))
        self._absent.note(request.dedup_keys - snapshot.known, buckets)
        return snapshot

    async def commit(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        commit = Commit(changes, positions, now, bounds=self._bounds, absent=self._absent, owner=self._owner)
        sequence = await self._in_turn(commit.write)
        self._absent.forget(commit.keys)
        return sequence

    async def positions(self, log_id: str) -> Mapping[tuple[str, int], int]:
        head = await self._read(LEDGER.read)
        return {(one.topic, one.partition): one.next for one in head.positions if one.log_id == log_id}

    async def other_logs(self, log_id: str) -> Sequence[str]:
        return [one for one in logs(await self._read(LEDGER.read)) if one != log_id]

    async def held_until(self) -> int | None:
        found = held(await self._read(LEDGER.read))
        return None if found is None else found.until

    async def pending_outbox(self, limit: int) -> Sequence[StoredOutbox]:
        if await self.held_until() is not None:
            # What is published is removed, and that takes no turn.
            return []
        before = int((time() - self._adopt_after) * 1000)
        rows = await self._read(
            lambda database: database.query(aql.PENDING_OUTBOX, owner=self._owner, before=before, limit=limit)
        )
        return [StoredOutbox(row["seq"], msgspec.convert(row["record"], OutboxRecord)) for row in rows]

    async def mark_published(self, sequences: Sequence[int]) -> None:
        keys = [number_key(sequence) for sequence in sequences]
        with translated(self._connection):
            await self._writer.repeat(lambda database: _remove_published(database, keys))

    async def dead_letters_to_replay(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        keys = upkeep.problem_keys(ids)
        rows = await self._read(lambda database: database.query(aql.REPLAY_RECORDS, keys=keys))
        return {str(row["num"]): replay_record(row) for row in rows if row["replay"]}

    async def mark_replayed(self, ids: Sequence[str], at: int) -> None:
        await self._in_turn(lambda transaction, head: upkeep.mark_replayed(transaction, head, ids, at))

    async def tidy(self, now: int) -> None:
        with translated(self._connection):
            await self._writer.run(lambda database: self._upkeep.tidy(database, now))

    async def remove_source(self, source_id: str, *, after: str | None, limit: int) -> RemovedData:
        return await self._in_turn(
            lambda transaction, head: remove_step(transaction, head, source_id, int(after or 0), limit)
        )

    async def people_due(self, shards: Collection[int], now: int, limit: int) -> Sequence[str]:
        return await self._read(lambda database: refresh_reads.people_due(database, shards, now, limit))

    async def people_behind(self, shards: Collection[int], generation: int, limit: int) -> Sequence[str]:
        return await self._read(lambda database: refresh_reads.people_behind(database, shards, generation, limit))

    async def people_labelled(self, label: str, limit: int) -> Sequence[str]:
        return await self._read(lambda database: refresh_reads.people_labelled(database, label, limit))

    async def person_events(
        self, people: Mapping[str, Sequence[str]], *, names: Collection[str], types: Collection[str]
    ) -> Mapping[str, Sequence[EventFact]]:
        return await self._read(lambda database: refresh_reads.person_events(database, people, names, types))

    async def identifiers(self, *, after: str | None, limit: int) -> Sequence[tuple[str, str]]:
        return await self._read(lambda database: erasure_of.identifiers(database, after, limit))

    async def switches_of(self, leaf_ids: Sequence[str]) -> Sequence[SwitchRecord]:
        return await self._read(lambda database: erasure_of.switches_of(database, leaf_ids))

    async def erase(self, erasure: Erasure, mentions: Callable[[str], bool]) -> ErasureReceipt:
        looked = await self._read(lambda database: erasure_of.look_at_problems(database, erasure, mentions))
        return await self._in_turn(
            lambda transaction, head: erasure_of.erase_people(transaction, head, erasure, mentions, looked)
        )

    async def erasure(self, erasure_id: str) -> ErasureReceipt | None:
        return await self._read(lambda database: erasure_of.receipt_of(database, erasure_id))

    async def erasure_keys(self) -> frozenset[str]:
        return frozenset((await self._read(LEDGER.read)).erasure_keys)

    async def _read(self, work: Callable[[Database], T]) -> T:
        with translated(self._connection):
            return await self._readers.repeat(work)

    async def _in_turn(self, work: Callable[[Transaction, Head], T]) -> T:
        with translated(self._connection):
            return await self._writer.run(lambda database: self._turns.run(database, work))


def _bring_up(database: Database) -> None:
    """What there is not is made. What there is, is not changed while a backup is made."""
    if 0 < stored_version(database, SCHEMA) < SCHEMA.version:
        _check_free(database)
    migrate(database, SCHEMA)


def _remove_published(database: Database, keys: Sequence[str]) -> None:
    # It takes no turn, which would cost more than it does. Whoever sets a barrier waits for those who did not see it.
    _check_free(database)
    database.remove("outbox", keys)


def _check_free(database: Database) -> None:
    """Raises Held."""
    if (found := held(LEDGER.read(database))) is not None:
        raise found


def logs(head: Head) -> list[str]:
    """Ids of the logs that positions are stored for, the one that was read last first."""
    latest: dict[str, int] = {}
    for one in head.positions:
        latest[one.log_id] = max(one.sequence, latest.get(one.log_id, 0))
    return sorted(latest, key=lambda log_id: (-latest[log_id], log_id))
