"""What a look at one thing has found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    good: bool
    say: str
    """How it is, and what to do where that is not good."""


Check = Callable[[], Iterable[Finding]]
"""Looks at one subject, changes nothing and never raises for what it finds. It reads its settings itself."""
