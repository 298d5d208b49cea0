"""Which headers go on to admin, and which come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from leocdp.contracts.principal import HEADER
from leocdp.kit.clients import Clients

RawHeaders = list[tuple[bytes, bytes]]

_HOP_BY_HOP: Final = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_NEVER_FORWARDED: Final = _HOP_BY_HOP | {
    b"content-length",
    b"expect",
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-prefix",
    b"x-forwarded-proto",
    b"x-forwarded-server",
    b"x-real-ip",
    HEADER.encode(),
}
_CREDENTIALS: Final = frozenset((b"authorization", b"cookie"))
_NEVER_RETURNED: Final = _HOP_BY_HOP | {b"date", b"server"}
"""Date and Server are the gateway's own."""
_NEVER_HOP_BY_HOP: Final = frozenset((b"host", b"content-length", b"content-type", b"cookie", b"authorization"))
"""Naming one of these in Connection does not take it away."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, as far as that can be believed."""

    client: str
    https: bool
    forwarded_for: bytes
    host: bytes

    @classmethod
    def of(cls, scope: Scope, proxies: Clients) -> Caller:
        peer: str = scope["client"][0] if scope.get("client") else ""
        headers: RawHeaders = scope["headers"]
        host = one(headers, b"host") or b""
        if not proxies.trusts(peer):
            return cls(peer, scope["scheme"] == "https", peer.encode(), host)
        chain = b", ".join(value for name, value in headers if name == b"x-forwarded-for")
        proto = (one(headers, b"x-forwarded-proto") or scope["scheme"].encode()).partition(b",")[0].strip().lower()
        return cls(
            proxies.address(peer, chain),
            proto == b"https",
            b", ".join(part for part in (chain, peer.encode()) if part),
            one(headers, b"x-forwarded-host") or host,
        )


def raw_path(scope: Scope) -> bytes:
    """The path as it came, which is what is signed and what admin gets."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw


def one(headers: RawHeaders, name: bytes) -> bytes | None:
    """The first header of a name (lower case)."""
    return next((value for each, value in headers if each == name), None)


def to_admin(headers: RawHeaders, caller: Caller, principal: str, *, with_credentials: bool) -> RawHeaders:
    """The request's own headers without those that end here, and what the gateway has to say."""
    dropped = _NEVER_FORWARDED | _named_in_connection(headers)
    if not with_credentials:
        dropped |= _CREDENTIALS
    kept = [(name, value) for name, value in headers if name not in dropped]
    return [
        *kept,
        (b"x-forwarded-for", caller.forwarded_for),
        (b"x-forwarded-proto", b"https" if caller.https else b"http"),
        (b"x-forwarded-host", caller.host),
        (HEADER.encode(), principal.encode()),
    ]


def to_client(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    lower = [(name.lower(), value) for name, value in headers]
    dropped = _NEVER_RETURNED | _named_in_connection(lower)
    return [(name, value) for name, value in lower if name not in dropped]


def _named_in_connection(headers: RawHeaders) -> frozenset[bytes]:
    named = (part.strip().lower() for name, value in headers if name == b"connection" for part in value.split(b","))
    return frozenset(named) - _NEVER_HOP_BY_HOP
