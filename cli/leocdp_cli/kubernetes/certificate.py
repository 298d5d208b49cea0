"""Until when a certificate is good.

The standard library reads certificates only of connections that it makes, and a cryptography library for one date would
be the largest dependency of the command line: so the date is looked up in the DER structure (RFC 5280, 4.1).
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Final

END: Final = "-----END CERTIFICATE-----"
_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18


def good_until(pem: str) -> datetime:
    """Of the first certificate of a chain, which is the server's. Raises ValueError for what is none."""
    first, end, _ = pem.partition(END)
    try:
        der = ssl.PEM_cert_to_DER_cert(first[first.index("-----BEGIN") :] + end)
        return _time(*_inside(_validity(der))[1])
    except (IndexError, ValueError) as wrong:
        raise ValueError("it is no certificate in PEM form") from wrong


def _validity(der: bytes) -> bytes:
    """The content of ``validity``: after a version that may be left out, the number, the algorithm, the issuer."""
    (_, certificate) = _inside(der)[0]
    (_, to_be_signed) = _inside(certificate)[0]
    parts = _inside(to_be_signed)
    return parts[4 if parts[0][0] == _VERSION else 3][1]


def _inside(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element, one after the other."""
    found = []
    while data:
        tag, content, data = _element(data)
        found.append((tag, content))
    return found


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start])
    if start + length > len(data):
        raise ValueError("it ends too soon")
    return tag, data[start : start + length], data[start + length :]


def _time(tag: int, content: bytes) -> datetime:
    """Years of two digits are of 1950 to 2049, as in the standard."""
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("there is no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
