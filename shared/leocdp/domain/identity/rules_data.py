"""Identity rules as data: the document that configuration holds and the API shows, checked in full.

```json
{"kinds": {"loyalty_id": {"limit": 3}, "member_no": {"priority": 2, "limit": 1, "spaced": true}},
 "max_merges": 100, "max_identifiers": 1000,
 "shared": {"people": 10, "days": 30, "user_ids": 10, "events_per_hour": 5000},
 "phone_region": "VN", "property_events": ["Lead Submitted"],
 "trait_kinds": {"email": "email", "customer_no": "crm_id"},
 "blocked_values": ["null"], "blocked_patterns": [{"kind": "email", "pattern": "*@example.com"}],
 "blocked_checks": ["all_zero"]}
```

What is left out keeps its default. ``kinds`` changes built-in kinds field by field and adds new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from re import compile
from typing import Any, Final, get_args

from phonenumbers import SUPPORTED_REGIONS

from leocdp.domain.errors import Invalid, Problem
from leocdp.domain.identity.kinds import CHECKS, DEFAULT_KINDS, SOCIAL, BlockedPattern, Form, KindRule, SharedThresholds
from leocdp.domain.identity.rules import IdentityRules

_NAME: Final = compile(r"[a-z][a-z0-9_]{0,39}")
_PROVIDER: Final = compile(r"social:[a-z0-9_.\-]{1,50}")
_BUILT_IN: Final = {rule.name: rule for rule in DEFAULT_KINDS}
_FIXED: Final = ("device", "contact", "spaced", "form")
"""What a built-in kind is; changing it would change the meaning of identifiers that are stored already."""
_TOP: Final = (
    *("kinds", "max_merges", "max_identifiers", "shared", "phone_region", "property_events", "trait_kinds"),
    *("blocked_values", "blocked_patterns", "blocked_checks"),
)
_MOST_ENTRIES: Final = 1_000
_LONGEST_TEXT: Final = 500


def rules_from(data: Mapping[str, Any]) -> IdentityRules:
    """Rules from a configuration document.

    Raises:
        Invalid: with the path and the problem of every mistake.
    """
    reader = _Reader()
    found = reader.mapping(data, "", _TOP)
    given: dict[str, Any] = {}
    kinds = reader.kinds(found.pop("kinds", {}))
    for name in ("max_merges", "max_identifiers"):
        if name in found:
            given[name] = reader.number(found[name], name, 1, 100_000)
    if "shared" in found:
        given["shared"] = reader.thresholds(found["shared"])
    if "phone_region" in found:
        given["phone_region"] = reader.region(found["phone_region"])
    if "property_events" in found:
        given["property_events"] = frozenset(reader.texts(found["property_events"], "property_events"))
    if "trait_kinds" in found:
        given["trait_kinds"] = reader.trait_kinds(found["trait_kinds"], kinds)
    if "blocked_values" in found:
        values = reader.texts(found["blocked_values"], "blocked_values")
        given["blocked_values"] = frozenset(value.strip().lower() for value in values)
    if "blocked_patterns" in found:
        given["blocked_patterns"] = reader.patterns(found["blocked_patterns"], kinds)
    if "blocked_checks" in found:
        given["blocked_checks"] = reader.checks(found["blocked_checks"])
    if reader.problems:
        raise Invalid("identity rules", reader.problems)
    return IdentityRules(kinds=kinds, **given)


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


class _Reader:
    """Reads parts of the document, notes what is wrong, and goes on with a default so that all of it is seen."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, path: str, problem: str) -> None:
        self.problems.append(Problem(path, problem))

    def mapping(self, value: Any, path: str, names: tuple[str, ...] | None = None) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self.note(path, "must be an object")
            return {}
        for name in value:
            if names is not None and name not in names:
                self.note(f"{path}.{name}".lstrip("."), f"is not known here; known are {', '.join(names)}")
        return {name: part for name, part in value.items() if names is None or name in names}

    def number(self, value: Any, path: str, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.note(path, f"must be a whole number from {low} to {high}")
            return low
        return value

    def flag(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            self.note(path, "must be true or false")
        return value is True

    def text(self, value: Any, path: str) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
            self.note(path, f"must be a text of 1 to {_LONGEST_TEXT} characters")
            return ""
        return value

    def items(self, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
            self.note(path, f"must be a list of at most {_MOST_ENTRIES} entries")
            return []
        return value

    def texts(self, value: Any, path: str) -> list[str]:
        return [self.text(entry, f"{path}[{index}]") for index, entry in enumerate(self.items(value, path))]

    def region(self, value: Any) -> str:
        if not isinstance(value, str) or value.upper() not in SUPPORTED_REGIONS:
            self.note("phone_region", "must be a country code of two letters, such as VN")
            return "VN"
        return value.upper()

    def thresholds(self, value: Any) -> SharedThresholds:
        names = tuple(entry.name for entry in fields(SharedThresholds))
        given = self.mapping(value, "shared", names)
        # A profile remembers eleven different ones per identifier (domain.profiles.state): ten can be exceeded.
        highest = {"people": 10, "user_ids": 10, "days": 366, "events_per_hour": 10_000_000}
        return SharedThresholds(**{n: self.number(v, f"shared.{n}", 1, highest[n]) for n, v in given.items()})

    def kinds(self, value: Any) -> dict[str, KindRule]:
        kinds = dict(_BUILT_IN)
        for name, part in self.mapping(value, "kinds").items():
            path = f"kinds.{name}"
            if not _NAME.fullmatch(name):
                self.note(path, "must be named by a lower-case word of letters, digits and _")
            elif name in _BUILT_IN:
                kinds[name] = self.kind(part, path, _BUILT_IN[name])
            elif not isinstance(part, Mapping) or "priority" not in part:
                self.note(path, "is a new kind and needs a priority")
            else:
                kinds[name] = self.kind(part, path, KindRule(name, 9))
        return kinds

    def kind(self, value: Any, path: str, base: KindRule) -> KindRule:
        names = tuple(entry.name for entry in fields(KindRule) if entry.name != "name")
        given: dict[str, Any] = {}
        for name, part in self.mapping(value, path, names).items():
            given[name] = self.kind_field(name, part, f"{path}.{name}")
            if base.name in _BUILT_IN and name in _FIXED and given[name] != getattr(base, name):
                self.note(f"{path}.{name}", "cannot be changed for a built-in kind")
        rule = replace(base, **given)
        if rule.rolling and rule.limit is None:
            self.note(f"{path}.rolling", "needs a limit")
        return rule

    def kind_field(self, name: str, value: Any, path: str) -> Any:
        if name == "priority":
            return self.number(value, path, 1, 9)
        if name == "limit":
            return None if value is None else self.number(value, path, 1, 1_000)
        if name == "form":
            return self.choice(value, path, get_args(Form))
        return self.flag(value, path)

    def choice(self, value: Any, path: str, choices: tuple[str, ...]) -> str:
        if value not in choices:
            self.note(path, f"must be one of {', '.join(choices)}")
            return choices[0]
        return str(value)

    def trait_kinds(self, value: Any, kinds: Mapping[str, KindRule]) -> dict[str, str]:
        found: dict[str, str] = {}
        for trait, kind in self.mapping(value, "trait_kinds").items():
            path = f"trait_kinds.{trait}"
            if not trait.strip():
                self.note(path, "must be named")
            elif not isinstance(kind, str) or kind == SOCIAL or not (kind in kinds or _PROVIDER.fullmatch(kind)):
                self.note(path, "must name a kind of identifier; social ones are written social:<provider>")
            else:
                found[trait] = kind
        return found

    def patterns(self, value: Any, kinds: Mapping[str, KindRule]) -> tuple[BlockedPattern, ...]:
        found: list[BlockedPattern] = []
        for index, part in enumerate(self.items(value, "blocked_patterns")):
            path = f"blocked_patterns[{index}]"
            given = self.mapping(part, path, ("pattern", "kind"))
            pattern, kind = self.text(given.get("pattern"), f"{path}.pattern"), given.get("kind", "")
            if not isinstance(kind, str) or (kind and kind not in kinds):
                self.note(f"{path}.kind", "must name a kind of identifier, or be left out for all kinds")
            elif pattern and not pattern.strip("*?"):
                self.note(f"{path}.pattern", "would block everything")
            else:
                found.append(BlockedPattern(pattern, kind))
        return tuple(found)

    def checks(self, value: Any) -> frozenset[Any]:
        names = tuple(CHECKS)
        listed = enumerate(self.items(value, "blocked_checks"))
        return frozenset(self.choice(entry, f"blocked_checks[{index}]", names) for index, entry in listed)
