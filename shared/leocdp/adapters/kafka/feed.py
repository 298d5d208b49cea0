"""Waiting for records of one driver's consumer, and noticing when the cluster does not answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import NoOffsetForPartitionError
from aiokafka.structs import TopicPartition as KafkaPartition

from leocdp.adapters.kafka.connection import REQUEST_TIMEOUT_MS
from leocdp.adapters.kafka.errors import translated
from leocdp.kit.logs import get_logger
from leocdp.ports.event_log import LogUnavailable

SILENCE_SECONDS: Final = 2 * REQUEST_TIMEOUT_MS / 1000
"""The driver asks for ever and says nothing; after so long without an answer we call the log unavailable."""
WAIT_MS: Final = 1_000
READING: Final = "Reading the event log"

log = get_logger(__name__)


class Silence:
    """How long no broker has answered a request for records."""

    def __init__(self) -> None:
        self._last = 0
        self._since = monotonic()

    def check(self, consumer: AIOKafkaConsumer) -> None:
        """Raises LogUnavailable after too long a silence. Partitions that are paused are not asked for."""
        asked = consumer.assignment() - consumer.paused()
        last = max((consumer.last_poll_timestamp(each) or 0 for each in asked), default=0)
        if last != self._last or not asked:
            self._last, self._since = last, monotonic()
        elif monotonic() - self._since > SILENCE_SECONDS:
            raise LogUnavailable(f"Kafka has not answered for {SILENCE_SECONDS:.0f} seconds.")

    def broken(self) -> None:
        """Something was heard, or nothing was asked for meanwhile."""
        self._since = monotonic()


async def pull(
    consumer: AIOKafkaConsumer, silence: Silence, wait_ms: int = WAIT_MS
) -> Mapping[KafkaPartition, Sequence[Any]]:
    """The records that have arrived, waiting for them a while; nothing of it waits after they are handed over.

    Raises LogUnavailable.
    """
    fetched: Mapping[KafkaPartition, Sequence[Any]] = {}
    # The driver looks for an offset committed in Kafka in the moment between an assignment and our seek.
    with translated(READING), suppress(NoOffsetForPartitionError):
        fetched = await consumer.getmany(timeout_ms=wait_ms)
    if fetched:
        silence.broken()
    else:
        silence.check(consumer)
    return fetched


async def stop(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Close a consumer of the driver. Its end may hang when brokers are away, and must not hold up ours."""
    try:
        async with asyncio.timeout(seconds):
            with translated("Leaving the event log"):
                await consumer.stop()
    except (LogUnavailable, TimeoutError) as error:
        # There is nothing to be done: whoever left without a word is missed after the session time.
        log.info("kafka_consumer_left_without_a_word", error=str(error))
