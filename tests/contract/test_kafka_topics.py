"""The topic table in Kafka: what is created, and what is said when the cluster has it otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from leocdp.adapters.kafka import topics as keeping
from leocdp.adapters.kafka.topics import configuration, copies_for, differences
from leocdp.contracts.topics import CONFIG, DAY_MS, EVENTS_ACCEPTED, GIB, TOPICS, TopicSpec, topic_spec
from leocdp.ports.event_log import LogCorrupt, LogUnavailable
from tests.contract.event_log_harness import event
from tests.kafka import Kafka, Logs, admin, logs_at

PLAIN = TopicSpec("plain", 2, retention_ms=10 * DAY_MS, retention_bytes=2 * GIB)
KEYED = TopicSpec("keyed", 1, retention_ms=None, retention_bytes=None, compacted=True)


@pytest.fixture
async def logs(kafka: Kafka) -> AsyncIterator[Logs]:
    async with logs_at(kafka.url()) as logs:
        yield logs


async def make(logs: Logs, name: str, partitions: int, **configs: str) -> None:
    """A topic of the namespace that somebody else has made."""
    namespace = logs.url.rpartition("/")[2]
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    async with admin(logs.url) as client:
        answer = await client.create_topics([NewTopic(f"{namespace}.{name}", partitions, 1, topic_configs=settings)])
        assert all(code == 0 for _, code, *_ in answer.topic_errors)


async def settings_of(logs: Logs, name: str) -> dict[str, str]:
    namespace = logs.url.rpartition("/")[2]
    async with admin(logs.url) as client:
        (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, f"{namespace}.{name}")])
        ((_, _, _, _, entries),) = answer.resources
    return {entry[0]: entry[1] for entry in entries}


# in the cluster


async def test_topics_are_made_as_the_table_says(logs: Logs) -> None:
    await logs.open([PLAIN, KEYED])
    plain, keyed = await settings_of(logs, "plain"), await settings_of(logs, "keyed")
    assert (plain["cleanup.policy"], plain["retention.bytes"]) == ("delete", str(GIB))
    assert int(plain["retention.ms"]) + int(plain["segment.ms"]) == 10 * DAY_MS
    assert (keyed["cleanup.policy"], keyed["retention.ms"], keyed["retention.bytes"]) == ("compact", "-1", "-1")
    assert plain["message.timestamp.type"] == "LogAppendTime"
    assert int(plain["max.message.bytes"]) > 1_048_576


async def test_all_services_may_start_at_once(logs: Logs) -> None:
    started = [logs.make(TOPICS) for _ in range(4)]
    await asyncio.gather(*(log.start() for log in started))
    assert len({log.log_id for log in started}) == 1
    assert list(await started[0].append([event(23, "a")])) == [0]


async def test_the_identity_is_of_cluster_and_namespace(logs: Logs) -> None:
    log = await logs.open([PLAIN])
    cluster, _, namespace = log.log_id.partition("/")
    assert len(cluster) == 22
    assert logs.url.endswith(f"/{namespace}")


async def test_nothing_is_created_where_that_is_not_allowed(logs: Logs) -> None:
    with pytest.raises(LogUnavailable, match=r"no topic test-.*plain, and LEOCDP_LOG_CREATE_TOPICS is false"):
        await logs.open([PLAIN], create=False)
    await logs.open([PLAIN])
    await logs.open([PLAIN], create=False)
    async with admin(logs.url) as client:
        assert not [name for name in await client.list_topics() if name.endswith(".keyed")]


async def test_another_number_of_partitions_is_refused(logs: Logs) -> None:
    await make(logs, "plain", 3)
    with pytest.raises(LogCorrupt, match=r"has 3 partitions in Kafka and must have 2"):
        await logs.open([PLAIN])


async def test_a_topic_that_would_forget_the_configuration_is_refused(logs: Logs) -> None:
    await make(logs, "keyed", 1, cleanup_policy="delete")
    with pytest.raises(LogCorrupt, match=r"cleanup\.policy=delete in Kafka and must have compact"):
        await logs.open([KEYED])


async def test_other_settings_are_told_and_kept(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    await make(logs, "plain", 2, retention_ms="60000", max_message_bytes="1000")
    told: list[str] = []
    monkeypatch.setattr(keeping.log, "warning", lambda _, **fields: told.append(fields["setting"]))
    await logs.open([PLAIN])
    assert {"retention.ms", "max.message.bytes"} <= set(told)
    assert (await settings_of(logs, "plain"))["retention.ms"] == "60000"


async def test_more_copies_than_brokers_are_refused_with_the_reason(logs: Logs) -> None:
    with pytest.raises(LogUnavailable, match=r"does not create the topic .*plain: .*replication factor"):
        await logs.open([PLAIN], replication=9)


# arithmetic


def test_retention_in_bytes_is_shared_by_the_partitions() -> None:
    accepted = configuration(topic_spec(EVENTS_ACCEPTED), 1)
    assert int(accepted["retention.bytes"]) == 20 * GIB // 24
    # What is written to is never removed: it must be small beside what may be kept.
    assert int(accepted["segment.bytes"]) * 8 <= int(accepted["retention.bytes"])


@pytest.mark.parametrize("spec", TOPICS, ids=lambda spec: spec.name)
def test_no_record_gets_older_than_the_table_says(spec: TopicSpec) -> None:
    made = configuration(spec, 3)
    if spec.retention_ms is None:
        assert made["retention.ms"] == "-1"
    else:
        assert int(made["retention.ms"]) + int(made["segment.ms"]) <= spec.retention_ms
    assert ("compact" in made["cleanup.policy"]) == (spec.name == CONFIG)


@pytest.mark.parametrize(
    ("wanted", "brokers", "copies"), [(0, 1, 1), (0, 2, 1), (0, 3, 3), (0, 5, 3), (2, 3, 2), (1, 3, 1)]
)
def test_copies(wanted: int, brokers: int, copies: int) -> None:
    assert copies_for(wanted, brokers) == copies


def test_three_copies_need_two_that_have_it() -> None:
    assert configuration(PLAIN, 3)["min.insync.replicas"] == "2"
    assert configuration(PLAIN, 1)["min.insync.replicas"] == "1"


def test_what_is_as_it_should_be_is_not_told() -> None:
    assert differences(PLAIN, configuration(PLAIN, 3), 3) == []
    assert differences(PLAIN, configuration(PLAIN, 1), 1) == []
    assert differences(PLAIN, {}, 3) == []


def test_three_copies_that_need_only_one_in_sync_are_told() -> None:
    made = {**configuration(PLAIN, 3), "min.insync.replicas": "1"}
    assert differences(PLAIN, made, 3) == [("min.insync.replicas", "2", "1")]
    assert differences(PLAIN, made, 1) == []
