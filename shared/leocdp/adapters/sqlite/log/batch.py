"""A row of ``batches``: what one commit appended to one topic, and how rows are made and read.

The payload is MessagePack ``[[partition, [[key, value] | nil, …]], …]``; nil keeps the place of a record that
compaction took out, so that the offsets of the others stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from leocdp.adapters.sqlite.log.file import Topic, decode_offsets, encode_offsets
from leocdp.ports.event_log import Record

ROW_BYTES: Final = 524_288
"""A commit that appends more than this to a topic makes several rows."""

Entry = tuple[bytes | None, bytes | None]
"""Key and value."""
Part = tuple[int, list[Entry | None]]
"""A partition and its records, the first of which has the offset that ``bases`` names."""
Row = tuple[int, int, bytes, bytes]
"""id, time (ms UTC), bases, payload."""

encode_parts = msgspec.msgpack.Encoder().encode
decode_parts = msgspec.msgpack.Decoder(list[Part]).decode


@dataclass(slots=True)
class TopicState:
    """The columns of ``topics`` that an append moves on."""

    sequence: int
    bytes: int
    offsets: list[int]


class TopicAppend:
    """What one commit adds to one topic: gives each record its offset and packs the rows."""

    def __init__(self, topic: Topic, state: TopicState, at: int) -> None:
        self.topic = topic
        self.state = state
        self.rows: list[Row] = []
        self._at = at
        self._open()

    def _open(self) -> None:
        self._bases = encode_offsets(self.state.offsets)
        self._parts: dict[int, list[Entry]] = {}
        self._size = 0

    def add(self, partition: int, key: bytes | None, value: bytes | None) -> int:
        offsets = self.state.offsets
        offset = offsets[partition]
        offsets[partition] = offset + 1
        part = self._parts.get(partition)
        if part is None:
            self._parts[partition] = [(key, value)]
        else:
            part.append((key, value))
        self._size += len(value or b"") + len(key or b"")
        if self._size >= ROW_BYTES:
            self.close_row()
        return offset

    def close_row(self) -> None:
        """Pack what was added since the last row."""
        if not self._parts:
            return
        payload = encode_parts(list(self._parts.items()))
        self.rows.append((self.topic.first_id + self.state.sequence, self._at, self._bases, payload))
        self.state.sequence += 1
        self.state.bytes += len(payload)
        self._open()


@dataclass(frozen=True, slots=True)
class Batch:
    """A row, unpacked."""

    id: int
    at: int
    bases: list[int]
    parts: list[Part]
    size: int

    @classmethod
    def unpack(cls, row: Row) -> Batch:
        id_, at, bases, payload = row
        return cls(id_, at, decode_offsets(bases), decode_parts(payload), len(payload))

    def records(self, topic: str, part: Part, start: int) -> Iterator[Record]:
        """The records of a part from an offset on."""
        partition, entries = part
        base = self.bases[partition]
        first = max(start - base, 0)
        for place, entry in enumerate(entries[first:] if first else entries, base + first):
            if entry is not None:
                yield Record(topic, partition, place, self.at, entry[0], entry[1])
