"""Which visit an event belongs to: a session ends after 30 minutes without an event of the same person.

Sessions are not stored. They follow from the timeline, so a late event or a merge joins what it belongs to, and the id
is that of the session's first event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leocdp.ports.profile_reader import EventQuery, ProfileReader, StoredEvent

GAP_MS: Final = 30 * 60_000
PAGE: Final = 200
MOST_PAGES: Final = 5
"""How far is looked back for the beginning of a session: 1,000 events; a longer one has no id on this page."""


async def session_ids(
    reader: ProfileReader, leaf_ids: Sequence[str], shown: Sequence[StoredEvent], *, whole: bool
) -> dict[str, str]:
    """Event id → session id. ``shown`` is newest first; ``whole``: without gaps, because nothing was filtered out."""
    if not shown:
        return {}
    known = list(shown) if whole else []
    upper = shown[-1].timestamp + 1 if whole else shown[0].timestamp + 1
    known, complete = await _look_back(reader, leaf_ids, known, upper, shown[-1].timestamp)
    return _grouped(known, complete)


async def _look_back(
    reader: ProfileReader, leaf_ids: Sequence[str], known: list[StoredEvent], upper: int, oldest_shown: int
) -> tuple[list[StoredEvent], bool]:
    """Everything from ``upper`` back to the beginning of the oldest session shown, and whether that was reached."""
    seen = {event.id for event in known}
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await reader.events(leaf_ids, EventQuery(to=upper, limit=PAGE, cursor=cursor))
        for event in page.data:
            if event.id in seen:
                continue
            if known and known[-1].timestamp <= oldest_shown and known[-1].timestamp - event.timestamp > GAP_MS:
                return known, True
            seen.add(event.id)
            known.append(event)
        if page.next is None:
            return known, True
        cursor = page.next
    return known, False


def _grouped(newest_first: Sequence[StoredEvent], complete: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    first: StoredEvent | None = None
    # Without its beginning the oldest session has no id.
    begun = complete
    before: StoredEvent | None = None
    for event in reversed(newest_first):
        if before is None or event.timestamp - before.timestamp > GAP_MS:
            begun = begun or before is not None
            first = event
        before = event
        if begun and first is not None:
            found[event.id] = f"ses_{first.id.removeprefix('evt_')}"
    return found
