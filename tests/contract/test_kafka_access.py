"""Getting into a Kafka that wants a user, and what is said when it does not let us in."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.engines import EngineUnknown, open_event_log
from leocdp.adapters.kafka.connection import parse_url
from leocdp.kit.settings import LogSettings, ServiceSettings
from leocdp.ports.event_log import EventLog, LogUnavailable
from tests.contract.event_log_harness import event, texts
from tests.kafka import PASSWORD, USER, Kafka, delete_topics
from tests.ports import free_ports


class Settings(ServiceSettings, LogSettings):
    pass


def log_at(server: str, namespace: str, **settings: Any) -> EventLog:
    return open_event_log(Settings(log_url=f"kafka://{USER}@{server}/{namespace}", **settings))


@pytest.fixture
def namespace() -> str:
    return f"test-{secrets.token_hex(4)}"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
async def test_a_user_gets_in(kafka: Kafka, namespace: str, tmp_path: Path, protocol: str, mechanism: str) -> None:
    server = kafka.door(protocol)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    tls = {"log_tls": True, "log_tls_ca_file": kafka.signs().cert} if protocol == "SASL_SSL" else {}
    log = log_at(server, namespace, log_sasl_mechanism=mechanism, log_password_file=tmp_path / "password", **tls)
    await log.start()
    assert list(await log.append([event(0, "a")])) == [0]
    assert texts(await log.read("leocdp.events.accepted.v1", 0, 0)) == ["a"]
    await log.close()
    await delete_topics(f"kafka://{kafka.servers}/{namespace}")


async def test_a_wrong_password_is_said(kafka: Kafka, namespace: str) -> None:
    server = kafka.door("SASL_PLAINTEXT")
    log = log_at(server, namespace, log_password="wrong")
    with pytest.raises(LogUnavailable) as refused:
        await log.start()
    assert "Authentication failed" in str(refused.value)
    assert "Check LEOCDP_LOG_URL and the password" in str(refused.value)
    assert "wrong" not in str(refused.value)


async def test_nobody_there_is_said(unused_tcp_port: int) -> None:
    log = open_event_log(Settings(log_url=f"kafka://127.0.0.1:{unused_tcp_port}"))
    with pytest.raises(LogUnavailable, match=rf"Kafka at 127\.0\.0\.1:{unused_tcp_port} cannot be reached .*Start it"):
        await log.start()
    await log.close()
    with pytest.raises(LogUnavailable, match="not started"):
        await log.append([event(0, "a")])


@pytest.fixture
def unused_tcp_port() -> int:
    return free_ports(1)[0]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"log_url": "kafka://lan@h:1"}, "LEOCDP_LOG_PASSWORD"),
        ({"log_url": "kafka://lan:secret@h:1"}, "must hold no password"),
        ({"log_url": "kafka://@h:1"}, "no user before the @"),
        ({"log_url": "kafka://"}, "host:port"),
        ({"log_url": "kafka://h:99999"}, "host:port"),
        ({"log_url": "kafka://h:1,,g:2"}, "host:port"),
        ({"log_url": "kafka://h:1/a b"}, "namespace"),
        ({"log_url": "kafka://h:1", "log_tls_ca_file": "/nowhere"}, "LEOCDP_LOG_TLS is not"),
        ({"log_url": "kafka://h:1", "log_tls": True, "log_tls_ca_file": "/nowhere"}, "LEOCDP_LOG_TLS_CA_FILE=/nowhere"),
        ({"log_url": "kafka://h:1", "log_tls_key_file": "/nowhere"}, "LEOCDP_LOG_TLS is not"),
        (
            {"log_url": "kafka://h:1", "log_tls": True, "log_tls_key_file": "/nowhere"},
            "LEOCDP_LOG_TLS_CERT_FILE is not",
        ),
        ({"log_url": "kafka://h:1", "log_password_file": "/nowhere"}, "LEOCDP_LOG_PASSWORD_FILE cannot be read"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineUnknown, match=sentence) as refused:
        open_event_log(Settings(**settings))
    assert "LEOCDP_LOG_" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_driver_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("leocdp.adapters.kafka")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiokafka.conn", None)
    with pytest.raises(EngineUnknown, match=r"driver is not installed .*install leocdp\[kafka\]"):
        open_event_log(Settings(log_url="kafka://h:1"))


def test_without_the_port_it_is_kafkas_usual_one() -> None:
    assert parse_url("kafka://l%40n@a,b:1,[::1]:2/x.y") == ("l@n", ("a:9092", "b:1", "[::1]:2"), "x.y")
