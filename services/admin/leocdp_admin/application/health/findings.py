"""What a check found: a state, which sentence says it, and the values in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from leocdp_admin.application.health.thresholds import Rule

State = Literal["ok", "unknown", "warning", "critical"]
Area = Literal["collecting", "processing", "storage", "services"]
AREAS: Final[tuple[Area, ...]] = ("collecting", "processing", "storage", "services")
WORSE: Final[tuple[State, ...]] = ("ok", "unknown", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Share:
    of_one: float


@dataclass(frozen=True, slots=True)
class Size:
    bytes: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why events are refused or fail: a code of the catalogue of reasons."""

    code: str


Value = int | str | Span | Share | Size | Reason


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    """Which check, as in ``words.TITLES``."""
    state: State
    says: str
    """Which sentence, as in ``words.SENTENCES``."""
    values: Mapping[str, Value] = field(default_factory=dict)
    runbook: str = ""
    """Section of docs/operations/alerts.md, where there is one."""


def worst(states: Iterable[State]) -> State:
    return max(states, key=WORSE.index, default="ok")


def good(check: str, says: str, **values: Value) -> Finding:
    return Finding(check, "ok", says, values)


def unknown(check: str, says: str = "unknown", **values: Value) -> Finding:
    return Finding(check, "unknown", says, values)


def broken(check: str, rule: Rule, says: str, **values: Value) -> Finding:
    """As severe as the alert is."""
    return Finding(check, rule.severity, says, values, rule.runbook)
