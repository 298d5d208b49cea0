"""Commit: compare everything that the decision relied on, write all of it, in one transaction with the positions."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from leocdp.adapters.sqlite.profiles.codec import COMMANDS, OUTBOX, pack_id, pack_key
from leocdp.adapters.sqlite.profiles.dedup import DedupIndex
from leocdp.adapters.sqlite.profiles.erasure import erase_people
from leocdp.adapters.sqlite.profiles.events import insert_events, last_sequence
from leocdp.adapters.sqlite.profiles.heads import Heads
from leocdp.adapters.sqlite.profiles.history import write_history
from leocdp.adapters.sqlite.profiles.members import MemberTable
from leocdp.adapters.sqlite.profiles.people import Written, write_people
from leocdp.adapters.sqlite.profiles.positions import move_positions
from leocdp.adapters.sqlite.profiles.problems import ProblemTable
from leocdp.adapters.sqlite.profiles.removal import remove_step
from leocdp.adapters.sqlite.profiles.rollups import RollupKey, Rollups
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.decisions import Changes, CommandOutcome, OutboxRecord, OwnerWrite
from leocdp.domain.privacy.ledger import Erasure, ErasureReceipt
from leocdp.domain.profiles.counting import HOUR_MS, KEPT_DEAD, KEPT_PROBLEMS
from leocdp.ports.profile_store import Conflict, PositionMove, RemovedData

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how much of what is bounded."""

    horizon_ms: int = 30 * DAY_MS
    problems: int = KEPT_PROBLEMS
    dead_letters: int = KEPT_DEAD


class _Numbers(NamedTuple):
    """The last numbers given out."""

    sequence: int
    profile: int
    event: int


class Committer:
    """Writes commits on one connection. What it remembers between commits is read again after a rollback."""

    def __init__(self, connection: sqlite3.Connection, bounds: Bounds) -> None:
        self._connection = connection
        self._dedup = DedupIndex(connection, bounds.horizon_ms)
        self._problems = ProblemTable(connection, bounds.problems, bounds.dead_letters)
        self._rollups = Rollups(connection)
        self._members = MemberTable(connection)
        self.heads = Heads(connection)
        self._tidied_on = -1
        self._numbers = _read_numbers(connection)
        self._pending = self._numbers
        self._pending_keys: list[tuple[bytes, int]] = []

    def known(self, keys: Collection[bytes]) -> set[bytes]:
        return self._dedup.known(keys) if keys else set()

    def write(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        """Inside a transaction that the caller ends. Returns the sequence number of the commit. Raises Conflict."""
        sequence = self._numbers.sequence + 1
        move_positions(self._connection, positions, sequence)
        self._write_commands(changes.commands)
        self._check_absent(changes.absent)
        self._write_owners(changes.owners)
        written = write_people(self._connection, changes, self._numbers.profile + 1, self.heads)
        keys = insert_events(self._connection, changes.events, self._numbers.event + 1)
        if keys:
            self._dedup.insert(keys, now)
        write_history(self._connection, changes)
        self._write_outbox(changes.outbox)
        self._count(changes, written, now)
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('sequence', ?)", (sequence,))
        self._pending = _Numbers(
            sequence, self._numbers.profile + len(written.created), self._numbers.event + len(keys)
        )
        self._pending_keys = keys
        return sequence

    def committed(self) -> None:
        self._numbers = self._pending
        self.heads.forget()
        self._dedup.committed(self._pending_keys)

    def reload(self) -> None:
        """After a rollback, or when something else than a commit has written."""
        self.heads.forget()
        self._dedup.reload()
        self._problems.reload()
        self._rollups.reload()
        self._members.reload()
        numbers = _read_numbers(self._connection)
        # Numbers are not given out again when the newest rows were removed.
        self._numbers = _Numbers(*map(max, numbers, self._numbers))

    def tidy(self, now: int) -> None:
        """Inside a transaction."""
        self._dedup.drop_expired(now)
        self._rollups.drop_old(now)
        self._tidied_on = now // DAY_MS
        self._rollups.count({"dead_letters": -self._problems.trim()})

    def has_to_tidy(self, now: int) -> bool:
        return now // DAY_MS != self._tidied_on or self._dedup.has_expired(now) or self._problems.over_bounds()

    def remove_source(self, source_id: str, after: int, limit: int) -> RemovedData:
        """Inside a transaction; ``reload`` afterwards."""
        removal = remove_step(self._connection, source_id, after, limit)
        self._rollups.take_back(removal.rollups, removal.names)
        self._rollups.count(removal.shrunk)
        return removal.data

    def erase(self, erasure: Erasure, mentions: Callable[[str], bool]) -> ErasureReceipt:
        """Inside a transaction; ``reload`` afterwards. Raises Conflict."""
        receipt, removal = erase_people(self._connection, erasure, mentions)
        self._rollups.take_back(removal.rollups, removal.names)
        self._rollups.count(removal.shrunk)
        return receipt

    def count_replayed(self, waiting: int) -> None:
        self._rollups.count({"dead_letters": -waiting})

    def _check_absent(self, keys: Collection[str]) -> None:
        sql = "SELECT 1 FROM identifiers WHERE key IN ({in})"
        if any(True for _ in select_in(self._connection, sql, map(pack_key, keys))):
            raise Conflict("An identifier that nobody had was claimed by another commit.")

    def _write_owners(self, owners: Sequence[OwnerWrite]) -> None:
        claims = []
        moves = []
        for write in owners:
            row = (pack_key(write.key), pack_id(write.owner.leaf), _state(write.owner.state))
            if write.expected is None:
                claims.append(row)
            else:
                moves.append((row[1], row[2], row[0], pack_id(write.expected.leaf), _state(write.expected.state)))
        # In the order of the index, so that neighbours share pages.
        claims.sort()
        try:
            self._connection.executemany("INSERT INTO identifiers VALUES (?, ?, ?)", claims)
        except sqlite3.IntegrityError as error:
            raise Conflict("An identifier of the batch was claimed by another commit.") from error
        sql = "UPDATE identifiers SET leaf = ?, state = ? WHERE key = ? AND leaf = ? AND state IS ?"
        if moves and self._connection.executemany(sql, moves).rowcount != len(moves):
            raise Conflict("An identifier of the batch was moved or changed by another commit.")

    def _write_commands(self, commands: Sequence[CommandOutcome]) -> None:
        try:
            self._connection.executemany(
                "INSERT INTO commands VALUES (?, ?)", [(one.id, COMMANDS.encode(one)) for one in commands]
            )
        except sqlite3.IntegrityError as error:
            raise Conflict("A command of the batch has an outcome already.") from error

    def _write_outbox(self, records: Sequence[OutboxRecord]) -> None:
        self._connection.executemany(
            "INSERT INTO outbox (profile, body) VALUES (?, ?)",
            [(pack_id(record.profile_id), OUTBOX.encode(record)) for record in records],
        )

    def _count(self, changes: Changes, written: Written, now: int) -> None:
        grown = Counter(written.grown)
        grown["events"] += len(changes.events)
        if changes.problems:
            grown.update(self._problems.insert(changes.problems))
        counts: Counter[RollupKey] = Counter(("profiles", "", at // HOUR_MS) for at in written.created)
        # Time of the log, not of the clock, so that a rebuilt store draws the same curve.
        hour = max((write.envelope.received_at for write in changes.events), default=now) // HOUR_MS
        counts["identified", "", hour] += written.identified
        if changes.members or written.merged:
            counts.update(self._members.write(changes.members, written.merged, hour))
        self._rollups.add(changes.events, counts)
        self._rollups.count(grown)


def _state(state: str) -> str | None:
    return None if state == "active" else state


def _read_numbers(connection: sqlite3.Connection) -> _Numbers:
    sequence = connection.execute("SELECT value FROM meta WHERE name = 'sequence'").fetchone()
    profile = connection.execute("SELECT max(num) FROM profiles").fetchone()
    return _Numbers(sequence[0] if sequence else 0, profile[0] or 0, last_sequence(connection))
