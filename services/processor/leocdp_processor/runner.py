"""The loop around the pipeline: fetch ahead, apply in order, back off when something is down, say why when stuck."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from leocdp.contracts import topics
from leocdp.kit import metric_catalogue as m
from leocdp.kit.logs import get_logger
from leocdp.kit.metrics import Metrics
from leocdp.ports.event_log import Consumer, EventLog, LogUnavailable, Record, TopicPartition
from leocdp.ports.profile_store import Conflict, ProfileStore, StoreHeld, StoreUnavailable
from leocdp_processor.catalogue import LiveCatalogue
from leocdp_processor.erasing import Eraser, LedgerUnreadable
from leocdp_processor.ordering import OrderedReader, in_order
from leocdp_processor.outbox import OutboxPublisher
from leocdp_processor.parse import parse
from leocdp_processor.pipeline import Batch, Pipeline, TooManyFailures, alone, moves_for
from leocdp_processor.positions import PositionsRefused, checked_positions
from leocdp_processor.refresher import Refresher
from leocdp_processor.replay import ReplayPlan, replay_plan
from leocdp_processor.rules import LiveRules
from leocdp_processor.settings import ProcessorSettings
from leocdp_processor.visible import VisiblePositions

logger = get_logger(__name__)

T = TypeVar("T")

TOPICS = (topics.EVENTS_ACCEPTED, topics.COMMANDS, topics.EVENTS_REJECTED)
IDLE_WAIT = 1.0
MAX_BACKOFF = 15.0
STOPPED_RETRY = 30.0
HELD_POLL = 1.0
"""Seconds between looks whether a backup is done."""
SINGLE_TRIES = 8
TAKE_ALL_WAIT = 0.5
MOVED_WAIT = 0.5
"""Seconds at most that a worker waits after another has moved one of its positions: the rebalance may be under way."""


class PositionsMoved(Exception):
    """Another processor has moved on in a partition that this one was reading: it may be its by now."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was read ahead, and the generation of the assignment that it was read in."""

    batch: Batch
    generation: int


class Runner:
    """Runs until ``stop`` is set; then the batch under way is finished and nothing else begun."""

    def __init__(
        self,
        *,
        log: EventLog,
        store: ProfileStore,
        pipeline: Pipeline,
        rules: LiveRules,
        catalogue: LiveCatalogue,
        refresher: Refresher,
        lock: asyncio.Lock,
        eraser: Eraser,
        outbox: OutboxPublisher,
        metrics: Metrics,
        settings: ProcessorSettings,
    ) -> None:
        self._log = log
        self._store = store
        self._pipeline = pipeline
        self._rules = rules
        self._catalogue = catalogue
        self._refresher = refresher
        self._lock = lock
        self._eraser = eraser
        self._outbox = outbox
        self._metrics = metrics
        self._settings = settings
        self._stored: dict[tuple[str, int], int] = {}
        self._generation = -1
        """Of the assignment whose partitions are read from their stored positions."""
        self._trouble: str | None = "starting"
        self._progress: str | None = None
        """Of a replay: it is at work, and not ready."""
        self._stopping = asyncio.Event()

    def reasons(self) -> Sequence[str]:
        """Why the processor cannot do its work now; nothing when it can."""
        return [self._trouble] if self._trouble else []

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. Whatever goes wrong, positions are read again from the store and work goes on."""
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await self._session()
            except (LogUnavailable, StoreUnavailable, PositionsRefused, PositionsMoved, LedgerUnreadable) as error:
                self._note(str(error))
            except Exception as error:
                logger.exception("processing failed; starting again from the stored positions")
                self._trouble = f"internal error: {type(error).__name__}"
            failures = 1 if time.monotonic() - began > 60 else failures + 1
            await self._pause(min(MAX_BACKOFF, 0.2 * 2**failures) * random.uniform(0.5, 1))  # noqa: S311 - jitter

    async def _session(self) -> None:
        """From the stored positions until something goes wrong or a stop is asked for."""
        consumer = self._log.consumer(TOPICS, topics.PROCESSOR_GROUP)
        await consumer.start()
        visible = VisiblePositions(consumer)
        try:
            await self._rules.ready()
            await self._eraser.check()
            await self._replay(consumer)
            await self._take_up(consumer)
            await self._work(consumer, visible)
        finally:
            await visible.close()
            await consumer.close()

    async def _replay(self, consumer: Consumer) -> None:
        """Catch up in the order of time where the store is behind what was processed before. Group positions are left
        as they are, so that a replay which is cut short is still known to be one."""
        plan = await self._plan_replay(consumer)
        if plan is None:
            return
        logger.info("reading the log again", seen=sum(plan.seen.values()), end=sum(plan.ends.values()))
        self._trouble = self._progress = "Reading the log again."
        starts = {TopicPartition(*key): offset for key, offset in self._stored.items()}
        reader = OrderedReader(consumer, self._log, starts, plan.ends)
        total = reader.left
        ahead = asyncio.create_task(self._next_replayed(reader, plan))
        try:
            while not self._stopping.is_set() and (batches := await self._unless_stopped(ahead)):
                if consumer.generation != self._generation:
                    raise PositionsMoved("partitions were assigned anew")
                self._trouble = self._progress = f"Reading the log again: {total - reader.left} of {total} records."
                ahead = asyncio.create_task(self._next_replayed(reader, plan))
                for batch in batches:
                    await self._apply(batch)
            await reader.close()
        finally:
            self._progress = None
            await _cancelled(ahead)

    async def _next_replayed(self, reader: OrderedReader, plan: ReplayPlan) -> Sequence[Batch]:
        records = await reader.take(self._settings.processor_batch_bytes)
        return [self._batch(run, replayed=replayed) for replayed, run in plan.runs(records)]

    async def _plan_replay(self, consumer: Consumer) -> ReplayPlan | None:
        """None when there is nothing to replay (any more). Waits until every partition is ours: their common order is
        what a replay needs."""
        everything = self._settings.processor_replay
        while plan := await replay_plan(self._log, self._store, TOPICS, everything=everything):
            if plan.ends.keys() <= await consumer.assignment():
                await self._take_up(consumer)
                return plan
            self._note("Waiting to read the log again: run one processor only until that is done.")
            await self._pause(TAKE_ALL_WAIT)
            if self._stopping.is_set():
                break
        return None

    async def _take_up(self, consumer: Consumer) -> None:
        """Read each partition that is assigned now from its stored position on."""
        accept = self._settings.processor_accept_log
        while True:
            generation = consumer.generation
            assigned = await consumer.assignment()
            start = await checked_positions(self._log, self._store, assigned, accept=accept)
            self._stored = dict(start.stored)
            await consumer.seek({TopicPartition(*key): offset for key, offset in start.seek.items()})
            if consumer.generation == generation:
                break
        self._generation = generation
        if generation:
            self._trouble = None
            logger.info("processing", log_id=self._log.log_id, generation=generation, partitions=len(assigned))

    async def _work(self, consumer: Consumer, visible: VisiblePositions) -> None:
        """Fetch and read the next batch while the one before is committed."""
        ahead = asyncio.create_task(self._next(consumer))
        partitions = await self._log.partitions(topics.EVENTS_ACCEPTED)
        refreshing = asyncio.create_task(self._refresher.run(consumer, partitions))
        try:
            while not self._stopping.is_set():
                fetched = await self._unless_stopped(ahead)
                if fetched is None:
                    return
                current = fetched.generation == self._generation == consumer.generation
                if not current:
                    await self._take_up(consumer)
                ahead = asyncio.create_task(self._next(consumer))
                if not current or not fetched.batch.records:
                    continue
                try:
                    await self._apply(fetched.batch)
                except PositionsMoved as error:
                    logger.warning("partitions moved on", reason=str(error))
                    await _cancelled(ahead)
                    await self._pause(random.uniform(0.05, MOVED_WAIT))  # noqa: S311 - jitter
                    await self._take_up(consumer)
                    ahead = asyncio.create_task(self._next(consumer))
                else:
                    visible.note(_ends(fetched.batch))
        finally:
            await _cancelled(ahead)
            await _cancelled(refreshing)

    async def _next(self, consumer: Consumer) -> Fetched:
        records = await consumer.fetch(max_bytes=self._settings.processor_batch_bytes, max_wait=IDLE_WAIT)
        # Before anything else runs: a rebalance while the records are read makes them those of a generation before.
        generation = consumer.generation
        return Fetched(self._batch(in_order(records)), generation)

    def _batch(self, records: Sequence[Record], *, replayed: bool = False) -> Batch:
        began = time.perf_counter()
        parsed = parse(records, self._rules.current)
        return Batch(records, parsed, (), time.perf_counter() - began, replayed)

    async def _apply(self, batch: Batch) -> None:
        """Apply a batch, in parts where something in it has to be applied alone."""
        parts = alone(batch)
        if len(parts) == 1:
            await self._apply_whole(batch)
            return
        for records in parts:
            await self._apply_whole(self._batch(records, replayed=batch.replayed))

    async def _apply_whole(self, batch: Batch) -> None:
        """Apply a batch; a conflict halves it, so that what contends with another worker stays small."""
        tries = 0
        while True:
            moves = moves_for(batch.records, self._log.log_id, self._stored)
            try:
                async with self._lock:
                    await self._pipeline.apply(
                        replace(batch, moves=moves), self._rules.current, self._catalogue.current
                    )
            except StoreHeld as error:
                await self._wait_for_backup(error)
            except Conflict as error:
                self._metrics.inc(m.PROCESSOR_CONFLICTS)
                tries += 1
                await self._check_fence(batch)
                if len(batch.records) > 1:
                    middle = len(batch.records) // 2
                    for half in (batch.records[:middle], batch.records[middle:]):
                        await self._apply_whole(self._batch(half, replayed=batch.replayed))
                    return
                if tries >= SINGLE_TRIES:
                    raise StoreUnavailable(f"A batch still conflicts after {tries} tries: {error}") from error
                await self._pause(random.uniform(0, 0.02 * 2**tries))  # noqa: S311 - jitter
            except TooManyFailures as error:
                await self._hold(str(error))
            else:
                self._metrics.set(m.PROCESSOR_STOPPED, 0)
                self._trouble = self._progress
                for move in moves:
                    self._stored[move.key.topic, move.key.partition] = move.new
                self._outbox.wake()
                return

    async def _check_fence(self, batch: Batch) -> None:
        """After a conflict: if another worker moved our positions, what was read is of no use any more.

        Raises PositionsMoved.
        """
        current = await self._store.positions(self._log.log_id)
        for key in _ends(batch):
            if current.get(key) != self._stored.get(key):
                raise PositionsMoved(f"another processor has moved the position of {key[0]}/{key[1]}")

    async def _wait_for_backup(self, error: StoreHeld) -> None:
        """Until the barrier is lifted or expires; then the same batch again. The group is not left meanwhile."""
        self._metrics.set(m.PROCESSOR_HELD, 1)
        self._note(str(error))
        try:
            while not self._stopping.is_set() and await self._store.held_until() is not None:
                await self._pause(HELD_POLL)
        finally:
            self._metrics.set(m.PROCESSOR_HELD, 0)
        if self._stopping.is_set():
            raise StoreUnavailable("stopping")
        logger.info("processing goes on after a backup")

    async def _hold(self, reasons: str) -> None:
        self._metrics.set(m.PROCESSOR_STOPPED, 1)
        self._note(
            f"Stopped: most of the latest events cannot be processed ({reasons}). Nothing is lost; they wait in the "
            "log. Mend the cause and restart, or set LEOCDP_PROCESSOR_STOP_RATIO=1 to make them all dead letters."
        )
        await self._pause(STOPPED_RETRY)
        if self._stopping.is_set():
            raise StoreUnavailable("stopping")

    async def _unless_stopped(self, task: asyncio.Task[T]) -> T | None:
        """The task's result, or None when a stop is asked for first."""
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        return task.result() if task.done() else None

    def _note(self, sentence: str) -> None:
        if self._trouble != sentence and not self._stopping.is_set():
            logger.warning("not processing", reason=sentence)
        self._trouble = sentence

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _ends(batch: Batch) -> Mapping[tuple[str, int], int]:
    return {(record.topic, record.partition): record.offset + 1 for record in batch.records}


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, LogUnavailable):
        await task
