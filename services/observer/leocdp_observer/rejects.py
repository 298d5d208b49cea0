"""What the edge refused goes to the rejected topic, so that its owner can see what is wrong; never at the cost of an
answer, and never so much that strangers could fill the disk.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from time import monotonic
from typing import Final

from leocdp.contracts.log_records import TARGET_RECORD_BYTES, VERSION, RejectedItem, RejectedRecord, encode
from leocdp.contracts.topics import EVENTS_REJECTED, partition_for
from leocdp.kit import metric_catalogue as m
from leocdp.kit.logs import get_logger
from leocdp.ports.event_log import EventLog, LogError, NewRecord
from leocdp_observer.tally import Tally

logger = get_logger(__name__)

MAX_PAYLOAD: Final = 64 * 1024
MAX_WAITING: Final = 4 * 1_048_576
"""Bytes of rejections that wait for the log; more are counted and dropped."""
SAMPLE_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 1.0
_KEY_IN_JSON: Final = re.compile(rb'("write_?key"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.IGNORECASE)


class Sampler:
    """One of each kind in a while: requests without a known source are counted, and only this many are kept."""

    def __init__(self, seconds: float = SAMPLE_SECONDS, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: dict[str, float] = {}

    def take(self, kind: str) -> bool:
        now = self._clock()
        last = self._last.get(kind)
        if last is not None and now - last < self._seconds:
            return False
        self._last[kind] = now
        return True


def kept_payload(payload: bytes, write_key: str | None) -> tuple[str, int, str]:
    """Text without credentials, and size and SHA-256 of what came where that is too long to keep."""
    if len(payload) > MAX_PAYLOAD:
        return "", len(payload), sha256(payload).hexdigest()
    cleaned = _KEY_IN_JSON.sub(rb'\1""', payload)
    if write_key:
        cleaned = cleaned.replace(write_key.encode("utf-8", "replace"), b"")
    return cleaned.decode("utf-8", "replace"), len(payload), ""


class Rejects:
    """Collects refused items and appends them in the background."""

    def __init__(self, log: EventLog, tally: Tally) -> None:
        self._log = log
        self._tally = tally
        self._waiting: list[RejectedItem] = []
        self._waiting_bytes = 0
        self._flushing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def add(self, items: Sequence[RejectedItem]) -> None:
        """Take items to be appended soon. Never fails and never waits."""
        for item in items:
            size = _size(item)
            if self._waiting_bytes + size > MAX_WAITING:
                self._tally.inc(m.OBSERVER_REJECTIONS_LOST)
                continue
            self._waiting.append(item)
            self._waiting_bytes += size
        if self._waiting and self._flushing is None and not self._closing.is_set():
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._waiting:
                items, self._waiting = self._waiting, []
                self._waiting_bytes = 0
                if not await self._append(items):
                    self._put_back(items)
                    if self._closing.is_set():
                        return
                    await self._pause()
        finally:
            self._flushing = None

    def _put_back(self, items: list[RejectedItem]) -> None:
        self._waiting[:0] = items
        self._waiting_bytes += sum(_size(item) for item in items)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), RETRY_SECONDS)
        except TimeoutError:
            return

    async def _append(self, items: list[RejectedItem]) -> bool:
        """Whether nothing is left to do for these: they are in the log, or can never be."""
        try:
            partitions = await self._log.partitions(EVENTS_REJECTED)
            await self._log.append(records(items, partitions))
        except LogError as error:
            logger.warning("rejected items wait for the log", code=error.code, reason=str(error), items=len(items))
            if not error.retryable:
                self._tally.inc(m.OBSERVER_REJECTIONS_LOST, len(items))
            return not error.retryable
        return True

    async def close(self) -> None:
        """A last attempt at what waits. What cannot be appended is counted as lost."""
        self._closing.set()
        while self._flushing is not None:
            await asyncio.wait([self._flushing])
        if self._waiting and not await self._append(self._waiting):
            self._tally.inc(m.OBSERVER_REJECTIONS_LOST, len(self._waiting))
        self._waiting = []


def _size(item: RejectedItem) -> int:
    return len(item.payload) + len(item.message) + 256


def records(items: Sequence[RejectedItem], partitions: int) -> list[NewRecord]:
    """By source, in records of about the target size at most."""
    by_partition: dict[int, list[list[RejectedItem]]] = {}
    sizes: dict[int, int] = {}
    for item in items:
        partition = partition_for(item.source_id, partitions)
        groups = by_partition.setdefault(partition, [[]])
        size = sizes.get(partition, 0) + _size(item)
        if groups[-1] and size > TARGET_RECORD_BYTES:
            groups.append([])
            size = _size(item)
        groups[-1].append(item)
        sizes[partition] = size
    return [
        NewRecord(EVENTS_REJECTED, partition, encode(RejectedRecord(VERSION, group)))
        for partition, groups in by_partition.items()
        for group in groups
    ]
