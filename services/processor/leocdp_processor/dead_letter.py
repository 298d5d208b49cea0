"""What becomes of items that cannot be processed, and the limit that stops the processor before it is most of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from leocdp.contracts import topics
from leocdp.contracts.decoding import decoded
from leocdp.contracts.log_records import VERSION, AcceptedRecord, DeadLetter, Item, RequestBlock, encode
from leocdp.domain.decisions import ItemOutcome
from leocdp.domain.events import Address, Outcome
from leocdp.ports.event_log import MAX_RECORD_BYTES, NewRecord

PAYLOAD_CHARS = 65_536


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that could not be processed, with all that is needed to try again."""

    address: Address
    reason: str
    error: str
    block: RequestBlock
    item: Item
    replay: bytes | None = None
    """What a replay appends to the accepted topic, where it is not the item alone; empty: nothing can be replayed."""

    @property
    def id(self) -> str:
        """Deterministic: the same item fails under the same id however often it is read."""
        text = "\x1f".join(map(str, self.address)).encode()
        return f"dl_{blake2b(text, digest_size=12).hexdigest()}"

    def outcome(self, now: int) -> ItemOutcome:
        """What the store keeps for people to look at and to replay."""
        return ItemOutcome(
            outcome=Outcome.DEAD_LETTERED,
            reason=self.reason,
            at=now,
            address=self.address,
            source_id=self.block.source_id or None,
            message_id=_message_id(self.item.body),
            type=self.item.type or None,
            error=self.error,
            payload=self.item.body.decode("utf-8", "replace").replace("\x00", "\ufffd")[:PAYLOAD_CHARS],
            replay=encode(AcceptedRecord(VERSION, [self._alone()])) if self.replay is None else self.replay,
        )

    def record(self, now: int, partitions: int) -> NewRecord:
        """The record of the dead-letter topic; what is too large for one has its contents in the store only."""
        value = self._letter(now, self.error, self._alone())
        if len(value) > MAX_RECORD_BYTES:
            item = Item(self.item.type, b"")
            block = RequestBlock(self.block.received_at, self.block.source_id, self.block.protocol, [item])
            value = self._letter(now, f"{self.error} ({len(self.item.body)} bytes are left out here)", block)
        return NewRecord(topics.EVENTS_DEAD_LETTER, self.address.partition % partitions, value)

    def _letter(self, now: int, error: str, block: RequestBlock) -> bytes:
        return encode(DeadLetter(VERSION, self.id, now, *self.address, self.reason, error, block))

    def _alone(self) -> RequestBlock:
        return msgspec.structs.replace(self.block, items=[self.item])


class _WithMessageId(msgspec.Struct):
    messageId: str | None = None


_with_message_id = msgspec.json.Decoder(_WithMessageId).decode


def _message_id(body: bytes) -> str | None:
    try:
        return decoded(_with_message_id, body).messageId
    except msgspec.MsgspecError:
        return None


class StopLimit:
    """Says when so many of the latest items failed that the fault is probably ours and not theirs.

    A dead-letter queue that takes everything hides a bad deployment: so processing stops, keeps its
    position and says so. It takes at least a fifth of the window to judge.
    """

    def __init__(self, window: int, ratio: float) -> None:
        self._window = window
        self._ratio = ratio
        self._runs: deque[tuple[int, int]] = deque()
        self._items = 0
        self._failed = 0

    def would_stop(self, items: int, failed: int) -> bool:
        """Whether a batch of ``items``, of which ``failed`` failed, goes over the limit; nothing is remembered."""
        seen, bad = self._items + items, self._failed + failed
        return self._ratio < 1 and seen >= self._window // 5 and bad > self._ratio * min(seen, self._window)

    def add(self, items: int, failed: int) -> None:
        """Remember a committed batch."""
        self._runs.append((items, failed))
        self._items += items
        self._failed += failed
        while self._runs and self._items - self._runs[0][0] >= self._window:
            old_items, old_failed = self._runs.popleft()
            self._items -= old_items
            self._failed -= old_failed
