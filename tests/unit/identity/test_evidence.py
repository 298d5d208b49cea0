"""Which places of an event give identifiers, and which do not."""

from __future__ import annotations

from typing import Any

import pytest

from leocdp.domain.events import SourceFacts
from leocdp.domain.identity.evidence import MOST_PER_EVENT, Claims, Evidence, gather
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.identity.rules import IdentityRules, default_rules, rules_from

BROWSER = SourceFacts("web")
SERVER = SourceFacts("shop", authenticated=True, id_space="shop")
RULES = default_rules()


def evidence(
    source: SourceFacts = BROWSER, rules: IdentityRules = RULES, type: str = "track", **claims: Any
) -> Evidence:
    return gather(Claims(type, **claims), source, rules)


def keys(found: Evidence) -> list[str]:
    return [identifier.key for identifier in found.identifiers]


def test_all_places_in_resolution_order_without_duplicates() -> None:
    found = evidence(
        SERVER,
        type="identify",
        anonymous_id="a1",
        user_id="Lan@x.vn",
        traits={"email": "lan@X.vn", "phone": "0901234567"},
        context={
            "traits": {"email": ["lan@x.vn", "work@y.vn"]},
            "device": {"id": "d1", "token": "t1"},
            "externalIds": [
                {"type": "crm_id", "id": "C1"},
                {"type": "social:Zalo", "id": 77, "collection": "users", "encoding": "none"},
                {"type": "user_id", "id": "lan@x.vn"},
            ],
        },
    )
    assert keys(found) == [
        "user_id@shop:lan@x.vn",
        "crm_id@shop:C1",
        "email:lan@x.vn",
        "email:work@y.vn",
        "phone:+84901234567",
        "social:zalo:77",
        "device_id:d1",
        "push_token:t1",
        "anonymous_id:a1",
    ]
    assert found.dropped == ()
    assert found.verified == frozenset()


@pytest.mark.parametrize("type", ["track", "page", "screen", "group", "alias"])
def test_traits_give_identifiers_on_identify_only_and_those_of_the_context_always(type: str) -> None:
    found = evidence(type=type, user_id="u", traits={"email": "group@x.vn"}, context={"traits": {"email": "lan@x.vn"}})
    assert keys(found) == ["user_id:u", "email:lan@x.vn"]


def test_properties_give_nothing_unless_the_event_is_listed() -> None:
    """Inviting a friend by e-mail merges nobody (sequence 18)."""
    invite: dict[str, Any] = {"name": "Invite Sent", "user_id": "u", "properties": {"email": "friend@x.vn"}}
    assert keys(evidence(**invite)) == ["user_id:u"]
    lead = rules_from({"property_events": ["Lead Submitted"]})
    assert keys(evidence(rules=lead, **invite)) == ["user_id:u"]
    assert keys(evidence(rules=lead, **{**invite, "name": "Lead Submitted"})) == ["user_id:u", "email:friend@x.vn"]
    assert keys(evidence(rules=lead, type="page", **{**invite, "name": "Lead Submitted"})) == ["user_id:u"]


def test_traits_name_kinds_by_configuration() -> None:
    rules = rules_from({"trait_kinds": {"customer_no": "crm_id", "zalo": "social:zalo"}})
    found = evidence(SERVER, rules, type="identify", traits={"customer_no": 42, "zalo": "z", "email": "lan@x.vn"})
    assert keys(found) == ["crm_id@shop:42", "social:zalo:z"]


def test_spaces_belong_to_user_ids_and_kinds_of_priority_two_only() -> None:
    found = evidence(
        SERVER, user_id="1", anonymous_id="1", context={"externalIds": [{"type": "loyalty_id", "id": "1"}]}
    )
    assert keys(found) == ["user_id@shop:1", "loyalty_id@shop:1", "anonymous_id:1"]


def test_a_kind_that_is_switched_off_finds_nobody_not_even_through_a_user_id() -> None:
    rules = rules_from({"kinds": {"email": {"resolves": False}}})
    found = evidence(rules=rules, user_id="lan@x.vn", context={"traits": {"email": "hoa@x.vn"}})
    assert keys(found) == ["user_id:lan@x.vn"]


def test_a_shared_device_identifies_nobody() -> None:
    kiosk = SourceFacts("kiosk", shared_device=True)
    found = evidence(kiosk, anonymous_id="a", context={"device": {"id": "d"}, "traits": {"phone": "0901234567"}})
    assert keys(found) == ["phone:+84901234567"]
    assert found.dropped == (("anonymous_id", "shared_device"), ("device_id", "shared_device"))


def test_fingerprints_are_hints_and_not_counted_as_dropped() -> None:
    assert evidence(context={"externalIds": [{"type": "fingerprint", "id": "f"}]}) == ((), frozenset(), ())


def test_unusable_values_are_named_by_kind_and_reason_and_never_by_value() -> None:
    found = evidence(
        user_id="undefined",
        anonymous_id="a\x00",
        context={
            "traits": {"email": "nobody", "phone": "0123456789"},
            "externalIds": [
                {"type": "shoe_size", "id": "44"},
                {"type": 5, "id": "x"},
                {"type": "social: ", "id": "x"},
                {"type": "social:zalo", "id": "x" * 501},
            ],
        },
    )
    assert found.identifiers == ()
    assert found.dropped == (
        ("user_id", "blocked"),
        ("anonymous_id", "malformed"),
        ("email", "malformed"),
        ("phone", "blocked"),
        ("other", "unknown_kind"),
        ("other", "unknown_kind"),
        ("other", "unknown_kind"),
        ("social", "too_long"),
    )


def test_empty_text_and_null_are_no_attempt() -> None:
    context = {
        "traits": {"email": "", "phone": None},
        "device": {"id": ""},
        "externalIds": [{"type": "crm_id", "id": ""}],
    }
    assert evidence(user_id="", anonymous_id=None, context=context) == ((), frozenset(), ())


@pytest.mark.parametrize(
    "context",
    [
        {"traits": "x", "device": [], "externalIds": {}},
        {"traits": [], "device": "d", "externalIds": ["x", None, {"id": "1"}, {"type": "crm_id"}]},
        {"externalIds": [{"type": "crm_id", "id": "1", "collection": "accounts"}]},
        {"device": None},
    ],
)
def test_shapes_that_are_not_as_specified_give_nothing(context: dict[str, Any]) -> None:
    found = evidence(context=context)
    assert found.identifiers == ()
    assert set(found.dropped) <= {("other", "unknown_kind")}


def test_contacts_are_verified_by_authenticated_sources_only() -> None:
    traits = {"email": "Lan@x.vn", "email_verified": True, "phone": "0901234567", "phone_verified": "true"}
    by_server = evidence(SERVER, type="identify", user_id="u", traits=traits)
    assert by_server.verified == {Identifier("email", "lan@x.vn")}
    assert evidence(BROWSER, type="identify", user_id="u", traits=traits).verified == frozenset()
    both = {**traits, "phone_verified": True}
    assert len(evidence(SERVER, type="identify", traits=both).verified) == 2
    assert len(evidence(SERVER, type="track", context={"traits": both}).verified) == 2


def test_a_list_of_contacts_is_not_verified_by_one_word() -> None:
    traits = {"email": ["a@x.vn", "b@x.vn"], "email_verified": True}
    found = evidence(SERVER, type="identify", traits=traits)
    assert keys(found) == ["email:a@x.vn", "email:b@x.vn"]
    assert found.verified == frozenset()


def test_an_event_brings_a_bounded_number_of_identifiers() -> None:
    many = [{"type": "loyalty_id", "id": f"L{number:03}"} for number in range(150)]
    found = evidence(user_id="u", anonymous_id="a", context={"externalIds": many})
    assert len(found.identifiers) == MOST_PER_EVENT
    assert found.identifiers[0] == Identifier("user_id", "u")
    assert found.dropped.count(("loyalty_id", "too_many")) == 150 - (MOST_PER_EVENT - 1)
    assert ("anonymous_id", "too_many") in found.dropped
