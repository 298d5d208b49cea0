"""A real Kafka for tests: the one of LEOCDP_TEST_KAFKA, else one that is started here, once for all of them."""

from __future__ import annotations

import itertools
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from leocdp.adapters.kafka.connection import Connection, parse_url
from leocdp.adapters.kafka.event_log import KafkaEventLog
from leocdp.contracts.topics import TopicSpec
from scripts.kafka import Cluster, Node, free_ports
from tests.certificates import Authority

_numbers = itertools.count()

SMALL = ("-Xmx320m", "-XX:TieredStopAtLevel=1")
QUICK = {
    # A broker that was killed and comes back is let in after its old session has ended.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    "group.min.session.timeout.ms": "1000",
}
USER, PASSWORD = "leocdp-test", "a-password-of-the-tests"
DOORS = ("SASL_PLAINTEXT", "SASL_SSL", "SSL", "EXPIRED", "ELSEWHERE")
LOGIN = "org.apache.kafka.common.security"


@dataclass
class Kafka:
    """A running cluster. ``cluster`` is None when somebody else runs it: then it cannot be hurt."""

    servers: str
    cluster: Cluster | None = None
    authority: Authority | None = None
    """What the brokers' certificates are signed with, and those of clients must be."""

    def url(self) -> str:
        """A log that nobody has used."""
        return f"kafka://{self.servers}/test-{secrets.token_hex(3)}-{next(_numbers)}"

    def ours(self) -> Cluster:
        """The cluster, where it may be hurt and has the doors of the tests; skips where it is somebody else's."""
        if self.cluster is None:
            pytest.skip("kafka: LEOCDP_TEST_KAFKA names a broker that the tests cannot stop or set up")
        return self.cluster

    def door(self, name: str) -> str:
        return f"127.0.0.1:{self.ours().listeners[name]}"

    def signs(self) -> Authority:
        self.ours()
        assert self.authority is not None
        return self.authority


@contextmanager
def frozen(node: Node) -> Iterator[None]:
    """A broker that takes connections but does not answer."""
    assert node.process is not None
    node.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        node.process.send_signal(signal.SIGCONT)


@contextmanager
def running_cluster(cluster: Cluster) -> Iterator[Cluster]:
    cluster.jvm = SMALL
    try:
        cluster.start()
        yield cluster
    finally:
        for node in cluster.nodes:
            node.kill()  # Nobody needs its data any more, and a cluster without a majority stops slowly.


@contextmanager
def kafka_for_tests(need: Callable[[str], None], folder: Callable[[str], Path]) -> Iterator[Kafka]:
    """One node, with doors for users besides the open one; or what LEOCDP_TEST_KAFKA names."""
    need("kafka")
    given = os.environ.get("LEOCDP_TEST_KAFKA")
    if given:
        yield Kafka(given.removeprefix("kafka://"))
        return
    path = folder("kafka")
    authority = Authority(path, "authority")
    cluster = Cluster.make(path)
    cluster.properties = {**QUICK, **_doors(authority)}
    cluster.listeners = dict(zip(DOORS, free_ports(len(DOORS)), strict=True))
    cluster.protocols = dict.fromkeys(("EXPIRED", "ELSEWHERE"), "SSL")
    cluster.format_options = ("-S", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]")
    with running_cluster(cluster):
        yield Kafka(cluster.servers, cluster, authority)


def _doors(authority: Authority) -> dict[str, str]:
    """What the brokers' doors ask for: a user, a certificate of ours (SSL), or nothing but TLS.

    EXPIRED and ELSEWHERE show a certificate that has run out, or is another host's.
    """
    found = {"sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512", "ssl.client.auth": "none"}
    for listener in ("sasl_plaintext", "sasl_ssl"):
        name = f"listener.name.{listener}"
        found[f"{name}.plain.sasl.jaas.config"] = f'{LOGIN}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
        found[f"{name}.scram-sha-512.sasl.jaas.config"] = f"{LOGIN}.scram.ScramLoginModule required;"
    shown = {
        "sasl_ssl": authority.issue("broker"),
        "ssl": authority.issue("broker-that-asks"),
        "expired": authority.issue("broker-of-old", days=-1),
        "elsewhere": authority.issue("broker-of-others", host="kafka.example"),
    }
    for listener, issued in shown.items():
        found[f"listener.name.{listener}.ssl.keystore.type"] = "PEM"
        found[f"listener.name.{listener}.ssl.keystore.location"] = str(issued.both)
    found["listener.name.ssl.ssl.client.auth"] = "required"
    found["listener.name.ssl.ssl.truststore.type"] = "PEM"
    found["listener.name.ssl.ssl.truststore.location"] = str(authority.cert)
    return found


@dataclass
class Logs:
    """Opens logs of one namespace, and closes them."""

    url: str
    opened: list[KafkaEventLog] = field(default_factory=list)

    def make(self, topics: Sequence[TopicSpec], **options: object) -> KafkaEventLog:
        _, servers, namespace = parse_url(self.url)
        log = KafkaEventLog(Connection(servers, namespace), topics=topics, **options)  # type: ignore[arg-type]
        self.opened.append(log)
        return log

    async def open(self, topics: Sequence[TopicSpec], **options: object) -> KafkaEventLog:
        log = self.make(topics, **options)
        await log.start()
        return log


@asynccontextmanager
async def logs_at(url: str) -> AsyncIterator[Logs]:
    logs = Logs(url)
    yield logs
    for log in logs.opened:
        await log.close()
    await delete_topics(url)


async def delete_topics(url: str) -> None:
    """Remove the topics of a namespace, so that a broker does not carry those of all tests before."""
    async with admin(url) as client:
        _, _, namespace = parse_url(url)
        names = [name for name in await client.list_topics() if name.startswith(f"{namespace}.")]
        if names:
            await client.delete_topics(names)


@asynccontextmanager
async def admin(url: str) -> AsyncIterator[AIOKafkaAdminClient]:
    _, servers, _ = parse_url(url)
    client = AIOKafkaAdminClient(bootstrap_servers=list(servers))
    await client.start()
    yield client
    await client.close()
