"""Appending: calls that wait for the same partition travel together, one batch per partition at a time.

The driver's producer is idempotent and asks for all in-sync replicas (``acks=all``), without any linger. It would try
for ever; here a call is over after the delivery time-out, and then the producer is exchanged: what it still has under
way may reach the log later or never, and a new one begins with sequence numbers of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from leocdp.adapters.kafka.append import RECORD_OVERHEAD, Batch, Call, Lane, Part
from leocdp.adapters.kafka.connection import REQUEST_TIMEOUT_MS
from leocdp.adapters.kafka.errors import DRIVER_ERRORS, log_error, translated
from leocdp.kit.logs import get_logger
from leocdp.ports.event_log import LogError, LogUnavailable, NewRecord, TopicPartition

CLOSE_SECONDS: Final = 5.0
GRACE_SECONDS: Final = 5.0
"""What other batches of a producer may still take when it has been given up because of one."""
APPENDING: Final = "Appending to the event log"

log = get_logger(__name__)


class Appender:
    """Appends records with explicit partitions. Bound to the event loop that starts it.

    Args:
        connect: makes a producer of the driver, not started.
        name: the name of a topic in the cluster.
        obstacle: says why no broker lets us in; empty when one does.
        timeout: seconds from ``append`` until it raises LogUnavailable.
        max_in_flight: bytes that may wait; beyond that ``append`` raises LogUnavailable at once.
    """

    def __init__(
        self,
        connect: Callable[[], AIOKafkaProducer],
        name: Callable[[str], str],
        obstacle: Callable[[], Awaitable[str]],
        *,
        timeout: float,
        max_in_flight: int,
    ) -> None:
        self._connect = connect
        self._name = name
        self._obstacle = obstacle
        self._timeout = timeout
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._lanes: dict[TopicPartition, Lane] = {}
        self._calls: set[Call] = set()
        self._ready: list[Lane] = []
        self._woken = asyncio.Event()
        self._current: Session | None = None
        self._pump: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = True

    async def start(self) -> None:
        """Raises LogUnavailable."""
        self._current = await self._open()
        self._closed = False
        self._pump = asyncio.create_task(self._run(), name="kafka-append")

    async def close(self) -> None:
        """Let everything that was taken get into the log, or fail; then close."""
        if self._closed:
            return
        self._closed = True
        if self._calls:
            await asyncio.wait([call.future for call in self._calls])
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        session, self._current = self._current, None
        if session is not None:
            await session.end()
        if self._ending:
            _, late = await asyncio.wait(self._ending, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()

    async def append(self, records: Sequence[NewRecord]) -> Sequence[int]:
        """See EventLog.append; topics, partitions and sizes have been checked."""
        if self._closed:
            raise LogUnavailable("The event log is closed.")
        size = sum([len(r.value or b"") + len(r.key or b"") + RECORD_OVERHEAD for r in records])
        if self._in_flight + size > self._max_in_flight:
            raise LogUnavailable(f"{self._in_flight} bytes wait for Kafka already. Try again in a second.")
        loop = asyncio.get_running_loop()
        call = self._call(loop, records)
        self._in_flight += size
        self._calls.add(call)
        timer = loop.call_later(self._timeout, self._too_late, call)
        try:
            return await asyncio.shield(call.future)
        finally:
            if call.over:
                timer.cancel()

    def _call(self, loop: asyncio.AbstractEventLoop, records: Sequence[NewRecord]) -> Call:
        """Put each record in the line of its partition."""
        call = Call(loop, len(records))
        parts: dict[tuple[str, int], Part] = {}
        for place, record in enumerate(records):
            key = record.topic, record.partition
            part = parts.get(key)
            if part is None:
                part = parts[key] = Part(call)
            part.records.append(record)
            part.places.append(place)
            part.size += len(record.value or b"") + len(record.key or b"") + RECORD_OVERHEAD
        call.parts = list(parts.values())
        call.unsettled = len(parts)
        call.future.add_done_callback(lambda _: self._calls.discard(call))
        for (topic, partition), part in parts.items():
            lane = self._lane(topic, partition)
            lane.waiting.append(part)
            self._offer(lane)
        return call

    def _lane(self, topic: str, partition: int) -> Lane:
        key = TopicPartition(topic, partition)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, self._name(topic))
        return lane

    def _offer(self, lane: Lane) -> None:
        """Have the next batch of a lane sent if none is under way."""
        if lane.waiting and lane.batch is None:
            self._ready.append(lane)
            self._woken.set()

    # sending

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            lanes, self._ready = self._ready, []
            try:
                await self._send(lanes)
            except LogError as error:
                self._fail_waiting(error)
            except Exception as error:
                log.exception("kafka_append_failed")
                self._fail_waiting(LogUnavailable(f"{APPENDING}: {error!r}"))

    async def _send(self, lanes: Iterable[Lane]) -> None:
        for lane in lanes:
            session = self._current
            if session is None:
                session = self._current = await self._reopen()
            if lane.batch is not None:
                continue  # It was offered twice.
            batch = lane.next_batch(session.producer.create_batch())
            self._release(batch.dropped)
            if not batch.slices:
                continue
            lane.batch = batch
            try:
                delivery = await session.producer.send_batch(batch.builder, lane.topic, partition=lane.key.partition)
            except DRIVER_ERRORS as error:
                self._settle(session, batch, log_error(error, APPENDING))
                continue
            session.under_way[batch] = delivery
            delivery.add_done_callback(lambda done, session=session, batch=batch: self._delivered(session, batch, done))

    async def _reopen(self) -> Session:
        try:
            return await self._open()
        except LogUnavailable as error:
            told = await self._obstacle()
            raise LogUnavailable(f"{APPENDING}: {told}" if told else str(error)) from error

    async def _open(self) -> Session:
        producer = self._connect()
        try:
            with translated(APPENDING):
                async with asyncio.timeout(self._timeout):
                    await producer.start()
        except BaseException:
            with suppress(*DRIVER_ERRORS):
                await producer.stop()
            raise
        return Session(producer)

    def _fail_waiting(self, error: LogError) -> None:
        """No producer can be had: everybody who waits is told so now, not after the time-out."""
        for lane in self._lanes.values():
            while lane.waiting:
                part = lane.waiting.popleft()
                part.call.fail(error)
                self._release([part])

    # outcomes

    def _delivered(self, session: Session, batch: Batch, done: asyncio.Future[Any]) -> None:
        session.under_way.pop(batch, None)
        if done.cancelled():
            self._settle(session, batch, LogUnavailable(f"{APPENDING}: it was given up."))
            return
        error = done.exception()
        if error is not None:
            self._settle(session, batch, log_error(error, APPENDING))
        elif done.result().offset < 0:
            # Stored before, and the broker has forgotten where: the reader knows it as a duplicate.
            self._settle(session, batch, LogUnavailable(f"{APPENDING}: it is stored, but Kafka cannot tell where."))
        else:
            complete = batch.stored_at(done.result().offset)
            self._release(complete)
            for part in complete:
                part.call.part_stored()
            self._next(batch)

    def _settle(self, session: Session, batch: Batch, error: LogError) -> None:
        """A batch failed. The broker's and our sequence numbers may differ now, so the producer is exchanged."""
        for part, _, _ in batch.slices:
            part.call.fail(error)
            self._release([part])
        self._exchange(session)
        self._next(batch)

    def _next(self, batch: Batch) -> None:
        lane = batch.lane
        if lane.batch is batch:
            lane.batch = None
            self._offer(lane)

    def _too_late(self, call: Call) -> None:
        call.fail(LogUnavailable(f"Kafka has not acknowledged an append within {self._timeout:g} seconds."))
        for part in call.parts:
            if part.batch is None or part.settled:
                continue
            if self._current is not None and part.batch in self._current.under_way:
                self._exchange(self._current)
            self._next(part.batch)

    def _release(self, parts: Iterable[Part]) -> None:
        for part in parts:
            if not part.settled:
                part.settled = True
                self._in_flight -= part.size

    def _exchange(self, session: Session) -> None:
        if self._current is session:
            self._current = None
            task = asyncio.create_task(session.end(GRACE_SECONDS))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


class Session:
    """One producer of the driver, and the batches that it has under way."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer
        self.under_way: dict[Batch, asyncio.Future[Any]] = {}

    async def end(self, grace: float = 0.0) -> None:
        """Close the producer; what is under way may take ``grace`` seconds more and is given up then."""
        if self.under_way:
            await asyncio.wait(list(self.under_way.values()), timeout=grace)
        with suppress(*DRIVER_ERRORS):
            if self.under_way:
                await self._give_up()
            else:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.producer.stop()

    async def _give_up(self) -> None:
        """End the driver's sender. It has no call for that: ``stop`` waits until everything is delivered, which an
        idempotent producer tries for ever."""
        sender = self.producer._sender.sender_task
        sender.cancel()
        for delivery in list(self.under_way.values()):
            delivery.cancel()
        # It still waits for the answer to a request, at most until that has timed out.
        await asyncio.wait([sender], timeout=REQUEST_TIMEOUT_MS / 1000 + 1)
        self.producer._closed = True
        await self.producer.client.close()
