"""Keys of documents, and attributes that sort the same in every collation: hex and digits only."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

LAST_NUMBER: Final = "9" * 15
_SEPARATOR: Final = "\x1f"


def hashed(*parts: str) -> str:
    """128 bits of hash as 32 hex digits: for identifiers, ids and names of any form."""
    return blake2b(_SEPARATOR.join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def number_key(number: int) -> str:
    """15 digits: in the order of the numbers, which is the order of storing."""
    return f"{number:015d}"
