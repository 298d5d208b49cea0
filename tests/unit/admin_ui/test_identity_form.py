"""The rules of identity as a form: what is typed becomes the rules, and what the form does not show stays."""

from __future__ import annotations

import pytest

from leocdp.domain.errors import Problem
from leocdp.domain.identity.rules import IdentityRules, default_rules, rules_from, rules_to_changes
from leocdp_admin.forms.form import Form
from leocdp_admin.forms.identity_form import blame, identity_asked, identity_form
from leocdp_admin.i18n.localisation import Localisation

EN = Localisation("en", "UTC")
OWN = {
    "kinds": {"loyalty_id": {"limit": 3}, "member_no": {"priority": 2, "limit": None}, "anonymous_id": {"limit": 50}},
    "shared": {"people": 5},
    "phone_region": "TH",
    "property_events": ["Lead Submitted"],
    "trait_kinds": {"phone": "phone", "email": "email", "zalo": "social:zalo", "no": "member_no"},
    "blocked_values": ["null", "shop"],
    "blocked_patterns": [{"kind": "email", "pattern": "*@x.vn"}, {"pattern": "qa-*"}],
    "blocked_checks": ["all_zero"],
}


def asked(rules: IdentityRules, typed: dict[str, str]) -> tuple[IdentityRules | None, Form]:
    form = identity_form(rules, 3)
    form.values |= typed
    return identity_asked(form, rules, EN), form


@pytest.mark.parametrize("rules", [default_rules(), rules_from(OWN)])
def test_saving_without_a_change_changes_nothing(rules: IdentityRules) -> None:
    same, form = asked(rules, {})
    assert form.ok
    assert same == rules
    assert rules_from(rules_to_changes(rules)) == rules


def test_the_changes_are_what_was_said_and_no_more() -> None:
    assert rules_to_changes(default_rules()) == {}
    changes = rules_to_changes(rules_from({"kinds": {"email": {"limit": 2}}, "shared": {"days": 7}}))
    assert changes == {"kinds": {"email": {"limit": 2}}, "shared": {"days": 7}}


def test_what_is_typed_is_what_is_kept() -> None:
    typed = {
        "phone_region": "TH",
        "limit.email": " 2",
        "limit.loyalty_id": "",
        "nobody": " Shop@Example.vn\n\n*@qa.vn\n",
    }
    changed, _ = asked(default_rules(), typed | {"trait.2": "customer_no", "kind.2": "crm_id", "trait.0": ""})
    assert changed is not None
    assert changed.phone_region == "TH"
    assert (changed.kinds["email"].limit, changed.kinds["loyalty_id"].limit) == (2, None)
    assert changed.trait_kinds == {"phone": "phone", "customer_no": "crm_id"}
    assert "shop@example.vn" in changed.blocked_values
    assert "null" in changed.blocked_values
    assert changed.blocked_patterns[-1].pattern == "*@qa.vn"
    assert changed.blocked_patterns[:-1] == default_rules().blocked_patterns
    again, _ = asked(changed, {"nobody": ""})
    assert again is not None
    assert again.blocked_values == default_rules().blocked_values


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"limit.email": "0"}, "limit.email"),
        ({"limit.email": "many"}, "limit.email"),
        ({"limit.email": "1001"}, "limit.email"),
        ({"trait.2": "customer_no"}, "trait.2"),
        ({"trait.2": "email", "kind.2": "crm_id"}, "trait.2"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(typed: dict[str, str], field: str) -> None:
    rules, form = asked(default_rules(), typed)
    assert rules is None
    assert list(form.problems) == [field]


def test_what_the_application_refuses_stands_beside_its_field() -> None:
    form = identity_form(rules_from({"trait_kinds": {"a": "crm_id", "b": "crm_id"}}), 0)
    blame(form, [Problem("trait_kinds.b", "no"), Problem("phone_region", "no"), Problem("blocked_values[3]", "no")], EN)
    assert form.problems == {"trait.1": "no", "phone_region": "phone_region: no", "nobody": "blocked_values[3]: no"}
