"""Identity rules: the defaults, and configuration that is checked in full."""

from __future__ import annotations

from typing import Any

import pytest

from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.identity.rules import RulesInvalid, default_rules, rules_from, rules_to_data


@pytest.mark.parametrize(
    ("kind", "priority", "limit", "rolling", "device", "contact", "spaced", "strong", "identifies"),
    [
        ("user_id", 1, 1, False, False, False, True, True, True),
        ("crm_id", 2, 1, False, False, False, True, True, True),
        ("national_id", 2, 1, False, False, False, True, True, True),
        ("loyalty_id", 2, 5, False, False, False, True, True, True),
        ("app_id", 2, 5, False, False, False, True, True, True),
        ("fintech_id", 2, 5, False, False, False, True, True, True),
        ("email", 3, 5, False, False, True, False, False, True),
        ("phone", 4, 5, False, False, True, False, False, True),
        ("social:zalo", 5, 5, False, False, False, False, False, True),
        ("device_id", 6, 20, True, True, False, False, False, False),
        ("push_token", 6, 20, True, True, False, False, False, False),
        ("anonymous_id", 7, 100, True, True, False, False, False, False),
    ],
)
def test_default_kinds(
    kind: str,
    priority: int,
    limit: int,
    rolling: bool,
    device: bool,
    contact: bool,
    spaced: bool,
    strong: bool,
    identifies: bool,
) -> None:
    rule = default_rules().kind(kind)
    assert (rule.priority, rule.limit, rule.rolling, rule.device) == (priority, limit, rolling, device)
    assert (rule.contact, rule.spaced, rule.strong, rule.identifies) == (contact, spaced, strong, identifies)
    assert rule.resolves


def test_fingerprints_and_unknown_kinds_resolve_nobody() -> None:
    rules = default_rules()
    for kind in ("fingerprint", "shoe_size", "social", "social:"):
        assert not rules.kind(kind).resolves
        assert not rules.kind(kind).identifies
    assert rules.find("fingerprint") is not None
    assert rules.find("shoe_size") is rules.find("social") is rules.find("social:") is None


def test_default_caps_and_thresholds() -> None:
    rules = default_rules()
    assert (rules.max_merges, rules.max_identifiers, rules.phone_region) == (100, 1_000, "VN")
    shared = rules.shared
    assert (shared.people, shared.days, shared.user_ids, shared.events_per_hour) == (10, 30, 10, 5_000)
    assert rules.property_events == frozenset()


def test_resolution_order_is_priority_then_kind_then_value() -> None:
    given = [
        Identifier("anonymous_id", "a"),
        Identifier("phone", "+84901234567"),
        Identifier("loyalty_id", "2"),
        Identifier("fingerprint", "f"),
        Identifier("crm_id", "9"),
        Identifier("loyalty_id", "1"),
        Identifier("user_id", "u"),
    ]
    order = ["user_id:u", "crm_id:9", "loyalty_id:1", "loyalty_id:2", "phone:+84901234567", "anonymous_id:a"]
    assert [each.key for each in default_rules().sorted(given)] == [*order, "fingerprint:f"]


def test_data_round_trip() -> None:
    assert rules_from({}) == default_rules()
    assert hash(rules_from({})) == hash(default_rules())
    changed = rules_from(
        {
            "kinds": {
                "email": {"limit": 3, "priority": 4},
                "member_no": {"priority": 2, "limit": 1, "spaced": True},
                "alt_phone": {"priority": 4, "limit": None, "contact": True, "form": "phone"},
            },
            "max_merges": 7,
            "shared": {"people": 4},
            "phone_region": "us",
            "property_events": ["Lead Submitted"],
            "trait_kinds": {"email": "email", "customer_no": "crm_id", "zalo": "social:zalo"},
            "blocked_values": [" NONE "],
            "blocked_patterns": [{"pattern": "*@example.com", "kind": "email"}, {"pattern": "qa-??"}],
            "blocked_checks": [],
        }
    )
    assert changed != default_rules()
    assert rules_from(rules_to_data(changed)) == changed
    assert changed.kind("email").limit == 3
    assert changed.kind("email").form == "email"
    assert changed.kind("member_no").strong
    assert changed.shared.people == 4
    assert changed.shared.days == 30
    assert changed.phone_region == "US"
    assert changed.blocked_values == {"none"}


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"kinds": []}, "kinds"),
        ({"kinds": {"email": 5}}, "kinds.email"),
        ({"kinds": {"email": {"limit": 0}}}, "kinds.email.limit"),
        ({"kinds": {"email": {"limit": True}}}, "kinds.email.limit"),
        ({"kinds": {"email": {"priority": "1"}}}, "kinds.email.priority"),
        ({"kinds": {"email": {"contact": False}}}, "kinds.email.contact"),
        ({"kinds": {"email": {"colour": 1}}}, "kinds.email.colour"),
        ({"kinds": {"user_id": {"form": "phone"}}}, "kinds.user_id.form"),
        ({"kinds": {"a b": {"priority": 2}}}, "kinds.a b"),
        ({"kinds": {"new_kind": {"limit": 2}}}, "kinds.new_kind"),
        ({"kinds": {"new_kind": {"priority": 2, "rolling": True}}}, "kinds.new_kind.rolling"),
        ({"kinds": {"new_kind": {"priority": 2, "form": "fax"}}}, "kinds.new_kind.form"),
        ({"max_merges": -1}, "max_merges"),
        ({"max_identifiers": 1.5}, "max_identifiers"),
        ({"shared": {"people": 11}}, "shared.people"),
        ({"shared": 3}, "shared"),
        ({"phone_region": "Vietnam"}, "phone_region"),
        ({"phone_region": ["VN"]}, "phone_region"),
        ({"property_events": "Lead"}, "property_events"),
        ({"property_events": ["Lead", ""]}, "property_events[1]"),
        ({"trait_kinds": {"x": "nothing"}}, "trait_kinds.x"),
        ({"trait_kinds": {"x": "social"}}, "trait_kinds.x"),
        ({"trait_kinds": {"x": {}}}, "trait_kinds.x"),
        ({"blocked_values": [None]}, "blocked_values[0]"),
        ({"blocked_patterns": [{"pattern": "**"}]}, "blocked_patterns[0].pattern"),
        ({"blocked_patterns": [{"pattern": "a*", "kind": "mail"}]}, "blocked_patterns[0].kind"),
        ({"blocked_patterns": ["a*"]}, "blocked_patterns[0]"),
        ({"blocked_checks": ["zeros"]}, "blocked_checks[0]"),
        ({"limits": {}}, "limits"),
        ([], ""),
    ],
)
def test_a_mistake_is_named_by_its_path(data: Any, path: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        rules_from(data)
    assert path in [found.path for found in caught.value.problems]
    assert all(found.problem for found in caught.value.problems)


def test_all_mistakes_are_listed() -> None:
    with pytest.raises(RulesInvalid) as caught:
        rules_from({"max_merges": 0, "phone_region": "??", "kinds": {"email": {"limit": -1}}, "more": 1})
    found = {problem.path for problem in caught.value.problems}
    assert found == {"max_merges", "phone_region", "kinds.email.limit", "more"}
