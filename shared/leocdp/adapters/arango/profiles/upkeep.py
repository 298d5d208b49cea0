"""Keeping what is bounded within its bounds, and dead letters that are replayed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from leocdp.adapters.arango.database import Database, Transaction
from leocdp.adapters.arango.keys import number_key
from leocdp.adapters.arango.profiles import aql, messages
from leocdp.adapters.arango.profiles.commit import DAY_MS, Bounds
from leocdp.adapters.arango.profiles.head import Head
from leocdp.adapters.arango.profiles.schema import LEDGER
from leocdp.adapters.arango.segments.members import CHANGES
from leocdp.adapters.arango.segments.shards import add_some_shards
from leocdp.adapters.arango.turns import Turns
from leocdp.domain.profiles.counting import HOUR_MS, KEPT_HOURS

STEP: Final = 20_000
"""Documents that one transaction removes at most."""


class Upkeep:
    """Trims what has grown over its bounds, step by step, so that commits wait for no more than one step."""

    def __init__(self, turns: Turns[Head], bounds: Bounds) -> None:
        self._turns = turns
        self._bounds = bounds
        self._tidied_on = -1

    def tidy(self, database: Database, now: int) -> None:
        """Raises Failure; what was not done then is done next time. One request when there is nothing to do."""
        head = LEDGER.read(database)
        if head.retired or messages.expired(head, now, self._bounds.horizon_ms):
            self._empty_buckets(database, now)
        if self._over_bounds(head):
            while self._turns.run(database, self._trim_problems):
                continue
        if now // DAY_MS != self._tidied_on:
            while self._turns.run(database, lambda transaction, _: _drop_old_figures(transaction, now)):
                continue
            # During an upgrade a program that knew no segments may still have written.
            while self._turns.run(database, lambda transaction, _: add_some_shards(transaction)):
                continue
            self._tidied_on = now // DAY_MS

    def _empty_buckets(self, database: Database, now: int) -> None:
        for slot in self._turns.run(database, lambda _, head: self._retire(head, now)):
            database.truncate(f"messages_{slot}")
            self._turns.run(database, partial(_free, slot))

    def _over_bounds(self, head: Head) -> bool:
        """More than a quarter over: trimming is worth a pass over the oldest."""
        return (
            head.kept_problems > self._bounds.problems * 5 // 4 or head.kept_dead > self._bounds.dead_letters * 5 // 4
        )

    def _retire(self, head: Head, now: int) -> list[int]:
        """Slots to be emptied: nobody writes to them any more."""
        old = {bucket.slot for bucket in messages.expired(head, now, self._bounds.horizon_ms)}
        head.retired = sorted({*head.retired, *old})
        head.buckets = [bucket for bucket in head.buckets if bucket.slot not in old]
        return list(head.retired)

    def _trim_problems(self, transaction: Transaction, head: Head) -> bool:
        """One step; whether there is more to do."""
        more = False
        for dead, kept in ((False, self._bounds.problems), (True, self._bounds.dead_letters)):
            if (head.kept_dead if dead else head.kept_problems) > kept:
                more |= _trim(transaction, head, dead, kept)
        return more


def _trim(transaction: Transaction, head: Head, dead: bool, kept: int) -> bool:
    last = transaction.first(aql.LAST_KEPT_PROBLEM, dead=dead, kept=kept)
    rows = [] if last is None else transaction.query(aql.OLD_PROBLEMS, dead=dead, num=last, limit=STEP)
    transaction.remove("problems", [row["key"] for row in rows])
    if dead:
        head.kept_dead = kept if len(rows) < STEP else head.kept_dead - len(rows)
        head.grow({"dead_letters": -sum(row["waiting"] for row in rows)})
    else:
        head.kept_problems = kept if len(rows) < STEP else head.kept_problems - len(rows)
    return len(rows) == STEP


def _free(slot: int, _: Transaction, head: Head) -> None:
    head.retired = [one for one in head.retired if one != slot]


def _drop_old_figures(transaction: Transaction, now: int) -> bool:
    """One step; whether there is more to do."""
    hour = now // HOUR_MS - KEPT_HOURS
    keys: list[str] = []
    for metric in ("name", "source", CHANGES):
        keys += transaction.query(aql.OLD_FIGURES, metric=metric, hour=hour, limit=STEP)
    transaction.remove("figures", keys)
    return len(keys) >= STEP


def problem_keys(ids: Iterable[str]) -> list[str]:
    """Ids of problem events are decimal numbers; anything else names none."""
    return [number_key(int(one)) for one in ids if one.isascii() and one.isdigit() and len(one) <= 15]


def mark_replayed(transaction: Transaction, head: Head, ids: Sequence[str], at: int) -> None:
    waiting = transaction.query(aql.REPLAY_RECORDS, keys=problem_keys(ids))
    marks = [{"_key": row["key"], "replayed_at": at} for row in waiting]
    transaction.patch("problems", marks, check_rev=False)
    head.grow({"dead_letters": -len(marks)})
