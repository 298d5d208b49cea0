"""What a service rests on cannot be reached, or does not let it in: not ready, with the reason, until it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from arango.client import ArangoClient
from pydantic import SecretStr

from leocdp.adapters.arango.connection import Connection
from leocdp.contracts.principal import HEADER, Principal, sign
from leocdp_admin.app import create_app as admin_app
from leocdp_admin.environment import Environment as AdminEnvironment
from leocdp_admin.settings import AdminSettings
from leocdp_observer.environment import Environment as ObserverEnvironment
from leocdp_observer.settings import ObserverSettings
from leocdp_processor.environment import Environment as ProcessorEnvironment
from leocdp_processor.settings import ProcessorSettings
from tests.contract.arango_backend import PASSWORD, double_database
from tests.kafka import USER, Kafka
from tests.unit.admin.stack import SECRET

DEADLINE = 60.0
Ready = Callable[[], Awaitable[Sequence[str]]]


@pytest.fixture
def arango() -> Iterator[Connection]:
    with double_database() as (_, where):
        yield where


def url(where: Connection) -> str:
    return f"arangodb://{where.user}@{where.hosts[0].removeprefix('http://')}/{where.database}"


def rotate(where: Connection, password: str) -> None:
    """The password is another one, on the side of the server."""
    client = ArangoClient(hosts=where.hosts[0])
    client.db("_system", "root", "root").update_user(where.user, password)
    client.close()


async def told(ready: Ready, words: str) -> str:
    """Poll until a reason holds these words; empty words: until it is ready."""
    deadline = time.monotonic() + DEADLINE
    while True:
        reasons = list(await ready())
        if (not reasons) if not words else any(words in reason for reason in reasons):
            return " ".join(reasons)
        assert time.monotonic() < deadline, f"{words or 'ready'!r} is not what it says: {reasons}"
        await asyncio.sleep(0.02)


async def test_a_processor_waits_for_a_store_that_does_not_let_it_in(tmp_path: Path, arango: Connection) -> None:
    rotate(arango, "rotated")
    settings = ProcessorSettings(data_dir=tmp_path, store_url=url(arango), store_password=SecretStr(PASSWORD))
    with structlog.testing.capture_logs() as logged:
        environment = ProcessorEnvironment(settings)
        async with environment.running():
            said = await told(environment.ready, "check the user in LEOCDP_STORE_URL, LEOCDP_STORE_PASSWORD")
            assert PASSWORD not in said
            rotate(arango, PASSWORD)
            await told(environment.ready, "")
            rotate(arango, "rotated again")
            await told(environment.ready, "LEOCDP_STORE_PASSWORD")
            rotate(arango, PASSWORD)
            await told(environment.ready, "")
    waited = [line for line in logged if line["event"] == "starting waits"]
    assert waited
    assert "LEOCDP_STORE_PASSWORD" in waited[0]["reason"]


async def test_admin_waits_and_answers_503_meanwhile(tmp_path: Path, arango: Connection) -> None:
    rotate(arango, "rotated")
    settings = AdminSettings(
        data_dir=tmp_path,
        admin_url=url(arango),
        admin_store_password=SecretStr(PASSWORD),
        gateway_secret=SecretStr(SECRET),
    )
    environment = AdminEnvironment(settings)
    async with environment.running():
        await told(environment.ready, "check the user in LEOCDP_ADMIN_URL, LEOCDP_ADMIN_STORE_PASSWORD")
        transport = httpx.ASGITransport(admin_app(environment))
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as http:
            assert (await http.get("/healthz")).status_code == 200
            assert (await asked_by_gateway(transport)).startswith("LEO CDP is starting and waits: ArangoDB answers")
            rotate(arango, PASSWORD)
            await told(environment.ready, "")
            assert (await http.get("/readyz")).json()["ready"] is True
            assert await asked_by_gateway(transport) == ""
        rotate(arango, "rotated again")
        await told(environment.ready, "admin store: ArangoDB answers")


async def asked_by_gateway(transport: httpx.ASGITransport) -> str:
    """What admin answers to the gateway's probe."""
    signature = sign(
        Principal(kind="gateway"),
        method="GET",
        path="/internal/knock",
        query="",
        body=b"",
        secret=SECRET.encode(),
        now=int(time.time() * 1000),
    )
    headers = {HEADER: signature}
    async with httpx.AsyncClient(transport=transport, base_url="http://admin") as http:
        answer = await http.get("/internal/knock", headers=headers)
    return "" if answer.status_code == 204 else str(answer.json()["message"])


async def test_a_setting_that_no_waiting_mends_still_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "profiles.db").write_text("not a database, but long enough to be looked at by somebody" * 9)
    environment = ProcessorEnvironment(ProcessorSettings(data_dir=tmp_path))
    with pytest.raises(Exception, match="is damaged or is not a SQLite file"):
        async with environment.running():
            pass


async def test_an_observer_says_that_kafka_does_not_let_it_in(kafka: Kafka, tmp_path: Path) -> None:
    given: dict[str, Any] = {"log_url": f"kafka://{USER}@{kafka.door('SASL_PLAINTEXT')}/x", "log_password": "rotated"}
    environment = ObserverEnvironment(ObserverSettings(data_dir=tmp_path, **given))
    async with environment.running():
        said = await told(environment.ready, "Check LEOCDP_LOG_URL and the password")
        assert said.startswith("log: ")
    processor = ProcessorEnvironment(ProcessorSettings(data_dir=tmp_path, **given))
    async with processor.running():
        await told(processor.ready, "Check LEOCDP_LOG_URL and the password")
