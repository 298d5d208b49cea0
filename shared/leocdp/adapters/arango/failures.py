"""What the driver and the server answer with, sorted by what one can do about it."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from arango.exceptions import ArangoClientError, ArangoServerError


class Kind(Enum):
    """What a failure means for whoever asked."""

    CONFLICT = auto()
    """Somebody else has changed or is changing a document: read again."""
    EXISTS = auto()
    """A document with this key, or this unique value, is there."""
    MISSING = auto()
    """There is no such document."""
    NOT_THERE = auto()
    """The database or a collection is not there (yet)."""
    UNAVAILABLE = auto()
    """Down, busy, or no answer in time: the same request may succeed later. It may also have been carried out."""
    GONE = auto()
    """The transaction, or the rest of an answer, is no longer there: begin again."""
    TOO_LARGE = auto()
    """More than one request or transaction can take: ask for less."""
    REFUSED = auto()
    """User, password or rights."""
    HELD = auto()
    """A backup is made: nothing is written until it is done. Not worth a try before."""
    DEFECT = auto()
    """A request that no server can carry out: ours is wrong, or the server of another kind."""


class Failure(Exception):
    """A request failed. ``number`` is ArangoDB's error number, or the HTTP status where it gave none, or 0."""

    def __init__(self, kind: Kind, sentence: str, number: int = 0) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.number = number


class LeftAlone(Failure):
    """Nothing was asked, because the server has just failed several times in a row: not worth another try now."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(Kind.UNAVAILABLE, f"{reason}; the next try is in {seconds:.1f} s")


_BY_NUMBER: Final = {
    1200: Kind.CONFLICT,
    1210: Kind.EXISTS,
    1207: Kind.EXISTS,
    1202: Kind.MISSING,
    1203: Kind.NOT_THERE,
    1228: Kind.NOT_THERE,
    11: Kind.REFUSED,
    401: Kind.REFUSED,
    403: Kind.REFUSED,
    32: Kind.TOO_LARGE,
    413: Kind.TOO_LARGE,
    1216: Kind.TOO_LARGE,
    **dict.fromkeys((28, 1600, 1650, 1653, 1654, 1655), Kind.GONE),
    **dict.fromkeys(
        # Locks, shutting down, starting up, backlog, read-only, another try, write concern, cluster, killed, queue.
        (18, 29, 30, 38, 502, 503, 504, 1004, 1302, 1429, 1457, 1464, 1465, 1478, *range(1489, 1497), 1500),
        Kind.UNAVAILABLE,
    ),
    **dict.fromkeys((21003, 21004), Kind.UNAVAILABLE),
}
_BY_STATUS: Final = {
    401: Kind.REFUSED,
    403: Kind.REFUSED,
    408: Kind.UNAVAILABLE,
    410: Kind.GONE,
    412: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    429: Kind.UNAVAILABLE,
}


def failure(error: BaseException) -> Failure:
    """The failure that an exception of the driver stands for."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, ArangoServerError):
        number, status = int(error.error_code or 0), int(error.http_code or 0)
        kind = _BY_NUMBER.get(number) or _BY_STATUS.get(status)
        if kind is None:
            kind = Kind.UNAVAILABLE if status >= 500 else Kind.DEFECT
        return Failure(kind, f"ArangoDB answers {error.error_message or error} (error {number}, HTTP {status})", number)
    if isinstance(error, ConnectionAbortedError):
        # What the driver makes of an answer 503 without more; connections that fail are reported by our transport.
        return Failure(Kind.UNAVAILABLE, "ArangoDB answers that it cannot serve now", 503)
    return Failure(Kind.DEFECT, f"An answer of ArangoDB cannot be read: {type(error).__name__}: {error}")


DRIVER_ERRORS: Final = (ArangoServerError, ArangoClientError, ConnectionAbortedError, KeyError, TypeError, ValueError)
"""All that the driver raises; the last three where an answer is not of the form that it expects."""
