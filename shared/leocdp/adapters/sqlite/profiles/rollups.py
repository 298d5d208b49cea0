"""Counts that commits keep, so that nothing is ever scanned to draw a number."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from leocdp.domain.decisions import EventWrite
from leocdp.domain.profiles.counting import HOUR_MS, KEPT_HOURS, MAX_NAMES, OTHER, CatalogueCell, counted_hour

RollupKey = tuple[str, str, int]


class Rollups:
    """The writer's side. What it holds in memory is thrown away after a rollback."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._entries: dict[tuple[str, str], CatalogueCell] | None = None

    def reload(self) -> None:
        self._entries = None

    def add(self, events: Sequence[EventWrite], counts: Counter[RollupKey]) -> None:
        """Inside a transaction: count the events, and whatever ``counts`` has already."""
        entries = self._loaded()
        alike: dict[tuple[str, tuple[str, str], bool, int, bool], int] = {}
        last: dict[str, int] = {}
        for write in events:
            event = write.envelope
            at, source = event.received_at, event.source.id
            hour, recent = counted_hour(event.timestamp, at)
            if at > last.get(source, -1):
                last[source] = at
            key = self._key(entries, event.type, event.name)
            # Events that count alike are added up first: there are few kinds of them in a batch.
            kind = (source, key, bool(event.name), hour, recent)
            alike[kind] = alike.get(kind, 0) + 1
            entry = entries.get(key)
            if entry is None:
                entry = entries[key] = CatalogueCell(0, event.timestamp, event.timestamp, {})
            entry.note(event.timestamp, event.properties)
        for (source, (_, name), named, hour, recent), n in alike.items():
            counts["events", "", hour] += n
            if recent:
                counts["source", source, hour] += n
            if named and recent:
                counts["name", name, hour] += n
        self._write(counts, {key for _, key, *_ in alike}, last)

    def drop_old(self, now: int) -> None:
        """Inside a transaction."""
        self._connection.execute(
            "DELETE FROM rollups WHERE metric IN ('name', 'source', 'members') AND hour < ?",
            (now // HOUR_MS - KEPT_HOURS,),
        )

    def take_back(self, counts: Mapping[RollupKey, int], names: Mapping[tuple[str, str], int]) -> None:
        """Inside a transaction: events that are no longer there. Names beyond the bound were counted as others."""
        self._write(Counter(counts), set(), {})
        self._connection.execute("DELETE FROM rollups WHERE n <= 0 AND metric <> 'members' OR n = 0")
        entries = self._loaded()
        touched: Counter[tuple[str, str]] = Counter()
        for (type_, name), n in names.items():
            touched[(type_, name) if (type_, name) in entries else (type_, OTHER)] += n
        rows = [(n, type_, name) for (type_, name), n in touched.items()]
        self._connection.executemany("UPDATE catalogue SET count = count + ? WHERE type = ? AND name = ?", rows)
        self._connection.execute("DELETE FROM catalogue WHERE count <= 0")

    def count(self, grown: Mapping[str, int]) -> None:
        self._connection.executemany(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
            [(name, n) for name, n in grown.items() if n],
        )

    def _write(self, counts: Counter[RollupKey], touched: set[tuple[str, str]], last: dict[str, int]) -> None:
        execute = self._connection.executemany
        execute(
            "INSERT INTO rollups VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [(*key, n) for key, n in counts.items() if n],
        )
        execute(
            "INSERT INTO sources VALUES (?, ?) ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at)",
            last.items(),
        )
        entries = self._loaded()
        execute(
            "INSERT OR REPLACE INTO catalogue VALUES (?, ?, ?, ?, ?, ?)", [_row(key, entries[key]) for key in touched]
        )

    @staticmethod
    def _key(entries: Mapping[tuple[str, str], CatalogueCell], type_: str, name: str | None) -> tuple[str, str]:
        key = (type_, name or "")
        return key if key in entries or len(entries) < MAX_NAMES else (type_, OTHER)

    def _loaded(self) -> dict[tuple[str, str], CatalogueCell]:
        if self._entries is None:
            self._entries = {}
            for type_, name, count, first, last, properties in self._connection.execute("SELECT * FROM catalogue"):
                self._entries[type_, name] = CatalogueCell(count, first, last, msgspec.json.decode(properties))
        return self._entries


def _row(key: tuple[str, str], entry: CatalogueCell) -> tuple[Any, ...]:
    return (*key, entry.count, entry.first_seen, entry.last_seen, msgspec.json.encode(entry.properties))
