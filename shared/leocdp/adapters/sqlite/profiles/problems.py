"""Items that were not simply applied: rejected, filtered, duplicate, dead-lettered. Bounded, dead letters apart."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from leocdp.adapters.sqlite.profiles.codec import pack_optional
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.decisions import ItemOutcome
from leocdp.domain.profiles.counting import COUNTER_OF, DEAD, KEPT_DEAD, KEPT_PROBLEMS
from leocdp.ports.profile_reader import ProblemEvent

COLUMNS: Final = (
    'num, outcome, reason, at, topic, partition, "offset", item, source, message_id, type, name, error, payload,'
    " replayed_at"
)
_INSERT: Final = (
    'INSERT INTO problems (outcome, reason, at, topic, partition, "offset", item, source, message_id, type, name,'
    " error, profile, payload, replay) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class ProblemTable:
    """The writer's side."""

    def __init__(self, connection: sqlite3.Connection, kept: int = KEPT_PROBLEMS, kept_dead: int = KEPT_DEAD) -> None:
        self._connection = connection
        self._kept, self._kept_dead = kept, kept_dead
        self.reload()

    def reload(self) -> None:
        """Count what is there; after a rollback too."""
        rows = self._connection.execute("SELECT outcome = ?, count(*) FROM problems GROUP BY 1", (DEAD,)).fetchall()
        self._counts: dict[bool, int] = {bool(dead): count for dead, count in rows}

    def insert(self, problems: Sequence[ItemOutcome]) -> Counter[str]:
        """Inside a transaction. Returns what the counters grow by."""
        others = [one for one in problems if one.outcome != DEAD]
        dead = [one for one in problems if one.outcome == DEAD]
        rows = [_row(one) for one in (*others[-self._kept :], *dead)]
        self._connection.executemany(_INSERT, rows)
        self._counts[False] = self._counts.get(False, 0) + len(rows) - len(dead)
        self._counts[True] = self._counts.get(True, 0) + len(dead)
        grown = Counter(COUNTER_OF[one.outcome] for one in problems)
        if self.over_bounds():
            grown["dead_letters"] -= self.trim()
        return grown

    def over_bounds(self) -> bool:
        """More than a quarter over: trimming is worth a pass over the oldest."""
        return self._counts.get(False, 0) > self._kept * 5 // 4 or self._counts.get(True, 0) > self._kept_dead * 5 // 4

    def trim(self) -> int:
        """Inside a transaction: delete the oldest beyond the bounds. Returns how many waiting dead letters went."""
        gone = 0
        for dead, kept in ((False, self._kept), (True, self._kept_dead)):
            if self._counts.get(dead, 0) > kept:
                gone += self._trim(dead, kept)
        return gone

    def _trim(self, dead: bool, kept: int) -> int:
        outcomes = [DEAD] if dead else [one for one in COUNTER_OF if one != DEAD]
        marks = ",".join("?" * len(outcomes))
        select = f"SELECT num FROM problems WHERE outcome IN ({marks}) ORDER BY num DESC LIMIT 1 OFFSET ?"  # noqa: S608
        last = self._connection.execute(select, (*outcomes, kept)).fetchone()
        if last is None:
            return 0
        where = f"outcome IN ({marks}) AND num <= ?"
        bound = (*outcomes, last[0])
        waiting = 0
        if dead:
            counted = f"SELECT count(*) FROM problems WHERE {where} AND replayed_at IS NULL"  # noqa: S608
            waiting = self._connection.execute(counted, bound).fetchone()[0]
        self._connection.execute(f"DELETE FROM problems WHERE {where}", bound)  # noqa: S608
        self._counts[dead] = kept
        return int(waiting)


def replay_records(connection: sqlite3.Connection, ids: Iterable[str]) -> Mapping[str, bytes]:
    """Of the dead letters that have not been replayed yet."""
    sql = f"SELECT num, replay FROM problems WHERE outcome = '{DEAD}' AND replayed_at IS NULL AND num IN ({{in}})"  # noqa: S608
    rows = select_in(connection, sql, numbers(ids))
    return {str(num): replay for num, replay in rows if replay}


def mark_replayed(connection: sqlite3.Connection, ids: Iterable[str], at: int) -> int:
    """Inside a transaction. Returns how many were waiting until now."""
    sql = f"UPDATE problems SET replayed_at = ? WHERE num = ? AND outcome = '{DEAD}' AND replayed_at IS NULL"  # noqa: S608
    return max(connection.executemany(sql, [(at, num) for num in numbers(ids)]).rowcount, 0)


def numbers(ids: Iterable[str]) -> list[int]:
    """Ids of problem events are decimal numbers; anything else names none."""
    return [int(one) for one in ids if one.isascii() and one.isdigit() and len(one) < 19]


def problem_event(row: tuple[Any, ...]) -> ProblemEvent:
    """From the columns of ``COLUMNS``."""
    return ProblemEvent(str(row[0]), *row[1:])


def _row(one: ItemOutcome) -> tuple[Any, ...]:
    return (
        str(one.outcome),
        one.reason,
        one.at,
        *one.address,
        one.source_id,
        one.message_id,
        one.type,
        one.name,
        one.error,
        pack_optional(one.profile_id),
        one.payload,
        one.replay or None,
    )
