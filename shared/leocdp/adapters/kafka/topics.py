"""The topic table in a cluster: what is missing is created where allowed, what differs is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from leocdp.adapters.kafka.names import Names
from leocdp.contracts.topics import DAY_MS, TopicSpec
from leocdp.kit.logs import get_logger
from leocdp.ports.event_log import MAX_RECORD_BYTES, LogCorrupt, LogUnavailable

MAX_MESSAGE_BYTES: Final = MAX_RECORD_BYTES + 65_536
"""A record of the largest size, its key and what Kafka puts around it."""
SEGMENT_MS: Final = DAY_MS
SEGMENT_BYTES: Final = (16 << 20, 1 << 30)
READY_SECONDS: Final = 30.0
COPIES: Final = 3

log = get_logger(__name__)


class Replicas(NamedTuple):
    """Of one partition: the broker that leads, -1 for none, and how many copies there are."""

    leader: int
    copies: int


@dataclass(frozen=True, slots=True)
class Cluster:
    id: str
    brokers: int


def configuration(spec: TopicSpec, copies: int) -> dict[str, str]:
    """The settings of a topic.

    Kafka removes whole segments, and a segment is as old as its newest record: with segments of a day and a retention
    one day shorter, no record is older than the table says. Its limit in bytes is per partition, ours is of the topic.
    """
    found = {
        "cleanup.policy": "compact" if spec.compacted else "delete",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2" if copies >= COPIES else "1",
        "segment.ms": str(SEGMENT_MS),
        "retention.ms": "-1" if spec.retention_ms is None else str(max(spec.retention_ms - SEGMENT_MS, SEGMENT_MS)),
        "retention.bytes": "-1",
    }
    if spec.compacted:
        found["min.cleanable.dirty.ratio"] = "0.1"
    if spec.retention_bytes is not None:
        per_partition = spec.retention_bytes // spec.partitions
        smallest, largest = SEGMENT_BYTES
        # The segment that is written to is never removed, so it must be a small part of the whole.
        found["segment.bytes"] = str(min(largest, max(smallest, per_partition // 8)))
        found["retention.bytes"] = str(per_partition)
    return found


def copies_for(wanted: int, brokers: int) -> int:
    """How often each partition is kept: what is set, else three times where there are three brokers."""
    return wanted or (COPIES if brokers >= COPIES else 1)


class TopicKeeper:
    """Checks and creates the topics of the table through an admin client that is started."""

    def __init__(
        self, admin: AIOKafkaAdminClient, names: Names, specs: Sequence[TopicSpec], *, create: bool, replication: int
    ) -> None:
        self._admin = admin
        self._names = names
        self._specs = specs
        self._create = create
        self._replication = replication

    async def prepare(self) -> Cluster:
        """Returns the cluster when every topic is there as the table says. Raises LogUnavailable, LogCorrupt."""
        told = await self._admin.describe_cluster()
        cluster = Cluster(str(told["cluster_id"]), len(told["brokers"]))
        missing = self._missing(await self._partitions())
        if missing:
            await self._make(missing, copies_for(self._replication, cluster.brokers))
        settled = await self._settled()
        self._check_partitions(settled)
        await self._check_configuration(settled)
        return cluster

    async def _partitions(self) -> dict[str, list[Replicas]]:
        """Full name → its partitions, of all topics of the cluster. Asking by name could create them."""
        return {
            topic["topic"]: [Replicas(each["leader"], len(each["replicas"])) for each in topic["partitions"]]
            for topic in await self._admin.describe_topics()
        }

    def _missing(self, found: Mapping[str, object]) -> list[TopicSpec]:
        return [spec for spec in self._specs if self._names.full(spec.name) not in found]

    async def _make(self, specs: Sequence[TopicSpec], copies: int) -> None:
        if not self._create:
            names = ", ".join(self._names.full(spec.name) for spec in specs)
            raise LogUnavailable(
                f"Kafka has no topic {names}, and LEOCDP_LOG_CREATE_TOPICS is false. Create the topics first, or start "
                "one service with LEOCDP_LOG_CREATE_TOPICS=true."
            )
        wanted = [
            NewTopic(self._names.full(spec.name), spec.partitions, copies, topic_configs=configuration(spec, copies))
            for spec in specs
        ]
        answer = await self._admin.create_topics(wanted)
        for name, code, *message in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                told = next((text for text in message if text), error.__name__)
                raise LogUnavailable(f"Kafka does not create the topic {name}: {told}")

    async def _settled(self) -> dict[str, list[Replicas]]:
        """The partitions when all have a leader: new topics take a moment to be known to every broker."""
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while True:
            found = await self._partitions()
            missing = self._missing(found)
            if not missing and all(each.leader >= 0 for name in self._full_names() for each in found[name]):
                return found
            if asyncio.get_running_loop().time() > deadline:
                raise LogUnavailable("Topics of the event log have partitions without a leader: a broker is missing.")
            await asyncio.sleep(0.1)

    def _full_names(self) -> Iterable[str]:
        return (self._names.full(spec.name) for spec in self._specs)

    def _check_partitions(self, found: Mapping[str, Sequence[Replicas]]) -> None:
        for spec in self._specs:
            name = self._names.full(spec.name)
            if len(found[name]) != spec.partitions:
                raise LogCorrupt(
                    f"The topic {name} has {len(found[name])} partitions in Kafka and must have {spec.partitions}: the "
                    "place of every person depends on it. Use another namespace in LEOCDP_LOG_URL, or delete the topic "
                    "if nothing in it is needed."
                )

    async def _check_configuration(self, partitions: Mapping[str, Sequence[Replicas]]) -> None:
        found = await self._configurations()
        for spec in self._specs:
            name = self._names.full(spec.name)
            settings = found.get(name)
            if settings is None:
                log.info("topic_settings_not_shown", topic=name)
                continue
            self._check_policy(name, spec, settings.get("cleanup.policy", ""))
            copies = min(each.copies for each in partitions[name])
            for key, expected, actual in differences(spec, settings, copies):
                log.warning("topic_differs", topic=name, setting=key, expected=expected, actual=actual)

    def _check_policy(self, name: str, spec: TopicSpec, policy: str) -> None:
        expected = "compact" if spec.compacted else "delete"
        if policy and expected not in policy.split(","):
            raise LogCorrupt(f"The topic {name} has cleanup.policy={policy} in Kafka and must have {expected}.")

    async def _configurations(self) -> dict[str, dict[str, str]]:
        """Full name → setting → value, of the topics whose settings this user may see."""
        wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in self._full_names()]
        answers: list[Any] = await self._admin.describe_configs(wanted)
        return {
            name: {entry[0]: entry[1] or "" for entry in entries}
            for answer in answers
            for code, _, _, name, entries in answer.resources
            if not code
        }


def differences(spec: TopicSpec, found: Mapping[str, str], copies: int) -> list[tuple[str, str, str]]:
    """(setting, expected, actual) where a topic that others made keeps records otherwise than the table promises."""
    differing = []
    expected = configuration(spec, copies)
    for key in ("retention.ms", "retention.bytes", "message.timestamp.type"):
        if key in found and found[key] != expected[key]:
            differing.append((key, expected[key], found[key]))
    if int(found.get("min.insync.replicas", 2)) < int(expected["min.insync.replicas"]):
        differing.append(("min.insync.replicas", expected["min.insync.replicas"], found["min.insync.replicas"]))
    if int(found.get("max.message.bytes", MAX_MESSAGE_BYTES)) < MAX_MESSAGE_BYTES:
        differing.append(("max.message.bytes", f"at least {MAX_MESSAGE_BYTES}", found["max.message.bytes"]))
    return differing
