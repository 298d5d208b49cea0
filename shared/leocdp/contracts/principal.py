"""Who is asking, as the gateway tells admin: a signed header that nobody else can make.

``x-leocdp-principal: v1.<base64url JSON>.<hex HMAC-SHA-256>``. The signature covers the principal, method, path, query
and, where the gateway held the whole body, its SHA-256; it is good for 30 seconds. Admin accepts no request without it.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final, Literal

import msgspec

HEADER: Final = "x-leocdp-principal"
VALID_MS: Final = 30_000
UNHASHED: Final = "-"


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["ui", "key", "gateway", "cli"]
    """``ui``: a browser, whose session cookie admin checks itself; ``key``: an API key that the gateway has checked;
    ``gateway``: the gateway itself, for ``/internal/…``; ``cli``: an operator's command line on the machine of admin,
    which proves that by knowing the secret. The gateway never makes one of those."""
    key_id: str = ""
    scopes: tuple[str, ...] = ()
    client: str = ""
    """Address of the client, for the audit log and for login limits."""
    https: bool = False
    """The client came over https, so cookies must be ``Secure``."""


class _Signed(msgspec.Struct, frozen=True):
    principal: Principal
    at: int
    body: str


class PrincipalRefused(Exception):
    """The header is missing, not ours, for another request, or too old. The text says which."""


def body_hash(body: bytes | None) -> str:
    """SHA-256 of a body that was held whole; ``-`` for one that streams."""
    return UNHASHED if body is None else sha256(body).hexdigest()


def sign(
    principal: Principal, *, method: str, path: str, query: str, body: bytes | None, secret: bytes, now: int
) -> str:
    """The value of the header. ``path`` and ``query`` are as in the request line, still encoded; ``now`` is in ms."""
    payload = msgspec.json.encode(_Signed(principal, now, body_hash(body)))
    return f"v1.{urlsafe_b64encode(payload).decode()}.{_mac(payload, method, path, query, secret)}"


def verify(header: str | None, *, method: str, path: str, query: str, secret: bytes, now: int) -> tuple[Principal, str]:
    """The principal, and the body hash to compare with :func:`body_hash` (``-``: none). Raises PrincipalRefused."""
    version, _, rest = (header or "").partition(".")
    encoded, _, mac = rest.partition(".")
    if version != "v1" or not mac:
        raise PrincipalRefused("This service answers only what the API gateway has signed: use the gateway's address.")
    try:
        payload = urlsafe_b64decode(encoded)
        signed = msgspec.json.decode(payload, type=_Signed)
    except (ValueError, msgspec.MsgspecError) as error:
        raise PrincipalRefused("The gateway's signature cannot be read.") from error
    if not hmac.compare_digest(mac, _mac(payload, method, path, query, secret)):
        raise PrincipalRefused(
            "The gateway's signature does not fit: both services need the same LEOCDP_GATEWAY_SECRET."
        )
    if abs(now - signed.at) > VALID_MS:
        raise PrincipalRefused("The gateway's signature is too old: compare the clocks of the two servers.")
    return signed.principal, signed.body


def _mac(payload: bytes, method: str, path: str, query: str, secret: bytes) -> str:
    text = b"\n".join((payload, method.upper().encode(), path.encode(), query.encode()))
    return hmac.new(secret, text, sha256).hexdigest()
