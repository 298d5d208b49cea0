"""Counts that commits keep, so that nothing is ever scanned to draw a number.

One document per count: roll-ups per hour (``metric``, ``key``, ``hour``, ``n``), the catalogue of event names
(metric *catalogue*) and when a source was last heard of (metric *last*).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from leocdp.adapters.arango.keys import hashed
from leocdp.adapters.arango.profiles.head import Head
from leocdp.domain.decisions import EventWrite
from leocdp.domain.events import Envelope
from leocdp.domain.profiles.counting import MAX_NAMES, OTHER, CatalogueCell, counted_hour
from leocdp.ports.profile_reader import CatalogueEntry

CATALOGUE: Final = "catalogue"
LAST: Final = "last"
Rollup = tuple[str, str, int]
"""(metric, key, hour)."""
Document = dict[str, Any]


def rollup_key(rollup: Rollup) -> str:
    return f"r-{hashed(*map(str, rollup))}"


def name_key(type_: str, name: str) -> str:
    return f"c-{hashed(type_, name)}"


def source_key(source: str) -> str:
    return f"s-{hashed(source)}"


class Tally:
    """What a commit counts. ``keys`` are the documents to read; ``documents`` what they are afterwards."""

    def __init__(self, events: Sequence[EventWrite]) -> None:
        self._rollups: Counter[Rollup] = Counter()
        self._names: dict[tuple[str, str], list[Envelope]] = {}
        self._last: dict[str, int] = {}
        for write in events:
            self._add(write.envelope)

    def _add(self, event: Envelope) -> None:
        source = event.source.id
        hour, recent = counted_hour(event.timestamp, event.received_at)
        self._rollups["events", "", hour] += 1
        if recent:
            self._rollups["source", source, hour] += 1
        if event.received_at > self._last.get(source, -1):
            self._last[source] = event.received_at
        self._names.setdefault((event.type, event.name or ""), []).append(event)

    def count(self, metric: str, hour: int, n: int = 1, key: str = "") -> None:
        self._rollups[metric, key, hour] += n

    def keys(self, hours: Iterable[Rollup] = ()) -> list[str]:
        """``hours``: roll-ups that may be counted later on."""
        rollups = {*self._rollups, *hours}
        keys = {name_key(type_, OTHER) for type_, _ in self._names}
        for (type_, name), events in self._names.items():
            keys.add(name_key(type_, name))
            rollups.update(rollup for rollup, _ in _named(events, name, {name, OTHER}))
        keys.update(map(rollup_key, rollups))
        keys.update(map(source_key, self._last))
        return list(keys)

    def documents(self, stored: Iterable[Mapping[str, Any]], head: Head) -> list[Document]:
        """All documents as they are after the commit; counts new names in the head."""
        known = {document["_key"]: document for document in stored}
        catalogue = self._catalogue(known, head)
        last = [_last(source, at, known.get(source_key(source))) for source, at in self._last.items()]
        return [*add_rollups(self._rollups, known), *catalogue, *last]

    def _catalogue(self, known: Mapping[str, Mapping[str, Any]], head: Head) -> list[Document]:
        cells: dict[tuple[str, str], CatalogueCell] = {}
        for (type_, name), events in self._names.items():
            listed = self._listed((type_, name), known, cells, head)
            cell = cells.get(listed)
            if cell is None:
                cell = cells[listed] = _cell(known.get(name_key(*listed)), events[0].timestamp)
            for event in events:
                cell.note(event.timestamp, event.properties)
            for rollup, n in _named(events, name, {listed[1]}):
                self._rollups[rollup] += n
        return [_catalogue_document(place, cell) for place, cell in cells.items()]

    @staticmethod
    def _listed(
        place: tuple[str, str],
        known: Mapping[str, Mapping[str, Any]],
        cells: Mapping[tuple[str, str], CatalogueCell],
        head: Head,
    ) -> tuple[str, str]:
        """Where an event name is listed: under its own name as long as there is room."""
        other = (place[0], OTHER)
        for one in (place, other):
            if one in cells or name_key(*one) in known:
                return one
            if head.names < MAX_NAMES or one == other:
                head.names += 1
                return one
        return other


def _named(events: Sequence[Envelope], name: str, keys: Iterable[str]) -> list[tuple[Rollup, int]]:
    """Roll-ups of events with a name, under each of the keys."""
    if not name:
        return []
    hours: Counter[int] = Counter()
    for event in events:
        hour, recent = counted_hour(event.timestamp, event.received_at)
        if recent:
            hours[hour] += 1
    return [(("name", key, hour), n) for key in keys for hour, n in hours.items()]


def add_rollups(counts: Mapping[Rollup, int], known: Mapping[str, Mapping[str, Any]]) -> list[Document]:
    """The documents of roll-ups after ``counts`` were added."""
    documents: list[Document] = []
    for rollup, n in counts.items():
        if n:
            key = rollup_key(rollup)
            metric, of, hour = rollup
            before = known[key]["n"] if key in known else 0
            documents.append({"_key": key, "metric": metric, "key": of, "hour": hour, "n": before + n})
    return documents


def _last(source: str, at: int, stored: Mapping[str, Any] | None) -> Document:
    latest = max(at, stored["last_at"]) if stored else at
    return {"_key": source_key(source), "metric": LAST, "key": source, "last_at": latest}


def _cell(stored: Mapping[str, Any] | None, at: int) -> CatalogueCell:
    if stored is None:
        return CatalogueCell(0, at, at, {})
    return CatalogueCell(stored["n"], stored["first_seen"], stored["last_seen"], dict(stored["properties"]))


def _catalogue_document(place: tuple[str, str], cell: CatalogueCell) -> Document:
    type_, name = place
    return {
        "_key": name_key(type_, name),
        "metric": CATALOGUE,
        "type": type_,
        "name": name,
        "n": cell.count,
        "first_seen": cell.first_seen,
        "last_seen": cell.last_seen,
        # Pairs, because names of properties are anybody's invention.
        "properties": [[name, types] for name, types in cell.properties.items()],
    }


def catalogue_entry(stored: Mapping[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(
        stored["type"],
        stored["name"],
        stored["n"],
        stored["first_seen"],
        stored["last_seen"],
        dict(stored["properties"]),
    )
