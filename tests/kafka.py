"""A real Kafka for tests: the one of LEOCDP_TEST_KAFKA, else one that is started here, once for all of them."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from leocdp.adapters.kafka.connection import parse_url
from scripts.kafka import Cluster, Node

_numbers = itertools.count()

QUICK = {
    # A broker that was killed and comes back is let in after its old session has ended.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    "group.min.session.timeout.ms": "1000",
}
USER, PASSWORD = "leocdp-test", "a-password-of-the-tests"


@dataclass
class Kafka:
    """A running cluster. ``cluster`` is None when somebody else runs it: then it cannot be hurt."""

    servers: str
    cluster: Cluster | None = None

    @property
    def node(self) -> Node:
        assert self.cluster is not None
        return self.cluster.nodes[0]

    def namespace_url(self) -> str:
        """A log that nobody has used."""
        return f"kafka://{self.servers}/test-{secrets.token_hex(3)}-{next(_numbers)}"


@contextmanager
def local_kafka(folder: Path, nodes: int = 1) -> Iterator[Kafka]:
    cluster = Cluster.make(folder, nodes)
    cluster.properties, cluster.jvm = QUICK, ("-Xmx320m", "-XX:TieredStopAtLevel=1")
    try:
        cluster.start()
        yield Kafka(cluster.servers, cluster)
    finally:
        cluster.stop()


@contextmanager
def kafka_for_tests(need: Callable[[str], None], folder: Callable[[str], Path]) -> Iterator[Kafka]:
    """One node, with a door for users besides the open one; or what LEOCDP_TEST_KAFKA names."""
    need("kafka")
    given = os.environ.get("LEOCDP_TEST_KAFKA")
    if given:
        yield Kafka(given.removeprefix("kafka://"))
        return
    with local_kafka(folder("kafka")) as kafka:
        yield kafka


async def delete_topics(url: str) -> None:
    """Remove the topics of a namespace, so that a broker does not carry those of all tests before."""
    _, servers, namespace = parse_url(url)
    admin = AIOKafkaAdminClient(bootstrap_servers=list(servers))
    await admin.start()
    names = [name for name in await admin.list_topics() if name.startswith(f"{namespace}.")]
    if names:
        await admin.delete_topics(names)
    await admin.close()
