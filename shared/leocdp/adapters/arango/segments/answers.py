"""What a condition looks like in AQL: one text where AQL says exactly what Python says, else two around it.

``sure`` holds for nobody of whom the condition does not hold, ``may`` for everybody of whom it does. Those in between
are for Python to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

TRUE: Final = "true"
FALSE: Final = "false"


@dataclass(frozen=True, slots=True)
class Answer:
    sure: str
    may: str

    @property
    def exact(self) -> bool:
        return self.sure == self.may


HOLDS: Final = Answer(TRUE, TRUE)
NEVER: Final = Answer(FALSE, FALSE)


def exactly(text: str) -> Answer:
    return Answer(text, text)


def perhaps(may: str) -> Answer:
    """Where AQL can only say of whom it does not hold."""
    return Answer(FALSE, may)


def negated(answer: Answer) -> Answer:
    return Answer(_not(answer.may), _not(answer.sure))


def both(*answers: Answer) -> Answer:
    return Answer(_and([each.sure for each in answers]), _and([each.may for each in answers]))


def either(*answers: Answer) -> Answer:
    return Answer(_or([each.sure for each in answers]), _or([each.may for each in answers]))


def guarded(condition: str, answer: Answer) -> Answer:
    """Where the condition, which is exact, is false, the answer is."""
    return both(exactly(condition), answer)


def unless(doubt: str, answer: Answer) -> Answer:
    """Where there is doubt, nothing is known."""
    if doubt == FALSE:
        return answer
    return Answer(_and([_not(doubt), answer.sure]), _or([doubt, answer.may]))


def chosen(test: str, then: Answer, other: Answer) -> Answer:
    """The one answer where the test, which is exact, is true, and else the other."""
    return either(guarded(test, then), guarded(_not(test), other))


def _not(text: str) -> str:
    if text in (TRUE, FALSE):
        return FALSE if text == TRUE else TRUE
    return f"!({text})"


def _and(texts: Sequence[str]) -> str:
    kept = list(dict.fromkeys(each for each in texts if each != TRUE))
    if FALSE in kept:
        return FALSE
    return " AND ".join(f"({each})" for each in kept) if len(kept) > 1 else (kept or [TRUE])[0]


def _or(texts: Sequence[str]) -> str:
    kept = list(dict.fromkeys(each for each in texts if each != FALSE))
    if TRUE in kept:
        return TRUE
    return " OR ".join(f"({each})" for each in kept) if len(kept) > 1 else (kept or [FALSE])[0]


@dataclass(slots=True)
class Names:
    """Bound values and names of variables: nothing of a condition is ever part of the text."""

    binds: dict[str, Any] = field(default_factory=dict)
    _made: int = 0

    def bind(self, value: Any) -> str:
        name = f"v{len(self.binds)}"
        self.binds[name] = value
        return f"@{name}"

    def variable(self, letter: str) -> str:
        self._made += 1
        return f"{letter}{self._made}"


@dataclass(slots=True)
class Block:
    """Statements of one loop, before its FILTER."""

    names: Names
    lines: list[str] = field(default_factory=list)

    def let(self, letter: str, text: str) -> str:
        """A variable for a text that is used more than once."""
        name = self.names.variable(letter)
        self.lines.append(f"LET {name} = {text}")
        return name

    def inner(self) -> Block:
        return Block(self.names)
