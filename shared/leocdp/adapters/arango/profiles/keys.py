"""Keys and sorted attributes of people: hex and digits only, which sort the same in every collation."""

from __future__ import annotations

from re import compile
from typing import Final

from leocdp.domain.identity.identifiers import parse_key

BEGINNING_BYTES: Final = 24
NAME_BYTES: Final = 60
AFTER_HEX: Final = "g"
"""Sorts after every hex digit."""
_PLAIN: Final = compile(r"[A-Za-z0-9_-]{1,128}")


def profile_key(profile_id: str) -> str:
    """Profile ids are keys as they are.

    Raises:
        ValueError: an id that this program has not made.
    """
    if not _PLAIN.fullmatch(profile_id):
        raise ValueError("a profile id of an unknown form cannot be stored")
    return profile_id


def beginning(value: str) -> str:
    """Hex of the first bytes of an identifier's value."""
    return value.encode("utf-8", "surrogatepass")[:BEGINNING_BYTES].hex()


def beginning_of_key(key: str) -> str:
    return beginning(parse_key(key).value)


def sorted_name(folded: str) -> str:
    """What lists are sorted by: names by code point, and after them people without one."""
    return f"0{folded.encode('utf-8', 'surrogatepass')[:NAME_BYTES].hex()}" if folded else "1"
