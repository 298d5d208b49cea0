"""The composition root: everything the processor consists of, built from its settings in one place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from leocdp.adapters.engines import open_event_log, open_profile_store
from leocdp.contracts import topics
from leocdp.kit import metric_catalogue as m
from leocdp.kit.logs import get_logger
from leocdp.kit.metrics import Metrics
from leocdp.kit.opening import STARTING, Opening
from leocdp.kit.serve import instance_name
from leocdp.ports.clock import SystemClock
from leocdp.ports.config_view import ConfigView
from leocdp.ports.event_log import EventLog, LogUnavailable
from leocdp.ports.profile_store import ProfileStore, StoreUnavailable
from leocdp_processor.catalogue import LiveCatalogue
from leocdp_processor.dead_letter import StopLimit
from leocdp_processor.erasing import Eraser
from leocdp_processor.outbox import OutboxPublisher
from leocdp_processor.pipeline import Pipeline
from leocdp_processor.refresher import Refresher
from leocdp_processor.rules import LiveRules
from leocdp_processor.runner import TOPICS, Runner
from leocdp_processor.settings import ProcessorSettings

logger = get_logger(__name__)

LAG_EVERY = 5.0
TIDY_EVERY = 60.0


class Environment:
    """A processor that is put together but not started."""

    def __init__(self, settings: ProcessorSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.instance = instance_name(settings.instance)
        self.log: EventLog = open_event_log(settings)
        self.store: ProfileStore = open_profile_store(settings)
        self.view = ConfigView(self.log)
        self.catalogue = LiveCatalogue(self.view, settings.time_zone)
        self.outbox = OutboxPublisher(self.log, self.store, self.metrics)
        self.eraser = Eraser(self.store, settings.hashing_key(), backup_days=settings.backup_retention_days)
        self._clock = SystemClock()
        self._runner: Runner | None = None
        self._out_of_reach = ""
        """Why log or store could not be asked the last time."""
        self._opening = Opening((self._open_log, self._open_store, self._begin))

    def about(self) -> dict[str, Any]:
        return {"service": "processor", "instance": self.instance, "version": version("leocdp-processor")}

    async def ready(self) -> Sequence[str]:
        if self._runner is None or self._opening.reason:
            return [self._opening.reason or STARTING]
        # Without work the runner asks neither of them anything; who watches the lag does.
        return self._runner.reasons() or ([self._out_of_reach] if self._out_of_reach else [])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start everything; on leaving, drain: finish the batch, publish the outbox, close.

        A log or a store that cannot be reached does not stop the start: it is waited for. Raises LogError or StoreError
        for one that can never be used.
        """
        async with self._opening.running():
            yield

    async def _open_log(self, stack: AsyncExitStack) -> None:
        stack.push_async_callback(self.log.close)
        await self.log.start()

    async def _open_store(self, stack: AsyncExitStack) -> None:
        await self.store.start()
        stack.push_async_callback(self.store.close)

    async def _begin(self, stack: AsyncExitStack) -> None:
        await self.view.start()
        stack.push_async_callback(self.view.close)
        runner = self._runner = await self._make_runner()
        tasks = [asyncio.create_task(one) for one in (self._watch_lag(), self._tidy())]
        publishing = asyncio.create_task(self.outbox.run())
        working = asyncio.create_task(runner.run())

        async def drain() -> None:
            runner.stop()
            await working
            self.outbox.stop()
            await publishing
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

        stack.push_async_callback(drain)

    async def _make_runner(self) -> Runner:
        settings = self.settings
        lock = asyncio.Lock()
        pipeline = Pipeline(
            log=self.log,
            store=self.store,
            clock=self._clock,
            metrics=self.metrics,
            stop=StopLimit(settings.processor_stop_window, settings.processor_stop_ratio),
            eraser=self.eraser,
            dead_partitions=await self.log.partitions(topics.EVENTS_DEAD_LETTER),
        )
        refresher = Refresher(
            store=self.store,
            catalogue=self.catalogue,
            committed=self.outbox.wake,
            metrics=self.metrics,
            clock=self._clock,
            lock=lock,
        )
        return Runner(
            log=self.log,
            store=self.store,
            pipeline=pipeline,
            rules=LiveRules(self.view),
            catalogue=self.catalogue,
            refresher=refresher,
            lock=lock,
            eraser=self.eraser,
            outbox=self.outbox,
            metrics=self.metrics,
            settings=settings,
        )

    async def _watch_lag(self) -> None:
        while True:
            try:
                stored = await self.store.positions(self.log.log_id)
                for topic in TOPICS:
                    bounds = await self.log.bounds(topic)
                    lag = sum(bound.end - stored.get((topic, number), 0) for number, bound in bounds.items())
                    self.metrics.set(m.PROCESSOR_LAG, lag, topic=topic)
                self._out_of_reach = ""
            except (LogUnavailable, StoreUnavailable) as error:
                logger.warning("lag cannot be read", reason=str(error))
                self._out_of_reach = str(error)
            await asyncio.sleep(LAG_EVERY)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_EVERY)
            try:
                await self.store.tidy(self._clock.now())
            except StoreUnavailable as error:
                logger.warning("tidying waits", reason=str(error))
