"""Names of topics, partitions and groups: ours, and what they are called in the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka.structs import TopicPartition as KafkaPartition

from leocdp.ports.event_log import TopicPartition


@dataclass(frozen=True, slots=True)
class Names:
    """Puts the namespace before a name and takes it off again."""

    namespace: str = ""

    def full(self, name: str) -> str:
        return f"{self.namespace}.{name}" if self.namespace else name

    def short(self, name: str) -> str:
        return name.removeprefix(f"{self.namespace}.") if self.namespace else name

    def theirs(self, ours: TopicPartition) -> KafkaPartition:
        return KafkaPartition(self.full(ours.topic), ours.partition)

    def ours(self, theirs: KafkaPartition) -> TopicPartition:
        return TopicPartition(self.short(theirs.topic), theirs.partition)
