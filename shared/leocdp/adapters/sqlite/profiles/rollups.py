"""Counts that commits keep, so that nothing is ever scanned to draw a number."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from leocdp.domain.decisions import EventWrite

HOUR_MS: Final = 3_600_000
MAX_NAMES: Final = 2_000
"""Different event names in the catalogue and the roll-ups; further ones count together as ``(other)``."""
MAX_PROPERTIES: Final = 200
OTHER: Final = "(other)"
KEPT_HOURS: Final = 400 * 24
"""How long events are counted apart by name and by source; their sums are kept for ever."""

_TYPE_NAMES: Final[Mapping[type, str]] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}
RollupKey = tuple[str, str, int]


@dataclass(slots=True)
class Entry:
    """A row of the catalogue in memory."""

    count: int
    first_seen: int
    last_seen: int
    properties: dict[str, list[str]]
    seen: set[tuple[str, type]] = field(default_factory=set)
    """(property, Python type) pairs that ``properties`` has, or has no room for."""


class Rollups:
    """The writer's side. What it holds in memory is thrown away after a rollback."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._entries: dict[tuple[str, str], Entry] | None = None

    def reload(self) -> None:
        self._entries = None

    def add(self, events: Sequence[EventWrite], counts: Counter[RollupKey]) -> None:
        """Inside a transaction: count the events, and whatever ``counts`` has already."""
        entries = self._loaded()
        touched: set[tuple[str, str]] = set()
        last: dict[str, int] = {}
        for write in events:
            event = write.envelope
            at, source = event.received_at, event.source.id
            hour, recent = counted_hour(event.timestamp, at)
            counts["events", "", hour] += 1
            if recent:
                counts["source", source, hour] += 1
            if at > last.get(source, -1):
                last[source] = at
            key = self._key(entries, event.type, event.name)
            if event.name and recent:
                counts["name", key[1], hour] += 1
            touched.add(key)
            _note(entries, key, event.timestamp, event.properties)
        self._write(counts, touched, last)

    def drop_old(self, now: int) -> None:
        """Inside a transaction."""
        self._connection.execute(
            "DELETE FROM rollups WHERE metric IN ('name', 'source') AND hour < ?", (now // HOUR_MS - KEPT_HOURS,)
        )

    def take_back(self, counts: Mapping[RollupKey, int], names: Mapping[tuple[str, str], int]) -> None:
        """Inside a transaction: events that are no longer there. Names beyond the bound were counted as others."""
        self._write(Counter(counts), set(), {})
        self._connection.execute("DELETE FROM rollups WHERE n <= 0")
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
    def _key(entries: Mapping[tuple[str, str], Entry], type_: str, name: str | None) -> tuple[str, str]:
        key = (type_, name or "")
        return key if key in entries or len(entries) < MAX_NAMES else (type_, OTHER)

    def _loaded(self) -> dict[tuple[str, str], Entry]:
        if self._entries is None:
            self._entries = {}
            for type_, name, count, first, last, properties in self._connection.execute("SELECT * FROM catalogue"):
                self._entries[type_, name] = Entry(count, first, last, msgspec.json.decode(properties))
        return self._entries


def counted_hour(timestamp: int, received_at: int) -> tuple[int, bool]:
    """The hour that an event counts in, and whether it also counts for its name and source.

    When it happened, not when it came: last month's imported orders belong to last month. What is older than is kept
    apart counts with its day only, and what is older than 1970 with the first hour, so that invented times cannot
    make rows without end.
    """
    hour = max(timestamp // HOUR_MS, 0)
    if hour >= received_at // HOUR_MS - KEPT_HOURS:
        return hour, True
    return hour - hour % 24, False


def _note(entries: dict[tuple[str, str], Entry], key: tuple[str, str], at: int, properties: Mapping[str, Any]) -> None:
    entry = entries.get(key)
    if entry is None:
        entry = entries[key] = Entry(0, at, at, {})
    entry.count += 1
    if at < entry.first_seen:
        entry.first_seen = at
    if at > entry.last_seen:
        entry.last_seen = at
    seen = entry.seen
    for name, value in properties.items():
        if (name, type(value)) not in seen:
            _add_property(entry, name, type(value))


def _add_property(entry: Entry, name: str, kind: type) -> None:
    if len(entry.seen) > 10 * MAX_PROPERTIES:
        entry.seen.clear()
    entry.seen.add((name, kind))
    if name not in entry.properties and len(entry.properties) >= MAX_PROPERTIES:
        return
    types = entry.properties.setdefault(name, [])
    shown = _TYPE_NAMES.get(kind, "string")
    if shown not in types:
        types.append(shown)
        types.sort()


def _row(key: tuple[str, str], entry: Entry) -> tuple[Any, ...]:
    return (*key, entry.count, entry.first_seen, entry.last_seen, msgspec.json.encode(entry.properties))
