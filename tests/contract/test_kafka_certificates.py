"""A Kafka that is reached by TLS and asks for certificates, and what is said when one of them is not right."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.engines import EngineUnknown, open_event_log
from leocdp.kit.settings import LogSettings, ServiceSettings
from leocdp.ports.event_log import EventLog, LogUnavailable
from tests.certificates import Authority, Issued
from tests.contract.event_log_harness import event, texts
from tests.kafka import PASSWORD, USER, Kafka, delete_topics

ASKS, EXPIRED, ELSEWHERE = "SSL", "EXPIRED", "ELSEWHERE"
HANGING = 15.0
"""Nobody should have to wait so long for an answer that only a person can change."""


class Settings(ServiceSettings, LogSettings):
    pass


@pytest.fixture
def namespace() -> str:
    return f"test-{secrets.token_hex(4)}"


@pytest.fixture
def trusted(kafka: Kafka) -> Path:
    return kafka.signs().cert


def shown(issued: Issued) -> dict[str, Path]:
    return {"log_tls_cert_file": issued.cert, "log_tls_key_file": issued.key}


def log_at(server: str, namespace: str, **settings: Any) -> EventLog:
    return open_event_log(Settings(log_url=f"kafka://{server}/{namespace}", **settings))


async def refusal(log: EventLog) -> str:
    """Why it does not start: soon, and as something that trying again may mend, since brokers change."""
    with pytest.raises(LogUnavailable) as refused:
        async with asyncio.timeout(HANGING):
            await log.start()
    assert refused.value.retryable
    return str(refused.value)


@pytest.mark.parametrize("files", ["two", "one"])
async def test_who_shows_a_certificate_gets_in(kafka: Kafka, trusted: Path, namespace: str, files: str) -> None:
    issued = kafka.signs().issue(f"client-{namespace}")
    certificate = shown(issued) if files == "two" else {"log_tls_cert_file": issued.both}
    log = log_at(kafka.door(ASKS), namespace, log_tls=True, log_tls_ca_file=trusted, **certificate)
    await log.start()
    assert list(await log.append([event(0, "a")])) == [0]
    assert texts(await log.read("leocdp.events.accepted.v1", 0, 0)) == ["a"]
    await log.close()
    await delete_topics(f"kafka://{kafka.servers}/{namespace}")


async def test_a_client_certificate_that_is_missing_is_said(kafka: Kafka, trusted: Path, namespace: str) -> None:
    told = await refusal(log_at(kafka.door(ASKS), namespace, log_tls=True, log_tls_ca_file=trusted))
    assert "wants a client certificate: set LEOCDP_LOG_TLS_CERT_FILE and LEOCDP_LOG_TLS_KEY_FILE" in told


async def test_a_client_certificate_that_has_run_out_is_said(kafka: Kafka, trusted: Path, namespace: str) -> None:
    issued = kafka.signs().issue(f"client-{namespace}", days=-1)
    told = await refusal(log_at(kafka.door(ASKS), namespace, log_tls=True, log_tls_ca_file=trusted, **shown(issued)))
    assert "refuses our certificate, LEOCDP_LOG_TLS_CERT_FILE: check that it has not run out" in told


async def test_a_client_certificate_of_another_authority_is_said(
    kafka: Kafka, trusted: Path, namespace: str, tmp_path: Path
) -> None:
    issued = Authority(tmp_path, "another").issue("client")
    told = await refusal(log_at(kafka.door(ASKS), namespace, log_tls=True, log_tls_ca_file=trusted, **shown(issued)))
    assert "refuses our certificate" in told
    assert "signed by an authority that the broker trusts" in told


@pytest.mark.parametrize("authority", ["another", "those of the system"])
async def test_a_broker_that_we_do_not_trust_is_said(
    kafka: Kafka, namespace: str, tmp_path: Path, authority: str
) -> None:
    issued = kafka.signs().issue(f"client-{namespace}")
    ca = {"log_tls_ca_file": Authority(tmp_path, "another").cert} if authority == "another" else {}
    told = await refusal(log_at(kafka.door(ASKS), namespace, log_tls=True, **ca, **shown(issued)))
    assert "certificate verify failed" in told
    assert "LEOCDP_LOG_TLS_CA_FILE must hold the certificate that the broker's is signed with" in told


async def test_a_brokers_certificate_that_has_run_out_is_said(kafka: Kafka, trusted: Path, namespace: str) -> None:
    told = await refusal(log_at(kafka.door(EXPIRED), namespace, log_tls=True, log_tls_ca_file=trusted))
    assert "certificate has expired" in told
    assert "must be renewed there" in told


async def test_a_certificate_of_another_host_is_said(kafka: Kafka, trusted: Path, namespace: str) -> None:
    told = await refusal(log_at(kafka.door(ELSEWHERE), namespace, log_tls=True, log_tls_ca_file=trusted))
    assert "LEOCDP_LOG_URL must have a name that stands in it" in told


@pytest.mark.parametrize("door", [ASKS, "SASL_SSL"])
async def test_no_tls_where_the_broker_wants_it_is_said(kafka: Kafka, namespace: str, door: str) -> None:
    told = await refusal(log_at(kafka.door(door), namespace))
    assert "this port may want TLS (LEOCDP_LOG_TLS=true)" in told


async def test_tls_where_the_broker_wants_none_is_said(kafka: Kafka, trusted: Path, namespace: str) -> None:
    issued = kafka.signs().issue(f"client-{namespace}")
    settings = {"log_tls": True, "log_tls_ca_file": trusted, **shown(issued)}
    told = await refusal(log_at(kafka.servers.split(",")[0], namespace, **settings))
    assert "this port may want no TLS (LEOCDP_LOG_TLS=false)" in told


async def test_a_stranger_where_the_broker_wants_a_user_is_said(kafka: Kafka, trusted: Path, namespace: str) -> None:
    told = await refusal(log_at(kafka.door("SASL_SSL"), namespace, log_tls=True, log_tls_ca_file=trusted))
    assert "or a user in LEOCDP_LOG_URL" in told


async def test_a_user_does_not_help_a_broker_that_we_do_not_trust(kafka: Kafka, namespace: str) -> None:
    told = await refusal(log_at(f"{USER}@{kafka.door('SASL_SSL')}", namespace, log_tls=True, log_password=PASSWORD))
    assert "LEOCDP_LOG_TLS_CA_FILE" in told
    assert PASSWORD not in told


def test_files_that_do_not_fit_are_refused_at_once(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    issued, other = authority.issue("client"), authority.issue("other")
    locked = authority.issue("locked", password="of the key")
    for files, sentence in (
        ({"log_tls_cert_file": issued.cert, "log_tls_key_file": other.key}, "must fit to LEOCDP_LOG_TLS_KEY_FILE"),
        ({"log_tls_cert_file": issued.cert}, "must hold a certificate and its key"),
        ({"log_tls_ca_file": issued.key}, "holds no certificates"),
        (shown(locked), "locked with a password"),
    ):
        with pytest.raises(EngineUnknown, match=sentence):
            log_at("h:1", "n", log_tls=True, **files)
