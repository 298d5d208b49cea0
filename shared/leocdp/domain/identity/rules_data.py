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
from dataclasses import fields, replace
from re import compile
from typing import Any, Final, get_args

from phonenumbers import SUPPORTED_REGIONS

from leocdp.domain.errors import Invalid, Problem
from leocdp.domain.identity.kinds import CHECKS, DEFAULT_KINDS, SOCIAL, BlockedPattern, Form, KindRule, SharedThresholds


class RulesInvalid(Invalid):
    """The document of the identity rules has mistakes; ``problems`` lists all of them."""

    code = "identity_rules_invalid"


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


def read_rules(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``IdentityRules`` that a configuration document gives.

    Raises:
        RulesInvalid: with the path and the problem of every mistake.
    """
    reader = _Reader()
    found = reader.mapping(data, "", _TOP)
    kinds = reader.kinds(found.pop("kinds", {}))
    given: dict[str, Any] = {name: _read(reader, name, value, kinds) for name, value in found.items()}
    if reader.problems:
        raise RulesInvalid("identity rules", reader.problems)
    return {"kinds": kinds, **given}


def _read(reader: _Reader, name: str, value: Any, kinds: Mapping[str, KindRule]) -> Any:
    if name == "shared":
        return reader.thresholds(value)
    if name == "phone_region":
        return reader.region(value)
    if name == "property_events":
        return frozenset(reader.texts(value, name))
    if name == "trait_kinds":
        return reader.trait_kinds(value, kinds)
    if name == "blocked_values":
        return frozenset(text.strip().lower() for text in reader.texts(value, name))
    if name == "blocked_patterns":
        return reader.patterns(value, kinds)
    if name == "blocked_checks":
        return reader.checks(value)
    return reader.number(value, name, 1, 100_000)


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
