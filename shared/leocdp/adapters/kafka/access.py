"""Why no broker lets us in, in words that name what to check: the driver says only that it could not connect."""

from __future__ import annotations

import ssl
from asyncio import IncompleteReadError
from collections.abc import Iterator
from typing import Final

from aiokafka.conn import create_conn
from aiokafka.protocol.metadata import MetadataRequest

from leocdp.adapters.kafka.connection import Connection
from leocdp.adapters.kafka.errors import DRIVER_ERRORS, NOT_LET_IN

PROBE_TIMEOUT_MS: Final = 3_000

_EXPIRED: Final = 10
_HOST_MISMATCH: Final = frozenset({62, 64})
"""OpenSSL's numbers (X509_V_ERR_…): what it found wrong with a broker's certificate."""
_ABOUT_OURS: Final = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE")
"""Alerts that a broker sends when it does not like our certificate; which of them depends on its Java."""


async def obstacle(connection: Connection) -> str:
    """A sentence about the last broker that was tried; empty when one lets us in."""
    told = ""
    for server in connection.servers:
        try:
            await _knock(connection, server)
        except (*DRIVER_ERRORS, EOFError) as error:
            told = f"Kafka at {server} cannot be reached ({_words(error)}). {_advice(connection, error)}"
        else:
            return ""
    return told


async def _knock(connection: Connection, server: str) -> None:
    """Connect and ask something: a broker that wants a user answers a stranger's first question, not the second."""
    host, _, port = server.rpartition(":")
    opened = await create_conn(host.strip("[]"), int(port), request_timeout_ms=PROBE_TIMEOUT_MS, **connection.security)
    try:
        await opened.send(MetadataRequest([]))
    finally:
        opened.close()


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _words(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate verify failed: {cause.verify_message.rstrip('.')}"
        if isinstance(cause, ssl.SSLError):
            return (cause.reason or str(cause)).replace("_", " ").lower()
    return str(error) or type(error).__name__


def _advice(connection: Connection, error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _about_theirs(cause)
        if isinstance(cause, ssl.SSLError):
            return _about_ours(connection, cause)
        if isinstance(cause, NOT_LET_IN):
            return "Check LEOCDP_LOG_URL and the password, and LEOCDP_LOG_SASL_MECHANISM."
        if isinstance(cause, IncompleteReadError | ConnectionResetError):
            return _about_hanging_up(connection)
    if isinstance(error, TimeoutError):
        return "It took too long: check LEOCDP_LOG_URL and the network."
    return "Start it, or check LEOCDP_LOG_URL."


def _about_theirs(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "The broker's certificate (or the one it is signed with) has run out: it must be renewed there."
    if error.verify_code in _HOST_MISMATCH:
        return "The broker's certificate is for another name: LEOCDP_LOG_URL must have a name that stands in it."
    return "LEOCDP_LOG_TLS_CA_FILE must hold the certificate that the broker's is signed with."


def _about_ours(connection: Connection, error: ssl.SSLError) -> str:
    if not any(word in (error.reason or "") for word in _ABOUT_OURS):
        return "Check that LEOCDP_LOG_URL names a port of the broker that speaks TLS."
    if not connection.certificate:
        return "The broker wants a client certificate: set LEOCDP_LOG_TLS_CERT_FILE and LEOCDP_LOG_TLS_KEY_FILE."
    return (
        "The broker refuses our certificate, LEOCDP_LOG_TLS_CERT_FILE: check that it has not run out and is signed "
        "by an authority that the broker trusts."
    )


def _about_hanging_up(connection: Connection) -> str:
    """It took the connection and ended it without a word: we speak another language, or are a stranger."""
    if connection.tls is None:
        other = "TLS (LEOCDP_LOG_TLS=true)"
    elif connection.certificate:
        other = "no TLS (LEOCDP_LOG_TLS=false)"
    else:
        other = "no TLS (LEOCDP_LOG_TLS=false) or a client certificate (LEOCDP_LOG_TLS_CERT_FILE)"
    user = "" if connection.user else ", or a user in LEOCDP_LOG_URL"
    return f"The broker hung up: this port may want {other}{user}."
