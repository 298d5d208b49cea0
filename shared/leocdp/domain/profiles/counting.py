"""What is counted of events and items as they come, and how far the tables of counts may grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from leocdp.domain.events import Outcome

HOUR_MS: Final = 3_600_000
MAX_NAMES: Final = 2_000
"""Different event names in the catalogue and the roll-ups; further ones count together as ``(other)``."""
MAX_PROPERTIES: Final = 200
OTHER: Final = "(other)"
KEPT_HOURS: Final = 400 * 24
"""How long events are counted apart by name and by source; their sums are kept for ever."""

DEAD: Final = str(Outcome.DEAD_LETTERED)
COUNTER_OF: Final = {"duplicate": "duplicates", "filtered": "filtered", DEAD: "dead_letters", "rejected": "rejected"}
"""Outcome of a problem event → the count it belongs to."""
KEPT_PROBLEMS: Final = 20_000
"""Newest problem events that are kept, dead letters not counted."""
KEPT_DEAD: Final = 200_000

_TYPE_NAMES: Final[Mapping[type, str]] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}


@dataclass(slots=True)
class CatalogueCell:
    """What is known of one event name."""

    count: int
    first_seen: int
    last_seen: int
    properties: dict[str, list[str]]
    """Property → types seen, sorted."""
    seen: set[tuple[str, type]] = field(default_factory=set)
    """(property, Python type) pairs that ``properties`` has, or has no room for: spares looking twice."""

    def note(self, at: int, properties: Mapping[str, Any]) -> None:
        """Count one event."""
        self.count += 1
        if at < self.first_seen:
            self.first_seen = at
        if at > self.last_seen:
            self.last_seen = at
        seen = self.seen
        for name, value in properties.items():
            if (name, type(value)) not in seen:
                self._add_property(name, type(value))

    def _add_property(self, name: str, kind: type) -> None:
        if len(self.seen) > 10 * MAX_PROPERTIES:
            self.seen.clear()
        self.seen.add((name, kind))
        if name not in self.properties and len(self.properties) >= MAX_PROPERTIES:
            return
        types = self.properties.setdefault(name, [])
        shown = _TYPE_NAMES.get(kind, "string")
        if shown not in types:
            types.append(shown)
            types.sort()


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
