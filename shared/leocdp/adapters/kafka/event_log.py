"""The event log of the distributed engine: topics of an Apache Kafka cluster.

See ``leocdp.ports.event_log`` for the contract. What Kafka adds to it:

* ``log_id`` is the id of the cluster, and the namespace if there is one. Topics that were deleted and made again in
  the same cluster have the same identity; positions beyond their end give that away.
* Records of one ``append`` for one partition are consecutive as far as they fit into one batch (1 MiB).
* A topic's retention is kept by the brokers, its configuration is checked and created by ``topics.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from leocdp.adapters.kafka.access import obstacle
from leocdp.adapters.kafka.connection import Connection
from leocdp.adapters.kafka.consumer import KafkaConsumer
from leocdp.adapters.kafka.errors import translated
from leocdp.adapters.kafka.names import Names
from leocdp.adapters.kafka.producer import Appender
from leocdp.adapters.kafka.reader import Reader, committed_offsets, follow
from leocdp.adapters.kafka.topics import MAX_MESSAGE_BYTES, TopicKeeper
from leocdp.contracts.topics import TOPICS, TopicSpec
from leocdp.ports.event_log import (
    MAX_RECORD_BYTES,
    Bounds,
    Consumer,
    LogUnavailable,
    NewRecord,
    Record,
    RecordTooLarge,
    TopicPartition,
    UnknownTopic,
)

MAX_IN_FLIGHT: Final = 64 << 20
FETCH_BYTES: Final = 8 << 20
"""What one broker sends at once, over all partitions."""
LONG_POLL_MS: Final = 100
"""A group's request that waits at a broker delays new ones for partitions that it does not ask for, so it is short."""
HEARTBEAT_MS: Final = 1_000
"""Also how soon a member notices that partitions are being shared out anew."""
DAY_MS: Final = 86_400_000


class KafkaEventLog:
    """EventLog on Kafka. Bound to the event loop that starts it.

    Args:
        connection: where the cluster is and how to get in.
        topics: the topic table; missing topics are created at start if ``create``.
        replication: copies of topics that are created; 0 is three where there are three brokers, else one.
        timeout: seconds from an append until it counts as failed.
        member: name of this process in its groups that outlives a restart (static membership); empty for none.
        session_timeout: seconds without a sign of life until a member's partitions go to others.
        max_in_flight: bytes that may wait for an acknowledgement. Beyond that ``append`` raises LogUnavailable at
            once, so that a slow cluster is felt by the callers and not by the memory of the process.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        topics: Sequence[TopicSpec] = TOPICS,
        create: bool = True,
        replication: int = 0,
        timeout: float = 15.0,
        member: str = "",
        session_timeout: float = 15.0,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._connection = connection
        self._names = Names(connection.namespace)
        self._specs = {spec.name: spec for spec in topics}
        self._create = create
        self._replication = replication
        self._timeout = timeout
        self._member = member
        self._session_ms = int(session_timeout * 1000)
        self._max_in_flight = max_in_flight
        self._log_id = ""
        self._reader: Reader | None = None
        self._appender: Appender | None = None

    @property
    def log_id(self) -> str:
        return self._log_id

    async def start(self) -> None:
        if self._reader is not None:
            return
        try:
            cluster = await self._prepare_topics()
            reader, appender = Reader(self._plain_consumer), self._make_appender()
            try:
                await reader.start()
                await appender.start()
            except BaseException:
                await reader.close()
                raise
        except LogUnavailable as error:
            raise LogUnavailable(await obstacle(self._connection) or str(error)) from error
        self._log_id = cluster
        self._reader, self._appender = reader, appender

    async def close(self) -> None:
        appender, self._appender = self._appender, None
        reader, self._reader = self._reader, None
        if appender is not None:
            await appender.close()
        if reader is not None:
            await reader.close()

    async def append(self, records: Sequence[NewRecord]) -> Sequence[int]:
        appender = self._appender
        if appender is None:
            raise LogUnavailable(self._not_started())
        for record in records:
            spec = self._specs.get(record.topic)
            if spec is None or not 0 <= record.partition < spec.partitions:
                raise UnknownTopic(self._unknown(record.topic, record.partition))
            length = len(record.value or b"")
            if length > MAX_RECORD_BYTES:
                raise RecordTooLarge(f"A record of {length} bytes: {record.topic} takes {MAX_RECORD_BYTES} at most.")
        return await appender.append(records) if records else ()

    async def partitions(self, topic: str) -> int:
        return self._spec(topic).partitions

    async def bounds(self, topic: str) -> Mapping[int, Bounds]:
        spec = self._spec(topic)
        return await self._running().bounds(self._names.full(topic), spec.partitions)

    def follow(self, topic: str, positions: Mapping[int, int] | None = None) -> AsyncIterator[Sequence[Record]]:
        spec = self._spec(topic)
        self._running()
        return follow(self._plain_consumer, topic, self._names.full(topic), spec.partitions, positions or {})

    async def read(self, topic: str, partition: int, offset: int, *, max_records: int = 100) -> Sequence[Record]:
        self._spec(topic, partition)
        return await self._running().read(topic, self._names.full(topic), partition, offset, max_records)

    def consumer(self, topics: Sequence[str], group: str) -> Consumer:
        self._running()
        for topic in topics:
            self._spec(topic)
        return KafkaConsumer(lambda: self._group_consumer(group), self._names, topics, group)

    async def group_positions(self, group: str) -> Mapping[TopicPartition, int]:
        self._running()
        admin = AIOKafkaAdminClient(**self._connection.options)
        try:
            with translated("Reading the positions of a group"):
                await admin.start()
                found = await committed_offsets(admin, self._names.full(group))
        finally:
            await admin.close()
        return {self._names.ours(key): committed.offset for key, committed in found.items() if committed.offset >= 0}

    # clients of the driver

    def _plain_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(**self._connection.options, **self._reading(), auto_offset_reset="earliest")

    def _group_consumer(self, group: str) -> AIOKafkaConsumer:
        options: dict[str, Any] = {**self._connection.options, **self._reading()}
        # Joining takes as long as the slowest member needs to come back, or to be given up.
        options["request_timeout_ms"] = max(options["request_timeout_ms"], self._session_ms + 5_000)
        return AIOKafkaConsumer(
            **options,
            group_id=self._names.full(group),
            group_instance_id=self._member or None,
            enable_auto_commit=False,
            # A position that is not there is an error that somebody has to decide on, never a reset in silence.
            auto_offset_reset="none",
            fetch_max_wait_ms=LONG_POLL_MS,
            session_timeout_ms=self._session_ms,
            heartbeat_interval_ms=HEARTBEAT_MS,
            # The store's positions fence a member that is stuck; a long batch must not cost it its partitions.
            max_poll_interval_ms=DAY_MS,
        )

    def _reading(self) -> Mapping[str, Any]:
        return {"max_partition_fetch_bytes": MAX_MESSAGE_BYTES, "fetch_max_bytes": FETCH_BYTES}

    def _make_appender(self) -> Appender:
        def producer() -> AIOKafkaProducer:
            return AIOKafkaProducer(
                **self._connection.options,
                enable_idempotence=True,
                acks="all",
                linger_ms=0,
                max_batch_size=MAX_RECORD_BYTES,
                max_request_size=MAX_MESSAGE_BYTES,
            )

        return Appender(
            producer,
            self._names.full,
            lambda: obstacle(self._connection),
            timeout=self._timeout,
            max_in_flight=self._max_in_flight,
        )

    async def _prepare_topics(self) -> str:
        admin = AIOKafkaAdminClient(**self._connection.options)
        try:
            with translated("Preparing the topics of the event log"):
                await admin.start()
                keeper = TopicKeeper(
                    admin,
                    self._names,
                    list(self._specs.values()),
                    create=self._create,
                    replication=self._replication,
                )
                cluster = await keeper.prepare()
        finally:
            await admin.close()
        return f"{cluster.id}/{self._names.namespace}" if self._names.namespace else cluster.id

    # sentences

    def _running(self) -> Reader:
        if self._reader is None:
            raise LogUnavailable(self._not_started())
        return self._reader

    def _spec(self, topic: str, partition: int = 0) -> TopicSpec:
        spec = self._specs.get(topic)
        if spec is None or not 0 <= partition < spec.partitions:
            self._running()
            raise UnknownTopic(self._unknown(topic, partition))
        return spec

    def _not_started(self) -> str:
        return f"The event log in Kafka at {self._connection} is not started, or closed."

    def _unknown(self, topic: str, partition: int) -> str:
        spec = self._specs.get(topic)
        if spec is None:
            return f"The event log has no topic {topic!r}."
        return f"Topic {topic} has partitions 0 to {spec.partitions - 1}, not {partition}."
