"""From the JSON of a condition to its tree, and back.

Everything that is wrong with a condition is found at once, each with its path: ``condition.all[2].where[0].value``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from re import compile
from typing import Any, Final, TypeAlias, cast

from leocdp.domain.errors import Invalid
from leocdp.domain.segments.event_conditions import read_event, read_sequence
from leocdp.domain.segments.limits import MOST_DEPTH, MOST_NODES
from leocdp.domain.segments.nodes import (
    All,
    Any_,
    Bucket,
    Consent,
    Everyone,
    Fact,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    Node,
    Not,
    Reachable,
    Score,
    Stage,
    Status,
    Trait,
)
from leocdp.domain.segments.printing import to_json
from leocdp.domain.segments.reading import KnownNames, Reader, hint
from leocdp.domain.segments.value_tests import ANY_VALUE, TEXT_FACT, fields_of, number_test, read_test

__all__ = ["FACTS", "ConditionInvalid", "KnownNames", "parse_condition", "to_json"]

FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "place": ("country", "region", "city"),
    "device": ("type", "os", "browser"),
    "touch": ("source", "medium", "campaign", "referrer_host"),
}
"""What is known of the place and device seen last, and of the first and last touch."""
_WORD: Final = compile(r"[a-z][a-z0-9_\-]{0,59}")
_KIND: Final = compile(r"[a-z][a-z0-9_]{0,39}(:[a-z0-9_.\-]{1,50})?")
_Read: TypeAlias = Callable[[Reader, Mapping[str, Any], str], Node]


class ConditionInvalid(Invalid):
    """A condition that cannot be saved; ``problems`` lists every mistake with its path."""

    code = "condition_invalid"


def parse_condition(data: object, *, path: str = "condition", known: KnownNames | None = None) -> Node:
    """The tree of a condition. With ``known``, scores, stages and kinds of identifier have to be among those.

    Raises:
        ConditionInvalid: with the path and the problem of every mistake.
    """
    reader = Reader(known)
    node = read_node(reader, data, path, 1)
    if reader.problems:
        raise ConditionInvalid("condition", reader.problems)
    return node


def read_node(reader: Reader, data: object, path: str, depth: int) -> Node:
    if not isinstance(data, Mapping):
        reader.mapping(data, path)
        return Everyone()
    if depth > MOST_DEPTH:
        reader.note(path, f"is nested too deep: there are at most {MOST_DEPTH} levels")
        return Everyone()
    if not reader.node(path):
        return Everyone()
    family = next((name for name in (*_GROUPS, *_LEAVES) if name in data), None)
    if family is not None and family in _GROUPS:
        return _group(reader, data, path, depth, family)
    if family is not None:
        return _LEAVES[family](reader, data, path)
    close = hint(next((name for name in data if isinstance(name, str)), None), (*_GROUPS, *_LEAVES))
    reader.note(path, f"is no condition: it says nothing to ask for{close}")
    return Everyone()


# Groups

_GROUPS: Final = ("all", "any", "not")


def _group(reader: Reader, data: Mapping[str, Any], path: str, depth: int, family: str) -> Node:
    reader.known(data, path, (family,))
    inner = f"{path}.{family}"
    if family == "not":
        return Not(read_node(reader, data["not"], inner, depth + 1))
    listed = reader.items(data[family], inner, most=MOST_NODES)
    parts = tuple(read_node(reader, one, f"{inner}[{index}]", depth + 1) for index, one in enumerate(listed))
    return All(parts) if family == "all" else Any_(parts)


# Leaves


def _everyone(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("everyone",))
    reader.true(data["everyone"], f"{path}.everyone")
    return Everyone()


def _trait(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("trait", *fields_of(data, ANY_VALUE)))
    return Trait(reader.dotted(data["trait"], f"{path}.trait"), read_test(reader, data, path, ANY_VALUE))


def _member(reader: Reader, data: Mapping[str, Any], path: str, family: str) -> tuple[str, bool]:
    """The name and whether it is negated."""
    reader.known(data, path, (family, "is"))
    name = reader.name(data[family], f"{path}.{family}")
    return name, reader.choice(data.get("is", "in"), f"{path}.is", ("in", "not_in")) == "not_in"


def _segment(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    return InSegment(*_member(reader, data, path, "segment"))


def _list(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    return InList(*_member(reader, data, path, "list"))


def _label(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    return Label(*_member(reader, data, path, "label"))


def _stage(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("stage", "is"))
    given, inner = data["stage"], f"{path}.stage"
    if isinstance(given, list | tuple):
        listed = reader.listed(given, inner)
        stages = tuple(_stage_name(reader, one, f"{inner}[{index}]") for index, one in enumerate(listed))
    else:
        stages = (_stage_name(reader, given, inner),)
    negated = reader.choice(data.get("is", "in"), f"{path}.is", ("in", "not_in")) == "not_in"
    return Stage(stages, negated)


def _stage_name(reader: Reader, value: object, path: str) -> str:
    return reader.there(_word(reader, value, path), path, reader.names.stages)


def _bucket(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("bucket",))
    inner, at = reader.mapping(data["bucket"], f"{path}.bucket"), f"{path}.bucket"
    reader.known(inner, at, ("salt", "from", "to"))
    salt = reader.name(inner.get("salt"), f"{at}.salt")
    ends = [reader.number(inner.get(name), f"{at}.{name}") for name in ("from", "to")]
    for name, end in zip(("from", "to"), ends, strict=True):
        if not 0 <= end <= 100:
            reader.note(f"{at}.{name}", "must be a percentage from 0 to 100")
    if ends[0] >= ends[1] and not reader.problems:
        reader.note(at, f"is empty: “from” ({ends[0]}) must be less than “to” ({ends[1]})")
    return Bucket(salt, *ends)


def _score(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("score", "is", "value"))
    at = f"{path}.score"
    name = reader.there(_word(reader, data["score"], at), at, reader.names.scores)
    return Score(name, number_test(reader, data, path))


def _consent(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("consent", "is"))
    state = reader.choice(data.get("is"), f"{path}.is", ("granted", "denied", "unknown"))
    return Consent(_word(reader, data["consent"], f"{path}.consent"), cast(Any, state))


def _identifier(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("identifier", "is"))
    kind = reader.name(data["identifier"], f"{path}.identifier")
    if kind.strip() and not _KIND.fullmatch(kind):
        reader.note(f"{path}.identifier", "must be a kind of identifier, such as email, phone or social:zalo")
    elif not kind.startswith("social:"):
        reader.there(kind, f"{path}.identifier", reader.names.kinds)
    wanted = reader.choice(data.get("is", "exists"), f"{path}.is", ("exists", "missing"))
    return HasIdentifier(kind, wanted == "missing")


def _status(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("status",))
    return Status(cast(Any, reader.choice(data["status"], f"{path}.status", ("identified", "anonymous"))))


def _reachable(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("reachable",))
    return Reachable(cast(Any, reader.choice(data["reachable"], f"{path}.reachable", ("email", "phone", "push"))))


def _fact(family: str) -> _Read:
    def read(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
        reader.known(data, path, (family, *fields_of(data, TEXT_FACT)))
        field = reader.choice(data[family], f"{path}.{family}", FACTS[family])
        return Fact(cast(Any, family), field, read_test(reader, data, path, TEXT_FACT))

    return read


def _touch(reader: Reader, data: Mapping[str, Any], path: str) -> Node:
    reader.known(data, path, ("touch", "field", *fields_of(data, TEXT_FACT)))
    which = reader.choice(data["touch"], f"{path}.touch", ("first", "last"))
    field = reader.choice(data.get("field"), f"{path}.field", FACTS["touch"])
    return Fact(cast(Any, f"touch_{which}"), field, read_test(reader, data, path, TEXT_FACT))


def _word(reader: Reader, value: object, path: str) -> str:
    found = reader.name(value, path)
    if found.strip() and not _WORD.fullmatch(found):
        reader.note(path, "must be a word of small letters, digits, _ and -")
        return ""
    return found.strip() and found


_LEAVES: Final[Mapping[str, _Read]] = {
    "everyone": _everyone,
    "trait": _trait,
    "event": read_event,
    "sequence": read_sequence,
    "segment": _segment,
    "list": _list,
    "bucket": _bucket,
    "score": _score,
    "consent": _consent,
    "identifier": _identifier,
    "status": _status,
    "reachable": _reachable,
    "place": _fact("place"),
    "device": _fact("device"),
    "touch": _touch,
    "stage": _stage,
    "label": _label,
    "type": read_event,
}
"""``type`` is last: beside ``event`` it only narrows."""
