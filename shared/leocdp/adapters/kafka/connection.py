"""Where a Kafka cluster is and how to be let in: the URL and the settings beside it, as options for the driver."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from leocdp.kit.settings import read_secret

DEFAULT_PORT: Final = 9092
REQUEST_TIMEOUT_MS: Final = 10_000
"""A broker that has not answered by then is asked again, after its connection has been made anew."""
PROBE_TIMEOUT_MS: Final = 3_000

_SERVER: Final = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?")
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
FORM: Final = "kafka://[user@]host:port[,host:port…][/namespace]"


class KafkaFields(Protocol):
    """The settings that a connection is made of, as in ``LogSettings``."""

    @property
    def log_url(self) -> str: ...
    @property
    def log_password(self) -> SecretStr | None: ...
    @property
    def log_password_file(self) -> Path | None: ...
    @property
    def log_sasl_mechanism(self) -> str: ...
    @property
    def log_tls(self) -> bool: ...
    @property
    def log_tls_ca_file(self) -> Path | None: ...
    @property
    def log_tls_cert_file(self) -> Path | None: ...
    @property
    def log_tls_key_file(self) -> Path | None: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """How the clients of one log connect.

    ``namespace`` is put before the names of topics and groups, so that several installations can share a cluster.
    """

    servers: tuple[str, ...]
    namespace: str = ""
    user: str = ""
    password: str = ""
    mechanism: str = "SCRAM-SHA-512"
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return ",".join(self.servers)

    @property
    def protocol(self) -> str:
        return ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT")

    @property
    def security(self) -> Mapping[str, Any]:
        options: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.tls}
        if self.user:
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.user
            options["sasl_plain_password"] = self.password
        return options

    @property
    def options(self) -> Mapping[str, Any]:
        """What producers, consumers and admin clients have in common."""
        return {
            "bootstrap_servers": list(self.servers),
            "client_id": "leocdp",
            "request_timeout_ms": REQUEST_TIMEOUT_MS,
            "metadata_max_age_ms": 60_000,
            **self.security,
        }

    async def reason(self) -> str:
        """Why no broker can be reached, in the words of the last one that was tried; empty when one can."""
        problem = ""
        for server in self.servers:
            host, _, port = server.rpartition(":")
            try:
                connection = await create_conn(
                    host.strip("[]"), int(port), request_timeout_ms=PROBE_TIMEOUT_MS, **self.security
                )
            except (KafkaError, OSError, TimeoutError) as error:
                problem = f"{server}: {error or type(error).__name__}"
            else:
                connection.close()
                return ""
        return problem


def connection(settings: KafkaFields) -> Connection:
    """The connection that the settings describe. Raises ValueError with a sentence that names the setting."""
    user, servers, namespace = parse_url(settings.log_url)
    try:
        secret = read_secret(settings.log_password, settings.log_password_file)
    except OSError as error:
        raise ValueError(f"LEOCDP_LOG_PASSWORD_FILE cannot be read: {error}.") from error
    if user and secret is None:
        raise ValueError("LEOCDP_LOG_URL names a user: set LEOCDP_LOG_PASSWORD or LEOCDP_LOG_PASSWORD_FILE too.")
    password = secret.get_secret_value() if secret is not None else ""
    return Connection(servers, namespace, user, password, settings.log_sasl_mechanism, _tls(settings))


def parse_url(url: str) -> tuple[str, tuple[str, ...], str]:
    """(user, servers, namespace) of a ``kafka://`` URL. Raises ValueError."""
    rest = url.removeprefix("kafka://")
    if rest == url:
        raise ValueError(f"LEOCDP_LOG_URL is not of the form {FORM}.")
    place, _, namespace = rest.partition("/")
    user, at, hosts = place.rpartition("@")
    if ":" in user:
        raise ValueError("LEOCDP_LOG_URL must hold no password: put it into LEOCDP_LOG_PASSWORD or …_FILE.")
    if at and not user:
        raise ValueError(f"LEOCDP_LOG_URL names no user before the @: {FORM}.")
    if namespace and not _NAMESPACE.fullmatch(namespace):
        raise ValueError("The namespace in LEOCDP_LOG_URL may have letters, digits, dots, dashes and underscores only.")
    return unquote(user), tuple(_server(each) for each in hosts.split(",")), namespace


def _server(text: str) -> str:
    found = _SERVER.fullmatch(text)
    if found is None or int(found["port"] or DEFAULT_PORT) > 65_535:
        raise ValueError(f"{text!r} in LEOCDP_LOG_URL is not of the form host:port; the whole is {FORM}.")
    return f"{found['host']}:{found['port'] or DEFAULT_PORT}"


def _tls(settings: KafkaFields) -> ssl.SSLContext | None:
    if not settings.log_tls:
        if settings.log_tls_ca_file or settings.log_tls_cert_file:
            raise ValueError("LEOCDP_LOG_TLS_… files are set but LEOCDP_LOG_TLS is not: set it to true.")
        return None
    try:
        context = ssl.create_default_context(cafile=settings.log_tls_ca_file)
        if settings.log_tls_cert_file:
            context.load_cert_chain(settings.log_tls_cert_file, settings.log_tls_key_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"The files of LEOCDP_LOG_TLS_… cannot be used: {error}.") from error
    return context
