"""Keyset cursors: opaque to their readers, checked when they come back."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from leocdp.ports.profile_reader import CursorInvalid


class Place(NamedTuple):
    """Where a person stands in a list: rank (searches only), sort value, row number."""

    rank: int
    value: Any
    num: int


def encode_cursor(place: Sequence[Any]) -> str:
    return urlsafe_b64encode(msgspec.msgpack.encode(list(place))).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: Sequence[type]) -> tuple[Any, ...]:
    """Raises CursorInvalid for anything that :func:`encode_cursor` did not make with values of these types."""
    try:
        found = msgspec.msgpack.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, msgspec.MsgspecError) as error:
        raise CursorInvalid("cursor: not one that this list has given out; ask for the first page again") from error
    if not isinstance(found, list) or [type(value) for value in found] != list(kinds) or _too_large(found):
        raise CursorInvalid("cursor: from another list or another sort order; ask for the first page again")
    return tuple(found)


def _too_large(values: Sequence[Any]) -> bool:
    return any(isinstance(value, int) and abs(value) >= 1 << 63 for value in values)


def sort_key(descending: bool) -> Callable[[Place], Any]:
    """Places in the order of a list: by rank, then by value, then by number, the last two perhaps downwards."""
    if descending:
        return lambda place: (place.rank, -place.value, -place.num)
    return lambda place: place
