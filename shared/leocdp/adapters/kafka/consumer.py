"""A member of a consumer group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.structs import TopicPartition as KafkaPartition

from leocdp.adapters.kafka.backlog import Backlog, record_of
from leocdp.adapters.kafka.errors import translated
from leocdp.adapters.kafka.feed import Silence, pull, stop
from leocdp.adapters.kafka.names import Names
from leocdp.kit.logs import get_logger
from leocdp.ports.event_log import LogError, LogUnavailable, Record, TopicPartition

COMMIT_SECONDS: Final = 5.0
BEGINNING_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 5.0

log = get_logger(__name__)


class KafkaConsumer:
    """A consumer of the distributed log.

    At each rebalance the driver gives all partitions back and gets its new ones (eager assignment). Partitions that
    stay go on where they were, new ones start at their beginning until ``seek``; ``generation`` tells the caller that
    it must. The offsets committed in Kafka are never read here.
    """

    def __init__(
        self, connect: Callable[[], AIOKafkaConsumer], names: Names, topics: Sequence[str], group: str
    ) -> None:
        self._connect = connect
        self._names = names
        self._topics = topics
        self._group = group
        self._driver: AIOKafkaConsumer | None = None
        self._backlog = Backlog()
        self._silence = Silence()
        self._next: dict[TopicPartition, int] = {}
        """Assigned partitions, and the offset that is handed out next."""
        self._paused: frozenset[TopicPartition] = frozenset()
        self._assigned = False
        """Between a revocation and the assignment after it nothing may be handed out."""
        self._generation = 0
        self._pulling: asyncio.Task[None] | None = None

    @property
    def generation(self) -> int:
        return self._generation

    async def start(self) -> None:
        driver = self._connect()
        try:
            with translated("Joining the consumer group"):
                await driver.start()
                driver.subscribe([self._names.full(topic) for topic in self._topics], listener=_Listener(self))
        except BaseException:
            await stop(driver, CLOSE_SECONDS)
            raise
        self._driver = driver

    async def close(self) -> None:
        driver, self._driver = self._driver, None
        if driver is None:
            return
        self._assigned = False
        if self._pulling is not None:
            self._pulling.cancel()
            await asyncio.gather(self._pulling, return_exceptions=True)
            self._pulling = None
        await stop(driver, CLOSE_SECONDS)

    async def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._next) if self._assigned else frozenset()

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        if not self._assigned:
            return
        for key, offset in positions.items():
            if key in self._next:
                self._move(key, offset)

    def _move(self, key: TopicPartition, offset: int) -> None:
        self._backlog.drop(key)
        self._next[key] = offset
        self._running().seek(self._names.theirs(key), offset)

    async def fetch(self, *, max_bytes: int, max_wait: float) -> Sequence[Record]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + max_wait
        while True:
            self._running()
            records = self._backlog.take(max_bytes, self._paused) if self._assigned else ()
            if records:
                for record in records:
                    self._next[record.topic_partition] = record.offset + 1
                return records
            if not await self._pulled(max(0.0, deadline - loop.time())):
                return ()

    async def _pulled(self, seconds: float) -> bool:
        """Wait for the driver to bring something; False when the time is over. It goes on waiting if we are cancelled,
        so that nothing gets lost between it and us."""
        if self._pulling is None:
            self._pulling = asyncio.create_task(self._pull(self._running()))
        await asyncio.wait({self._pulling}, timeout=seconds)
        if not self._pulling.done():
            return False
        done, self._pulling = self._pulling, None
        done.result()
        return True

    async def _pull(self, driver: AIOKafkaConsumer) -> None:
        fetched = await pull(driver, self._silence)
        # No await from here to the driver's last step: a seek or a revocation comes before both or after both.
        if self._assigned:
            keys = {self._names.ours(key): records for key, records in fetched.items()}
            self._backlog.add({key: [record_of(key.topic, each) for each in keys[key]] for key in keys})

    async def pause(self, partitions: frozenset[TopicPartition]) -> None:
        self._paused |= partitions
        self._running().pause(*self._theirs(partitions))

    async def resume(self, partitions: frozenset[TopicPartition]) -> None:
        self._paused -= partitions
        self._running().resume(*self._theirs(partitions))

    def _theirs(self, partitions: Iterable[TopicPartition]) -> list[KafkaPartition]:
        return [self._names.theirs(key) for key in partitions if key in self._next and self._assigned]

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        own = {self._names.theirs(key): offset for key, offset in positions.items() if key in self._next}
        if not own or not self._assigned:
            return
        try:
            with translated("Making positions visible"):
                async with asyncio.timeout(COMMIT_SECONDS):
                    await self._running().commit(own)
        except LogError as error:
            log.info("group_positions_not_written", group=self._group, error=str(error))

    def _running(self) -> AIOKafkaConsumer:
        if self._driver is None:
            raise LogUnavailable("This consumer is not started, or closed.")
        return self._driver

    # rebalance

    def revoked(self) -> None:
        self._assigned = False
        self._backlog.clear()

    async def assigned(self, partitions: Iterable[KafkaPartition]) -> None:
        """New partitions begin at their beginning, the ones that stayed go on."""
        driver = self._driver
        if driver is None:
            return
        before = self._next
        keys = {self._names.ours(each): each for each in partitions}
        begin = await _beginnings(driver, [theirs for ours, theirs in keys.items() if ours not in before])
        self._next = {ours: before[ours] if ours in before else begin.get(theirs, 0) for ours, theirs in keys.items()}
        for ours, theirs in keys.items():
            driver.seek(theirs, self._next[ours])
        driver.pause(*(theirs for ours, theirs in keys.items() if ours in self._paused))
        self._silence.broken()
        self._generation += 1
        self._assigned = True
        log.info("partitions_assigned", group=self._group, generation=self._generation, partitions=len(keys))


async def _beginnings(driver: AIOKafkaConsumer, partitions: Sequence[KafkaPartition]) -> Mapping[KafkaPartition, int]:
    """Where partitions begin. Empty when that cannot be learned now: reading from 0 then tells what is wrong."""
    with suppress(LogError), translated("Learning where partitions begin"):
        async with asyncio.timeout(BEGINNING_SECONDS):
            found: Mapping[KafkaPartition, int] = await driver.beginning_offsets(partitions)
            return found
    return {}


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer

    def on_partitions_revoked(self, revoked: Any) -> None:
        self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: Iterable[KafkaPartition]) -> None:
        await self._consumer.assigned(assigned)
