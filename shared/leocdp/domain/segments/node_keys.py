"""The name under which a person keeps the state of an event node: the same for the same question, for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from hashlib import blake2b
from json import dumps
from typing import Any, Final

from leocdp.domain.segments.nodes import EventNode

_KNOWN: Final[dict[int, tuple[EventNode, str]]] = {}
"""By identity, because nodes that compare equal may differ (``True`` and ``1``). Held, so that no other gets its id."""
_MOST_KNOWN: Final = 10_000


def node_key(node: EventNode) -> str:
    """Fields that have their default value are left out, so that a field added later changes no key."""
    known = _KNOWN.get(id(node))
    if known is not None:
        return known[1]
    text = dumps(_plain(node), separators=(",", ":"), ensure_ascii=True)
    key = blake2b(text.encode("ascii"), digest_size=12).hexdigest()
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[id(node)] = (node, key)
    return key


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: _plain(getattr(value, one.name)) for one in fields(value) if not _is_default(value, one)}
        return [type(value).__name__, parts]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value


def _is_default(node: object, field: Any) -> bool:
    value = getattr(node, field.name)
    return field.default is not MISSING and type(value) is type(field.default) and bool(value == field.default)
