"""Certificates of the servers that the settings name: for how long they are still good."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from leocdp.adapters.arango.connection import Names, parse_url
from leocdp.adapters.kafka.connection import connection as kafka_connection
from leocdp_cli import stores
from leocdp_cli.diagnosis.finding import Finding

SOON_DAYS: Final = 30
"""A certificate that ends within so many days is to be renewed now."""
SECONDS: Final = 5.0
DAY: Final = 86_400
_EXPIRED: Final = 10
"""X509_V_ERR_CERT_HAS_EXPIRED."""


def certificates() -> Iterator[Finding]:
    settings = stores.StoresSettings()
    for server, context in [*_of_the_log(settings), *_of_the_stores(settings)]:
        finding = _look(server, context)
        if finding is not None:
            yield finding


def _of_the_log(settings: stores.StoresSettings) -> list[tuple[str, ssl.SSLContext]]:
    """What is wrong with the settings themselves is told where the log is reached."""
    if not settings.log_tls or not settings.log_url.startswith("kafka://"):
        return []
    try:
        where = kafka_connection(settings)
    except ValueError:
        return []
    return [(server, where.tls) for server in where.servers if where.tls is not None]


def _of_the_stores(settings: stores.StoresSettings) -> list[tuple[str, ssl.SSLContext]]:
    if not settings.store_tls:
        return []
    found: dict[str, ssl.SSLContext] = {}
    for name, url in (("STORE", settings.store_url), ("ADMIN", settings.admin_url)):
        if url.startswith("arangodb://"):
            try:
                hosts = parse_url(Names(f"LEOCDP_{name}_URL", ""), url)[1]
                context = _trusting(settings.store_tls_ca_file)
            except (ValueError, OSError):
                continue
            found |= dict.fromkeys(hosts, context)
    return list(found.items())


def _trusting(ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


def _look(server: str, context: ssl.SSLContext) -> Finding | None:
    """None for a server that cannot be reached: that is told where it is asked something."""
    host, _, port = server.rpartition(":")
    name, what = host.strip("[]"), f"certificate {server}"
    try:
        with (
            socket.create_connection((name, int(port)), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            shown: Any = secured.getpeercert()
    except ssl.SSLCertVerificationError as error:
        ended = "it has run out: renew it on the server" if error.verify_code == _EXPIRED else error.verify_message
        return Finding(what, False, ended)
    except OSError:
        return None
    days = int((ssl.cert_time_to_seconds(shown["notAfter"]) - time.time()) // DAY)
    if days < SOON_DAYS:
        return Finding(what, False, f"good for {days} more days only: renew it on the server")
    return Finding(what, True, f"good for {days} days")
