"""Where a request belongs, by its path."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final
from urllib.parse import unquote_to_bytes

from leocdp_gateway.refusals import InvalidPath, MethodNotAllowed, NotFound

OPENAPI: Final = "/api/v1/openapi.json"
DOCS: Final = "/api/docs"
OWN: Final = frozenset({"/healthz", "/readyz", "/metrics"})
INTERNAL: Final = "/internal"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Door(Enum):
    OWN = auto()
    """The gateway answers itself: probes, metrics, the page of the documentation."""
    PUBLIC = auto()
    """Admin answers, whoever asks."""
    API = auto()
    """Admin answers whoever has an API key, or the user interface's session."""
    UI = auto()
    """Admin answers and checks the session itself."""


def door(method: str, path: str, raw_path: bytes) -> Door:
    """``path`` is decoded, ``raw_path`` as it came. Raises InvalidPath, MethodNotAllowed, NotFound (internal).

    An encoded slash is part of its segment, so ``a%2F..`` holds no dot segment.
    """
    if not path.startswith("/") or any(unquote_to_bytes(part) in (b".", b"..") for part in raw_path.split(b"/")):
        raise InvalidPath("The path must begin with / and hold no dot segments.")
    if method not in METHODS:
        raise MethodNotAllowed(f"The gateway takes {', '.join(sorted(METHODS))}.", allow=", ".join(sorted(METHODS)))
    if path in OWN or path == DOCS or path.startswith(f"{DOCS}/"):
        return Door.OWN
    if path == INTERNAL or path.startswith(f"{INTERNAL}/"):
        raise NotFound("There is nothing here.")
    if path == OPENAPI and method in ("GET", "HEAD"):
        return Door.PUBLIC
    return Door.API if path == "/api" or path.startswith("/api/") else Door.UI
