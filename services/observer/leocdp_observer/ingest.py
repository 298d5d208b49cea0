"""Accepted items on their way into the event log: gathered while an append is under way, appended together.

A request waits until the log has its items. All requests that arrive during one append go into the next, so the cost
of a durable commit is shared by everyone in flight (``pace.py`` says when it is worth waiting for more of them), and an
idle observer adds no delay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Final

from leocdp.contracts.log_records import TARGET_RECORD_BYTES, join_blocks
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.kit.logs import get_logger
from leocdp.ports.event_log import EventLog, LogError, LogUnavailable, NewRecord
from leocdp_observer.pace import ENOUGH, Pace
from leocdp_observer.refusals import Refusal
from leocdp_observer.tally import Tally

logger = get_logger(__name__)

RETRY_AFTER: Final = 2
"""Seconds that a client is asked to wait when the log cannot take events."""


QUIET: Final = 5.0
"""Seconds without a failure after which the next one is worth a line in the logs again."""
PlacedBlock = tuple[int, bytes]
"""A partition and the encoded block of one request for it: all that is kept of a request while it waits."""


class Ingest:
    """Appends blocks. Nothing is kept anywhere but in memory until the log has it, and the client then still has it."""

    def __init__(self, log: EventLog, tally: Tally, *, max_waiting_bytes: int) -> None:
        self._log = log
        self._tally = tally
        self._max_waiting = max_waiting_bytes
        self._waiting_bytes = 0
        self._pending: list[PlacedBlock] = []
        self._pending_bytes = 0
        self._waiters: list[asyncio.Future[LogError | None]] = []
        self._since = 0.0
        self._pace = Pace()
        self._more: asyncio.Future[None] | None = None
        """Resolved when as many requests have come as an append waits for."""
        self._flushing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failed_at: float | None = None
        """Monotonic time of the last append if it failed; None when it went well."""
        self.failure = ""
        """What the last failure said."""

    @property
    def waiting_bytes(self) -> int:
        return self._waiting_bytes

    async def store(self, blocks: Sequence[PlacedBlock]) -> None:
        """Returns when the log has the blocks. Raises Refusal (503) when it cannot take them."""
        size = sum([len(block) for _, block in blocks])
        if self._waiting_bytes + size > self._max_waiting:
            raise Refusal(
                "overloaded", "The event log is behind: send this again.", status=503, retry_after=RETRY_AFTER
            )
        loop = self._loop
        if loop is None:  # asked once: it is a system call
            loop = self._loop = asyncio.get_running_loop()
        waiter: asyncio.Future[LogError | None] = loop.create_future()
        if not self._pending:
            self._since = monotonic()
        self._pending.extend(blocks)
        self._pending_bytes += size
        self._waiters.append(waiter)
        self._waiting_bytes += size
        if self._more is not None and len(self._waiters) >= self._pace.wanted:
            _resolve(self._more)
        if self._flushing is None:
            self._flushing = loop.create_task(self._flush())
        error = await waiter
        if error is not None:
            raise Refusal(
                "log_unavailable", "The event log cannot take events now.", status=503, retry_after=RETRY_AFTER
            ) from error

    async def _flush(self) -> None:
        try:
            while self._pending:
                await self._gather()
                blocks, self._pending = self._pending, []
                size, self._pending_bytes = self._pending_bytes, 0
                waiters, self._waiters = self._waiters, []
                since, began = self._since, monotonic()
                error = await self._append(blocks)
                self._pace.appended(len(waiters), len(self._waiters), monotonic() - began)
                self._waiting_bytes -= size
                self._tally.append_took(monotonic() - since)
                for waiter in waiters:
                    if not waiter.done():
                        waiter.set_result(error)
        finally:
            self._flushing = None

    async def _gather(self) -> None:
        """Let those join who arrive right now: as long as every turn of the event loop brings another request, and then
        a moment longer if that is worth it."""
        waiting = 0
        while waiting < len(self._waiters) < ENOUGH:
            waiting = len(self._waiters)
            await asyncio.sleep(0)
        if seconds := self._pace.wait(len(self._waiters)):
            loop = asyncio.get_running_loop()
            self._more = loop.create_future()
            timer = loop.call_later(seconds, _resolve, self._more)
            try:
                await self._more
            finally:
                timer.cancel()
                self._more = None

    async def _append(self, blocks: list[PlacedBlock]) -> LogError | None:
        try:
            await self._log.append(records(blocks))
        except LogError as error:
            if self.failed_at is None or monotonic() - self.failed_at > QUIET:
                logger.warning("the log does not take events", code=error.code, reason=str(error), blocks=len(blocks))
            self.failed_at, self.failure = monotonic(), str(error)
            return error
        except Exception as error:
            logger.exception("appending failed in an unexpected way")
            self.failed_at, self.failure = monotonic(), str(error)
            return LogUnavailable(str(error))
        self.failed_at = None
        return None

    async def drain(self) -> None:
        """Wait until everything that was taken is in the log, or its clients know that it is not."""
        while self._flushing is not None:
            await asyncio.wait([self._flushing])


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def records(blocks: Sequence[PlacedBlock]) -> list[NewRecord]:
    """One record per partition, of about the target size at most; the order of blocks stays."""
    by_partition: dict[int, list[bytes]] = {}
    for partition, block in blocks:
        found = by_partition.get(partition)
        if found is None:
            by_partition[partition] = [block]
        else:
            found.append(block)
    return [
        NewRecord(EVENTS_ACCEPTED, partition, join_blocks(group))
        for partition, found in by_partition.items()
        for group in _groups(found)
    ]


def _groups(blocks: list[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for block in blocks:
        if group and size + len(block) > TARGET_RECORD_BYTES:
            yield group
            group, size = [], 0
        group.append(block)
        size += len(block)
    yield group
