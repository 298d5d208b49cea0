"""Errors of the domain: values that break a rule. Permanent by nature; the same value will break it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One mistake: where it stands (``kinds.email.limit``, ``blocked_patterns[2]``) and what is wrong with it."""

    path: str
    problem: str


class DomainError(ValueError):
    """Base of the tree.

    DomainError
    ├── Invalid             a document with one or more mistakes, all of them listed
    └── UnusableIdentifier  a value that cannot be an identifier, with the reason (domain.identity.normalise)
    """

    code = "invalid"


class Invalid(DomainError):
    """A document breaks its rules; ``problems`` lists every mistake, not only the first."""

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        listed = "; ".join(f"{found.path}: {found.problem}" for found in self.problems)
        super().__init__(f"{what}: {listed}")
