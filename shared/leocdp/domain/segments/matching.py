"""Which events a node counts, and what it takes from each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from leocdp.domain.profiles.apply import NAMED_TYPES
from leocdp.domain.segments.limits import LARGEST_NUMBER
from leocdp.domain.segments.nodes import Aggregate, EventQuery, Fn, Path, Scalar, Span
from leocdp.domain.segments.subject import EventFact, Setting
from leocdp.domain.segments.time_rules import bounds_of
from leocdp.domain.segments.values import answer_values, cast_number, found, number_of

LONGEST_TOKEN: Final = 200
"""Characters of a text that its token holds as it is."""


def matches(query: EventQuery, event: EventFact, setting: Setting) -> bool:
    """Relative tests on a property (``within_last`` …) are asked at the time of the event: a match stays one."""
    if query.name is not None:
        if event.name != query.name or event.type not in NAMED_TYPES or query.type not in (None, event.type):
            return False
    elif query.type is None or query.type != event.type:
        return False
    return all(
        answer_values(one.test, found(event.properties, one.path), event.at, setting.zone).holds for one in query.where
    )


def in_between(span: Span, at: int, setting: Setting) -> bool:
    """Whether an event lies in the part of a span that does not move."""
    if span.between is None:
        return True
    start, end = bounds_of(span.between, setting.zone)
    return start <= at < end


def counted_values(node: Aggregate, properties: Mapping[str, Any]) -> Sequence[Any]:
    """What an event gives to an aggregate: numbers, of ``distinct`` tokens of scalars, of ``most_frequent`` texts."""
    values: Sequence[Any] = found(properties, node.path)
    if node.as_number:
        values = [cast_number(one) for one in values]
    taken = (_taken(node.fn, one) for one in values)
    return [one for one in taken if one is not None]


def _taken(fn: Fn, value: object) -> float | str | None:
    if fn == "distinct":
        return token(value)
    if fn == "most_frequent":
        return value if isinstance(value, str) else None
    return number_of(value)


def tokens(properties: Mapping[str, Any], path: Path) -> Sequence[str]:
    """The values that a sequence keeps together, each once."""
    taken = (token(one) for one in found(properties, path))
    return list(dict.fromkeys(one for one in taken if one is not None))


def token(value: object) -> str | None:
    """A short text that is the same for the same scalar only: the kind counts, 1 and 1.0 are the same number."""
    if isinstance(value, bool):
        return f"b{int(value)}"
    if isinstance(value, str):
        if len(value) <= LONGEST_TOKEN:
            return f"t{value}"
        return f"h{blake2b(value.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
    number = number_of(value)
    # Adding 0.0 makes a positive zero of a negative one.
    return None if number is None else f"n{number + 0.0!r}"


def value_of(token: object) -> Sequence[Scalar]:
    """The scalar that a token stands for; nothing for a text that was too long."""
    if not isinstance(token, str) or token[:1] not in ("b", "t", "n"):
        return ()
    text = token[1:]
    if token[0] == "t":
        return (text,)
    if token[0] == "b":
        return (text == "1",)
    number = float(text)
    return (int(number) if number.is_integer() and abs(number) <= LARGEST_NUMBER else number,)
