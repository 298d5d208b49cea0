"""Applied events: appended in the order of commits, found by leaf and time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from leocdp.adapters.sqlite.profiles.codec import PackedId, pack_id, unpack_optional
from leocdp.contracts.stored_event import decode_body, event_body
from leocdp.domain.decisions import EventWrite
from leocdp.domain.events import dedup_key
from leocdp.ports.profile_reader import StoredEvent

COLUMNS: Final = (
    "seq, leaf, timestamp, received_at, original_timestamp, sent_at, type, name, source, protocol, message_id, "
    "anonymous_id, user_id, body"
)
_INSERT: Final = f"INSERT INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608


def last_sequence(connection: sqlite3.Connection) -> int:
    found: int | None = connection.execute("SELECT max(seq) FROM events").fetchone()[0]
    return found or 0


def insert_events(connection: sqlite3.Connection, events: Sequence[EventWrite], first: int) -> list[tuple[bytes, int]]:
    """Number the events from ``first`` on and append them. Returns (deduplication key, number) of each."""
    packed: dict[str, PackedId] = {}
    rows: list[tuple[Any, ...]] = []
    keys: list[tuple[bytes, int]] = []
    for seq, write in enumerate(events, first):
        event, leaf = write.envelope, write.leaf
        if leaf is not None and leaf not in packed:
            packed[leaf] = pack_id(leaf)
        keys.append((event.dedup_key, seq))
        rows.append(
            (
                seq,
                None if leaf is None else packed[leaf],
                event.timestamp,
                event.received_at,
                event.original_timestamp,
                event.sent_at,
                event.type,
                event.name,
                event.source.id,
                event.protocol,
                event.message_id,
                event.anonymous_id,
                event.user_id,
                event_body(event),
            )
        )
    connection.executemany(_INSERT, rows)
    return keys


def event_id(received_at: int, source: str, message_id: str) -> str:
    """The id of a stored event, as ``Envelope.event_id`` made it: it is not stored."""
    return f"evt_{received_at:012x}{dedup_key(source, message_id)[:8].hex()}"


def stored_event(row: tuple[Any, ...]) -> StoredEvent:
    """An event from the columns of ``COLUMNS``."""
    (_, leaf, timestamp, received_at, original, sent_at, type_, name, source, protocol, message_id, anonymous_id,
     user_id, body) = row  # fmt: skip
    return StoredEvent(
        id=event_id(received_at, source, message_id),
        message_id=message_id,
        type=type_,
        name=name,
        timestamp=timestamp,
        received_at=received_at,
        original_timestamp=original,
        sent_at=sent_at,
        source=source,
        protocol=protocol,
        leaf=unpack_optional(leaf),
        anonymous_id=anonymous_id,
        user_id=user_id,
        body=decode_body(body),
    )
