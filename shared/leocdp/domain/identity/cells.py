"""What is kept about an identifier each time it is seen, and when it turns out to be shared by many.

Cells are values: every function returns a new one. Thresholds work on event time, so that an import of old
events is not mistaken for a crowd; the day of a switch is the day it arrived.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from msgspec.structs import replace

from leocdp.domain.events import Envelope
from leocdp.domain.identity.kinds import KindRule, SharedThresholds
from leocdp.domain.profiles.state import IdentifierCell, SwitchInfo

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000


def first_cell(event: Envelope, verified: bool, user_ids: tuple[str, ...]) -> IdentifierCell:
    """The cell of an identifier that is claimed by this event."""
    at = event.timestamp
    return IdentifierCell(
        at,
        at,
        event.source.id,
        event.message_id,
        "active",
        verified,
        {},
        user_ids,
        at // HOUR_MS,
        1,
    )


def seen(cell: IdentifierCell, event: Envelope, verified: bool) -> IdentifierCell:
    """The cell after one more event of its own person: wider span, earliest provenance, one more in its hour."""
    at, source, message_id = event.timestamp, cell.source, cell.message_id
    first = cell.first_seen
    if at < first or (at == first and event.message_id < message_id):
        first, source, message_id = at, event.source.id, event.message_id
    hour, count = _hour(cell, at)
    return IdentifierCell(
        first,
        at if at > cell.last_seen else cell.last_seen,
        source,
        message_id,
        cell.state,
        verified or cell.verified,
        cell.people,
        cell.user_ids,
        hour,
        count,
        cell.switch,
    )


def refused(cell: IdentifierCell, event: Envelope) -> IdentifierCell:
    """The cell after an event of somebody else: only what tells whether it is shared is kept."""
    hour, count = _hour(cell, event.timestamp)
    return replace(cell, hour=hour, hour_count=count)


@lru_cache(maxsize=1 << 14)
def user_mark(key: str) -> str:
    """What is kept of a user id that a contact was seen beside: enough to tell different ones apart. The id itself is
    somebody else's, and would stay with the contact when they are erased."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def beside(cell: IdentifierCell, user_ids: tuple[str, ...], limits: SharedThresholds) -> IdentifierCell:
    """The cell after being seen beside user ids, given by their marks. One more than the threshold is remembered."""
    new = tuple(user for user in user_ids if user not in cell.user_ids)
    if not new or len(cell.user_ids) > limits.user_ids:
        return cell
    return replace(cell, user_ids=(*cell.user_ids, *new)[: limits.user_ids + 1])


def carried(cell: IdentifierCell, before: str, after: str, event: Envelope, limits: SharedThresholds) -> IdentifierCell:
    """The cell of a device after it went from one person (root) to another; people of long ago are forgotten."""
    at = event.timestamp
    people = dict(cell.people)
    for root in (before, after):
        people[root] = max(at, people.get(root, at))
    oldest = max(people.values()) - limits.days * DAY_MS
    return replace(cell, people={root: last for root, last in people.items() if last >= oldest})


def switched(cell: IdentifierCell, from_leaf: str, event: Envelope) -> tuple[IdentifierCell, SwitchInfo]:
    """The cell after it was re-pointed, and today's count of that."""
    day, today = event.received_at // DAY_MS, cell.switch
    if today is not None and today.day == day:
        today = SwitchInfo(day, today.from_leaf, today.count + 1)
    else:
        today = SwitchInfo(day, from_leaf, 1)
    return replace(cell, switch=today), today


def is_crowd(cell: IdentifierCell, rule: KindRule, limits: SharedThresholds) -> bool:
    """Whether an identifier that is not shared yet has to be: too many people, user ids, or events in an hour."""
    if cell.state == "shared":
        return False
    if cell.hour_count > limits.events_per_hour:
        return True
    if rule.device:
        return len(cell.people) > limits.people
    return rule.contact and len(cell.user_ids) > limits.user_ids


def restated(cell: IdentifierCell, state: str) -> IdentifierCell:
    """The cell in another state. Made active by a person, it starts counting anew."""
    if state == "active" and cell.state == "shared":
        return replace(cell, state=state, people={}, user_ids=(), hour=0, hour_count=0)
    return replace(cell, state=state)


def _hour(cell: IdentifierCell, at: int) -> tuple[int, int]:
    """Events in the latest hour; those of an hour that is over are not counted any more."""
    hour = at // HOUR_MS
    if hour == cell.hour:
        return hour, cell.hour_count + 1
    return (hour, 1) if hour > cell.hour else (cell.hour, cell.hour_count)
