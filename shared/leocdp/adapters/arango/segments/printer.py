"""Conditions as AQL: of whom they surely hold, and of whom they may.

One text for each form of a condition; every value of it, names and paths included, is bound. In the texts ``p`` is the
person's document, ``s`` their folded state and ``leaves`` their leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from re import compile
from typing import Any, Final, NamedTuple

from leocdp.adapters.arango.segments.answers import TRUE, Answer, Block, Names, both, either, negated
from leocdp.adapters.arango.segments.event_tests import event_test
from leocdp.adapters.arango.segments.person_tests import person_test
from leocdp.adapters.arango.segments.value_tests import Asked
from leocdp.domain.segments.nodes import (
    Aggregate,
    All,
    Any_,
    EventCount,
    FirstTime,
    Node,
    Not,
    Pick,
    Regularity,
    Sequence_,
)
from leocdp.domain.segments.subject import Setting
from leocdp.ports.profile_reader import Question

_BOUND: Final = compile(r"@(\w+)")


class Query(NamedTuple):
    text: str
    binds: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Printed:
    """``lines``: statements inside the loop over people, that ``answer`` refers to."""

    lines: tuple[str, ...]
    answer: Answer
    values: Mapping[str, Any]

    @property
    def exact(self) -> bool:
        """Nobody is left for Python to decide."""
        return self.answer.exact

    def tally(self, first: int, last: int) -> Query:
        """How many it holds of (``open`` null), and each of whom it may hold, of the samples ``first`` to ``last``."""
        unsure = "null" if self.exact else f"({self.answer.sure}) ? null : p._key"
        return self._text(self.answer.may, f"COLLECT open = {unsure} WITH COUNT INTO n RETURN {{open, n}}", first, last)

    def some(self, first: int, last: int, limit: int) -> Query:
        """Some of whom it surely holds."""
        return self._text(self.answer.sure, "LIMIT @limit RETURN p._key", first, last, limit=limit)

    def both(self, first: int, last: int) -> Query:
        """Everybody with both answers: for tests of this printer."""
        result = f"RETURN {{id: p._key, sure: {self.answer.sure}, may: {self.answer.may}}}"
        return self._text(TRUE, result, first, last)

    def _text(self, condition: str, result: str, first: int, last: int, **more: Any) -> Query:
        text = "\n".join(
            (
                'FOR p IN profiles OPTIONS {indexHint: "profiles_sample"}',
                "FILTER p.sample >= @first AND p.sample <= @last",
                "LET s = p.person == null ? p.state : p.person.state",
                "LET leaves = p.person == null ? [p._key] : p.person.leaf_ids",
                *self.lines,
                *([] if condition == TRUE else [f"FILTER {condition}"]),
                result,
            )
        )
        # Where a part of a condition cannot hold, or always does, its values are not asked for.
        used = {name: self.values[name] for name in _BOUND.findall(text) if name in self.values}
        return Query(text, {**used, "first": first, "last": last, **more})


def print_condition(question: Question) -> Printed:
    names = Names()
    block = Block(names)
    printer = _Printer(block, Asked(names, question.now, Setting(question.zone)), question)
    answer = printer.print(question.condition)
    return Printed(tuple(block.lines), answer, names.binds)


class _Printer:
    def __init__(self, block: Block, asked: Asked, question: Question) -> None:
        self._block = block
        self._asked = asked
        self._question = question

    def print(self, node: Node) -> Answer:
        if isinstance(node, All | Any_):
            parts = [self.print(part) for part in node.parts]
            return both(*parts) if isinstance(node, All) else either(*parts)
        if isinstance(node, Not):
            return negated(self.print(node.part))
        if isinstance(node, EventCount | FirstTime | Pick | Aggregate | Sequence_ | Regularity):
            return event_test(node, self._block, self._asked)
        return person_test(node, self._block, self._asked, self._question)
