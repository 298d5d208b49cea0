"""Where a Kafka cluster is and how to be let in: the URL and the settings beside it, as options for the driver."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote

from pydantic import SecretStr

from leocdp.kit.settings import read_secret

DEFAULT_PORT: Final = 9092
REQUEST_TIMEOUT_MS: Final = 10_000
"""A broker that has not answered by then is asked again, after its connection has been made anew."""

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
    certificate: bool = False
    """Whether we have one to show."""

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
    tls, shown = _tls(settings), bool(settings.log_tls_cert_file)
    return Connection(servers, namespace, user, password, settings.log_sasl_mechanism, tls, shown)


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
        if settings.log_tls_ca_file or settings.log_tls_cert_file or settings.log_tls_key_file:
            raise ValueError("LEOCDP_LOG_TLS_… files are set but LEOCDP_LOG_TLS is not: set it to true.")
        return None
    ca = settings.log_tls_ca_file
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"LEOCDP_LOG_TLS_CA_FILE={ca} holds no certificates that can be read: {error}.") from error
    _show(context, settings.log_tls_cert_file, settings.log_tls_key_file)
    return context


def _show(context: ssl.SSLContext, cert: Path | None, key: Path | None) -> None:
    """Have our certificate shown to brokers that ask for one."""
    if cert is None:
        if key is not None:
            raise ValueError("LEOCDP_LOG_TLS_KEY_FILE is set but LEOCDP_LOG_TLS_CERT_FILE is not: a key needs both.")
        return
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        wanted = "must hold a certificate and its key" if key is None else f"must fit to LEOCDP_LOG_TLS_KEY_FILE={key}"
        raise ValueError(f"LEOCDP_LOG_TLS_CERT_FILE={cert} {wanted}, both in PEM: {error}.") from error


def _no_password() -> str:
    """Called for a key that is locked; without it OpenSSL would ask at the terminal and wait."""
    raise ValueError(
        "The key of LEOCDP_LOG_TLS_KEY_FILE (or …_CERT_FILE) is locked with a password: give one without, readable by "
        "this service only."
    )
