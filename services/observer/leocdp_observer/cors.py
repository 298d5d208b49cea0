"""Cross-origin rules: every answer to a page can be read by it, errors too, and preflights always pass.

Whether a page may *send* is decided by the source's list of origins when the event arrives, because only then is the
write key known.
"""

from __future__ import annotations

from typing import Final

Headers = list[tuple[bytes, bytes]]

MAX_ORIGIN: Final = 512
DEFAULT_ALLOWED: Final = b"authorization, content-type, x-retry-count, x-write-key, anonymousid, sentat"
VARY: Final = (b"vary", b"origin")
CREDENTIALS: Final = (b"access-control-allow-credentials", b"true")
EXPOSED: Final = (b"access-control-expose-headers", b"retry-after")


def headers_for(origin: bytes | None) -> Headers:
    """What goes on an answer to a page of this origin; nothing for clients that are no pages."""
    if not origin or len(origin) > MAX_ORIGIN or not _plain(origin):
        return []
    return [(b"access-control-allow-origin", origin), CREDENTIALS, EXPOSED, VARY]


def preflight(request: dict[bytes, bytes]) -> Headers:
    """The headers of the 204 that answers a preflight: what is asked for is granted."""
    asked = request.get(b"access-control-request-headers", b"")
    allowed = asked if asked and len(asked) <= MAX_ORIGIN * 4 and _plain(asked) else DEFAULT_ALLOWED
    return [
        *headers_for(request.get(b"origin")),
        (b"access-control-allow-methods", b"GET, POST, HEAD, OPTIONS"),
        (b"access-control-allow-headers", allowed),
        (b"access-control-max-age", b"86400"),
    ]


def _plain(value: bytes) -> bool:
    """Only what may stand in a header: a reflected control character would be an error of ours."""
    return value.isascii() and value.decode("ascii").isprintable()


def origin_allowed(origin: str, allowed: list[str]) -> bool:
    """``*``, an exact origin (``https://shop.example``), a host, or ``https://*.shop.example`` for its subdomains."""
    if "*" in allowed:
        return True
    folded = origin.lower().rstrip("/")
    scheme, _, host = folded.partition("://")
    return any(_matches(scheme, host, pattern.lower().rstrip("/")) for pattern in allowed)


def _matches(scheme: str, host: str, pattern: str) -> bool:
    wanted_scheme, separator, wanted = pattern.partition("://")
    if not separator:
        wanted_scheme, wanted = scheme, pattern
    if wanted_scheme != scheme or not host:
        return False
    return host == wanted or (wanted.startswith("*.") and host.endswith(wanted[1:]))
