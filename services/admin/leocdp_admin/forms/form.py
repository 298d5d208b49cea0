"""The state of one form on a page: what was typed, and what is wrong with it, by field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class HasPath(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def problem(self) -> str: ...


def _blank() -> defaultdict[str, str]:
    return defaultdict(str)


@dataclass(slots=True)
class Form:
    """``values`` and ``problems`` answer an empty string for fields that are not there."""

    values: Mapping[str, str] = field(default_factory=_blank)
    problems: dict[str, str] = field(default_factory=_blank)

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Form:
        return cls(defaultdict(str, values))

    @property
    def ok(self) -> bool:
        return not self.problems

    def blame(self, name: str, sentence: str) -> None:
        """The first problem of a field is the one shown."""
        if not self.problems.get(name):
            self.problems[name] = sentence

    def blame_all(self, found: Sequence[HasPath], otherwise: str) -> None:
        """Problems of a request body, put beside the fields they are about; ``otherwise`` for those about none."""
        for problem in found:
            name = problem.path.split(".")[0].split("[")[0] or otherwise
            self.blame(name, problem.problem)
