"""The rules of identity: which kinds of identifier there are, how far each is trusted, and what never counts.

A value of this module is built once from configuration (:func:`rules_from`) and passed to everything that decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import translate
from re import Pattern, compile
from typing import Any

from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.identity.kinds import (
    CHECKS,
    DEFAULT_BLOCKED_PATTERNS,
    DEFAULT_BLOCKED_VALUES,
    DEFAULT_KINDS,
    SOCIAL,
    BlockedPattern,
    Check,
    KindRule,
    SharedThresholds,
)
from leocdp.domain.identity.rules_data import RulesInvalid, read_rules

__all__ = [
    "IdentityRules",
    "KindRule",
    "RulesInvalid",
    "SharedThresholds",
    "default_rules",
    "rules_from",
    "rules_to_changes",
    "rules_to_data",
]


@dataclass(frozen=True)
class IdentityRules:
    """All of it, immutable. Equal rules are equal values; the hash is kept because caches are keyed with it."""

    kinds: Mapping[str, KindRule] = field(default_factory=lambda: {rule.name: rule for rule in DEFAULT_KINDS})
    max_merges: int = 100
    """Per person; merges of profiles without a contact or stronger kind do not count."""
    max_identifiers: int = 1_000
    shared: SharedThresholds = field(default_factory=SharedThresholds)
    phone_region: str = "VN"
    """ISO 3166 region that numbers without a country code belong to."""
    property_events: frozenset[str] = frozenset()
    """Names of track events whose ``properties`` give identifiers too."""
    trait_kinds: Mapping[str, str] = field(default_factory=lambda: {"email": "email", "phone": "phone"})
    """Trait name → kind that its value is an identifier of."""
    blocked_values: frozenset[str] = DEFAULT_BLOCKED_VALUES
    """Lower case; compared without quotes around the value."""
    blocked_patterns: tuple[BlockedPattern, ...] = DEFAULT_BLOCKED_PATTERNS
    blocked_checks: frozenset[Check] = frozenset(CHECKS)
    _hash: int = field(init=False, repr=False, compare=False)
    _patterns: Mapping[str, Pattern[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_patterns", _compiled(self.blocked_patterns, self.kinds))
        scalars = (self.max_merges, self.max_identifiers, self.shared, self.phone_region, self.blocked_patterns)
        maps = (frozenset(self.kinds.items()), frozenset(self.trait_kinds.items()))
        sets = (self.property_events, self.blocked_values, self.blocked_checks)
        object.__setattr__(self, "_hash", hash((scalars, maps, sets)))

    def __hash__(self) -> int:
        return self._hash

    def find(self, name: str) -> KindRule | None:
        """The rule of a kind, of ``social`` for every ``social:<provider>``; None for an unknown kind."""
        rule = self.kinds.get(name)
        if rule is None and name.startswith("social:") and len(name) > len("social:"):
            return self.kinds.get(SOCIAL)
        return None if name == SOCIAL else rule

    def kind(self, name: str) -> KindRule:
        """As :meth:`find`; a kind that the configuration no longer knows resolves nobody and has no limit."""
        return self.find(name) or KindRule(name, 9, resolves=False)

    def order(self, identifier: Identifier) -> tuple[int, str, str, str]:
        """Sort key of the resolution order: priority, kind, value, space. The first is the anchor."""
        return (self.kind(identifier.kind).priority, identifier.kind, identifier.value, identifier.space)

    def sorted(self, identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
        return tuple(sorted(identifiers, key=self.order))

    def pattern_for(self, rule: KindRule) -> Pattern[str] | None:
        """One expression for all blocked patterns of a kind, to match lower-cased values with; None: no pattern."""
        return self._patterns.get(rule.name)


def _compiled(patterns: Iterable[BlockedPattern], kinds: Iterable[str]) -> dict[str, Pattern[str]]:
    """kind → patterns of that kind and those for all kinds, for each kind that has any.

    Globs, not regular expressions: ``fnmatch`` makes expressions that cannot backtrack without bound, so a pattern
    typed by an administrator cannot stop processing.
    """
    texts: dict[str, list[str]] = {}
    for entry in patterns:
        for kind in (entry.kind,) if entry.kind else kinds:
            texts.setdefault(kind, []).append(translate(entry.pattern.lower().replace("[", "[[]")))
    return {kind: compile("|".join(parts)) for kind, parts in texts.items()}


def default_rules() -> IdentityRules:
    """The rules of a system that nobody has configured."""
    return IdentityRules()


def rules_from(data: Mapping[str, Any]) -> IdentityRules:
    """Rules from a configuration document (:mod:`leocdp.domain.identity.rules_data` says what stands in it).

    Raises:
        RulesInvalid: with the path and the problem of every mistake.
    """
    return IdentityRules(**read_rules(data))


def rules_to_data(rules: IdentityRules) -> dict[str, Any]:
    """The whole document, defaults included; ``rules_from`` of it gives equal rules."""
    kinds = {name: asdict(rule) for name, rule in rules.kinds.items()}
    for rule in kinds.values():
        del rule["name"]
    return {
        "kinds": kinds,
        "max_merges": rules.max_merges,
        "max_identifiers": rules.max_identifiers,
        "shared": asdict(rules.shared),
        "phone_region": rules.phone_region,
        "property_events": sorted(rules.property_events),
        "trait_kinds": dict(rules.trait_kinds),
        "blocked_values": sorted(rules.blocked_values),
        "blocked_patterns": [asdict(entry) for entry in rules.blocked_patterns],
        "blocked_checks": sorted(rules.blocked_checks),
    }


def rules_to_changes(rules: IdentityRules) -> dict[str, Any]:
    """The smallest document that ``rules_from`` makes equal rules of: what a later version adds to the defaults is not
    held back by it."""
    whole, default = rules_to_data(rules), rules_to_data(default_rules())
    changes = {name: value for name, value in whole.items() if value != default[name]}
    for part in ("kinds", "shared"):
        if part in changes:
            changes[part] = _changed(whole[part], default[part])
    if "kinds" in changes:
        changes["kinds"] = {
            name: _changed(rule, default["kinds"].get(name, {})) for name, rule in changes["kinds"].items()
        }
    return changes


def _changed(whole: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name not in default or value != default[name]}
