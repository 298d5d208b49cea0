"""Conditions on what a person's document holds, in AQL: the person is ``p``, their folded state ``s`` (``printer``)."""

from __future__ import annotations

from typing import Final

from leocdp.adapters.arango.segments.answers import (
    HOLDS,
    NEVER,
    Answer,
    Block,
    both,
    exactly,
    negated,
    unless,
)
from leocdp.adapters.arango.segments.numbers import number_test
from leocdp.adapters.arango.segments.paths import value_in
from leocdp.adapters.arango.segments.value_tests import Asked, Found, value_test
from leocdp.domain.segments.audience import list_label, member_key
from leocdp.domain.segments.nodes import (
    Bucket,
    Consent,
    Everyone,
    Fact,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    Reachable,
    Score,
    Stage,
    StateNode,
    Status,
    Trait,
)
from leocdp.domain.segments.states import CHANNELS, REACH_PURPOSE
from leocdp.ports.profile_reader import Question

_PARTS: Final = 1 << 32
_MARGIN: Final = 1e-6
_RELATIVE: Final = 1e-9
_REGISTERS: Final = {
    "place": ("lasts", "place"),
    "device": ("lasts", "device"),
    "touch_first": ("firsts", "touch"),
    "touch_last": ("lasts", "touch"),
}


def person_test(node: StateNode | Everyone, block: Block, asked: Asked, question: Question) -> Answer:
    match node:
        case Trait():
            return value_test(node.test, _trait(node, block), asked)
        case Fact():
            part, register = _REGISTERS[node.register]
            names = block.names
            value = f"s.{part}[{names.bind(register)}].value[{names.bind(node.field)}]"
            return value_test(node.test, Found(block.let("x", value)), asked)
        case Score():
            return _score(node, block, asked, question)
        case InSegment():
            return _signed(_in_segment(node, block, question), node.negated)
        case HasIdentifier():
            return _signed(_has_identifier(node.kind, "shared", False, block), node.negated)
        case Stage():
            stages = block.names.bind(list(node.stages))
            return _signed(exactly(f'NOT_NULL(p.audience.stage, "") IN {stages}'), node.negated)
    return _plain(node, block)


def _plain(node: StateNode | Everyone, block: Block) -> Answer:
    match node:
        case Everyone():
            return HOLDS
        case InList():
            return _signed(_labelled(list_label(node.list), block), node.negated)
        case Label():
            return _signed(_labelled(node.label, block), node.negated)
        case Bucket():
            return _bucket(node, block)
        case Consent():
            return _consent(node.purpose, node.state, block)
        case Status():
            return exactly(f"p.status == {block.names.bind(1 if node.state == 'identified' else 0)}")
        case Reachable():
            has = _has_identifier(CHANNELS.get(node.channel, node.channel), "active", True, block)
            return both(negated(_consent(REACH_PURPOSE, "denied", block)), has)
    raise TypeError(f"{type(node).__name__} is no condition on a person's state")


def _signed(answer: Answer, is_negated: bool) -> Answer:
    return negated(answer) if is_negated else answer


def _trait(node: Trait, block: Block) -> Found:
    """A computed trait wins over one that was sent under the same name."""

    def named(name: str) -> str:
        bound = block.names.bind(name)
        return f"NOT_NULL(p.audience.computed[{bound}], s.traits[{bound}].value)"

    return value_in(block, named, node.path)


def _in_segment(node: InSegment, block: Block, question: Question) -> Answer:
    version = question.segments.get(node.segment)
    if version is None:
        return NEVER
    return exactly(f"p.audience.members[{block.names.bind(member_key(node.segment, version))}] != null")


def _labelled(label: str, block: Block) -> Answer:
    return exactly(f"s.labels[{block.names.bind(label)}].value == true")


def _bucket(node: Bucket, block: Block) -> Answer:
    """The first 32 bits of the hash as hex, which sorts as the numbers do."""
    names = block.names
    low, high = _part(node.low), _part(node.high)
    if low >= min(high, _PARTS):
        return NEVER
    part = block.let("x", f"LEFT(SHA1(CONCAT({names.bind(node.salt)}, {names.bind(chr(31))}, p._key)), 8)")
    texts = [f"{part} >= {names.bind(f'{low:08x}')}"] if low > 0 else []
    texts += [f"{part} < {names.bind(f'{high:08x}')}"] if high < _PARTS else []
    return both(*map(exactly, texts)) if texts else HOLDS


def _part(percentage: float) -> int:
    """The first of the 2³² parts whose percentage is not below this one, reckoned as ``values.bucket_of`` does."""
    low, high = 0, _PARTS
    while low < high:
        middle = (low + high) // 2
        if middle * 100 / 2**32 < percentage:
            low = middle + 1
        else:
            high = middle
    return low


def _consent(purpose: str, state: str, block: Block) -> Answer:
    """As ``profiles.consent.person_consent``: one who has denied by any identifier has denied."""
    words = block.let("a", f"VALUES(NOT_NULL(s.consents[{block.names.bind(purpose)}], {{}}))")
    denied = f"LENGTH({words}[* FILTER !CURRENT.granted LIMIT 1]) > 0"
    if state == "denied":
        return exactly(denied)
    if state == "granted":
        return exactly(f"LENGTH({words}) > 0 AND !({denied})")
    return exactly(f"LENGTH({words}) == 0")


def _has_identifier(kind: str, state: str, wanted: bool, block: Block) -> Answer:
    """A key begins with its kind, then comes the id space or the value; ``social`` has a provider in between."""
    names = block.names
    provider = kind.removeprefix("social:")
    if ":" in provider or "@" in provider or (kind.startswith("social:") and not provider):
        return NEVER
    prefixes = names.bind([f"{kind}:", f"{kind}@"])
    sign = "==" if wanted else "!="
    keys = block.let("a", "ATTRIBUTES(s.identifiers)")
    kept = f"STARTS_WITH(CURRENT, {prefixes}) AND s.identifiers[CURRENT].state {sign} {names.bind(state)}"
    return exactly(f"LENGTH({keys}[* FILTER {kept} LIMIT 1]) > 0")


def _score(node: Score, block: Block, asked: Asked, question: Question) -> Answer:
    """Powers and sums of doubles are known within a margin; who is that near to the limit is for Python to decide."""
    names = block.names
    points = block.let("a", f"VALUES(NOT_NULL(p.audience.scores[{names.bind(node.name)}], {{}}))")
    half_life = question.half_lives.get(node.name)
    left = "CURRENT[0]"
    if half_life is not None:
        left += f" * POW(2, (CURRENT[1] - {names.bind(asked.now)}) / {names.bind(half_life)})"
    total = block.let("n", f"SUM({points}[* RETURN {left}])")
    size = f"SUM({points}[* RETURN ABS({left})])"
    margin = block.let("n", f"LENGTH({points}) == 0 ? 0 : {names.bind(_MARGIN)} + {names.bind(_RELATIVE)} * {size}")
    answer = number_test(node.test, f"({total} - {margin})", f"({total} + {margin})", names)
    return unless(f"{total} == null OR {margin} == null", answer)
