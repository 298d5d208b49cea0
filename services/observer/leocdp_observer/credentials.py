"""The write key of a request: Basic auth first, then the body, the query, and ``X-Write-Key``; the first found wins."""

from __future__ import annotations

from base64 import b64decode
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs

MAX_QUERY: Final = 65_536
MAX_BASIC: Final = 512
"""Longer ones hold no key of ours, and must not fill the cache."""
NAMES: Final = ("writeKey", "writekey")


def basic_key(header: bytes) -> str | None:
    """The user of ``Basic base64(key:)``, also without the colon; None for another scheme, such as Bearer."""
    return _basic_key(header) if len(header) <= MAX_BASIC else None


@lru_cache(maxsize=8_192)
def _basic_key(header: bytes) -> str | None:
    scheme, _, rest = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        text = b64decode(rest.strip(), validate=True).decode("utf-8")
    except ValueError:
        return None
    return text.partition(":")[0].strip() or None


def query_key(query: bytes) -> str | None:
    if not query or len(query) > MAX_QUERY:
        return None
    try:
        found = parse_qs(query.decode("ascii"), max_num_fields=500)
    except ValueError:
        return None
    return next((found[name][0].strip() for name in NAMES if found.get(name)), None) or None


def header_key(header: bytes | None) -> str | None:
    """``X-Write-Key``; some clients append a secret after a colon, which is not part of the key."""
    if not header:
        return None
    return header.decode("latin-1").partition(":")[0].strip() or None
