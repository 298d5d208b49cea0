"""Each thing that can be wrong with an installation is named, with what to do; a look changes nothing."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from leocdp_cli.diagnosis.certificates import certificates
from leocdp_cli.diagnosis.connections import connections
from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.diagnosis.formats import formats
from leocdp_cli.diagnosis.machine import machine
from leocdp_cli.diagnosis.secrets import secrets
from tests.certificates import Authority, Issued
from tests.contract.arango_backend import double_database
from tests.kafka import USER, Kafka
from tests.unit.upgrade.recording import read
from tests.unit.upgrade.sql_text import load


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but an empty data folder is set."""
    for name in [name for name in os.environ if name.startswith("LEOCDP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEOCDP_DATA_DIR", str(tmp_path))


def given(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"LEOCDP_{name}", value)


def wrong(findings: Iterator[Finding] | list[Finding]) -> list[str]:
    return [finding.say for finding in findings if not finding.good]


def every() -> list[Finding]:
    return [*machine(), *secrets(), *connections(), *certificates(), *formats()]


def test_an_empty_folder_is_well_and_stays_empty(tmp_path: Path) -> None:
    assert [one for one in every() if not one.good and one.what != "disk"] == []
    assert list(tmp_path.iterdir()) == []


def test_a_short_secret_and_one_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, GATEWAY_SECRET="short", ERASURE_KEY_FILE=str(tmp_path / "nowhere"))
    [short, unreadable] = wrong(secrets())
    assert short.startswith("LEOCDP_GATEWAY_SECRET has less than 32 characters")
    assert unreadable.startswith("LEOCDP_ERASURE_KEY_FILE cannot be read")


def test_settings_that_contradict_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, LOG_PASSWORD="one", LOG_PASSWORD_FILE=os.devnull, LOG_URL="kafka://127.0.0.1:1")
    both, unused = wrong(secrets())
    assert (
        both == "LEOCDP_LOG_PASSWORD and LEOCDP_LOG_PASSWORD_FILE are both set, and the file counts: unset one of them"
    )
    assert unused.startswith("LEOCDP_LOG_PASSWORD is set and LEOCDP_LOG_URL names no user")
    given(monkeypatch, LOG_TLS_CA_FILE="/nowhere", STORE_URL="arangodb://leo@127.0.0.1:1/x")
    assert wrong(connections()) == ["LEOCDP_LOG_TLS_… files are set but LEOCDP_LOG_TLS is not: set it to true."]
    assert wrong(formats())[0].startswith("LEOCDP_STORE_URL names a user: set LEOCDP_STORE_PASSWORD")


def test_a_log_and_a_store_that_are_not_there(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    place = f"127.0.0.1:{unused_tcp_port}"
    given(monkeypatch, LOG_URL=f"kafka://{place}", STORE_URL=f"arangodb://leo@{place}/x", STORE_PASSWORD="x")
    assert "Start it, or check LEOCDP_LOG_URL." in wrong(connections())[0]
    assert wrong(formats())[0].startswith("ArangoDB cannot be reached")


def test_a_log_that_does_not_let_us_in(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, LOG_URL=f"kafka://{USER}@{kafka.door('SASL_PLAINTEXT')}/x", LOG_PASSWORD="rotated")
    assert "Check LEOCDP_LOG_URL and the password" in wrong(connections())[0]


def test_a_store_that_does_not_let_us_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with double_database() as (_, where):
        url = f"arangodb://{where.user}@{where.hosts[0].removeprefix('http://')}/{where.database}"
        given(monkeypatch, STORE_URL=url, ADMIN_URL=url, STORE_PASSWORD="rotated", ADMIN_STORE_PASSWORD="rotated")
        profiles, admin = wrong(formats())
    assert "check the user in LEOCDP_STORE_URL, LEOCDP_STORE_PASSWORD" in profiles
    assert "check the user in LEOCDP_ADMIN_URL, LEOCDP_ADMIN_STORE_PASSWORD" in admin


def test_a_schema_that_is_behind(tmp_path: Path) -> None:
    load(tmp_path / "profiles.db", read("earlier", "profiles-2.sql"))
    [said] = wrong(formats())
    assert said.startswith("format 2 is of an earlier version, this one needs 3")


def test_a_folder_that_cannot_be_written_and_a_secret_that_others_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "gateway_secret").write_text("s" * 64)
    (tmp_path / "secrets" / "gateway_secret").chmod(0o644)
    assert any("others can read it: chmod 600" in said for said in wrong(machine()))
    monkeypatch.setattr("leocdp_cli.diagnosis.machine.LEAST_FREE", 1 << 60)
    assert any("free some space" in said for said in wrong(machine()))


@contextmanager
def tls(issued: Issued) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    listener = socket.create_server(("127.0.0.1", 0))
    ending = threading.Event()

    def accept() -> None:
        while not ending.is_set():
            with suppress(OSError):
                plain, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
                    secured.recv(1)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ending.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(30)


@pytest.mark.parametrize(
    ("days", "told"),
    [(-3, "it has run out: renew it on the server"), (10, "more days only: renew it on the server"), (90, "")],
)
def test_days_that_a_certificate_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, told: str) -> None:
    authority = Authority(tmp_path, "ours")
    with tls(authority.issue("db", days=days)) as port:
        given(monkeypatch, STORE_URL=f"arangodb://127.0.0.1:{port}/x", STORE_TLS="true")
        given(monkeypatch, STORE_TLS_CA_FILE=str(authority.cert))
        [finding] = certificates()
    assert finding.what == f"certificate 127.0.0.1:{port}"
    assert finding.good is (told == "")
    assert told in finding.say
