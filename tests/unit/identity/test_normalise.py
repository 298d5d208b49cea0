"""Values to identifiers: blocked values, one spelling, and references of the API read the same way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.identity.identifiers import Identifier, parse_key
from leocdp.domain.identity.normalise import Reading, UnusableIdentifier, normalise_ref, read_value
from leocdp.domain.identity.rules import IdentityRules, default_rules, rules_from

RULES = default_rules()
KINDS = ("user_id", "crm_id", "loyalty_id", "email", "phone", "social:zalo", "device_id", "anonymous_id")


def read(kind: str, value: Any, space: str = "", rules: IdentityRules = RULES) -> Reading:
    return read_value(kind, rules.kind(kind), value, space, rules)


PLACEHOLDERS = (
    *("null", "none", "undefined", "nil", "nan", "true", "false", "0", "-1", "id", "email", "guest", "anonymous"),
    *("unknown", "test", "void", "not_authenticated", "distinct_id", "[object Object]"),
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_placeholders_are_blocked_in_any_quotes_and_case(kind: str, value: str) -> None:
    for spelling in (value, value.upper(), value.title(), f"'{value}'", f'"{value}"', f" {value} ", f"“{value}”"):
        assert read(kind, spelling) == ((), "blocked"), spelling


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value", [" ", "\t", '""', "''", "0", "000", "0-0", "00000000-0000-0000-0000-000000000000", "{0000-0000}"]
)
def test_blank_and_all_zero_values_are_blocked(kind: str, value: str) -> None:
    assert read(kind, value).identifiers == ()


@pytest.mark.parametrize(
    "address",
    [
        *("no-reply@x.vn", "noreply@x.vn", "NoReply@x.vn", "no_reply@x.vn", "no.reply@x.vn", "donotreply@x.vn"),
        *("do-not-reply@x.vn", "noreply+123@x.vn", "test@x.vn", "Test@X.vn", "abc@abc.com", "ABC@abc.com.vn", "x@x.vn"),
    ],
)
@pytest.mark.parametrize("kind", ["email", "user_id"])
def test_addresses_that_reach_nobody_are_blocked(kind: str, address: str) -> None:
    assert read(kind, address) == ((), "blocked")


@pytest.mark.parametrize("address", ["reply@x.vn", "noreplyman@x.vn", "tester@x.vn", "abc@abcd.com", "a@mail.a.vn"])
def test_addresses_like_those_are_not(address: str) -> None:
    assert read("email", address) == ((Identifier("email", address),), None)


@pytest.mark.parametrize(
    "number",
    [
        "0999999999",
        "+84 999 999 999",
        "0123456789",
        "0987654321",
        "1234567890",
        "0901111111",
        "0977777777",
        "+11111111111",
    ],
)
def test_numbers_that_are_typed_and_not_owned_are_blocked(number: str) -> None:
    assert read("phone", number) == ((), "blocked")


@pytest.mark.parametrize("number", ["0901234567", "0912345678", "0901111112", "0900000001"])
def test_numbers_like_those_are_not(number: str) -> None:
    assert read("phone", number).identifiers == (Identifier("phone", f"+84{number[1:]}"),)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("user_id", "u\x00", "malformed"),
        ("user_id", "u\n1", "malformed"),
        ("anonymous_id", "a\ud800", "malformed"),
        ("device_id", "a\ufffd", "malformed"),
        ("email", "l\x00n@x.vn", "malformed"),
        ("email", "lan", "malformed"),
        ("phone", "lan", "malformed"),
        ("crm_id", "x" * 501, "too_long"),
        ("email", "x" * 501, "too_long"),
        ("user_id", {}, "malformed"),
        ("user_id", ["u"], "malformed"),
        ("user_id", None, "malformed"),
        ("user_id", True, "blocked"),
        ("user_id", 0, "blocked"),
        ("user_id", -1, "blocked"),
        ("user_id", float("nan"), "malformed"),
        ("user_id", 10**50, "malformed"),
    ],
)
def test_values_that_are_no_identifier(kind: str, value: Any, reason: str) -> None:
    assert read(kind, value) == ((), reason)


@pytest.mark.parametrize(
    ("kind", "value", "space", "expected"),
    [
        ("user_id", " u-1 ", "shop", ["user_id@shop:u-1"]),
        ("user_id", 12, "", ["user_id:12"]),
        ("user_id", 12.0, "default", ["user_id:12"]),
        ("user_id", 1.5, "", []),
        ("user_id", "U-1", "", ["user_id:U-1"]),
        ("user_id", "Lan@X.vn", "shop", ["user_id@shop:lan@x.vn", "email:lan@x.vn"]),
        ("user_id", "LAN＠X.vn", "", ["user_id:lan@x.vn", "email:lan@x.vn"]),
        ("user_id", "0901 234 567", "", ["user_id:+84901234567", "phone:+84901234567"]),
        ("user_id", "+84901234567", "", ["user_id:+84901234567", "phone:+84901234567"]),
        ("user_id", "0084901234567", "", ["user_id:+84901234567", "phone:+84901234567"]),
        ("user_id", "84901234567", "", ["user_id:84901234567"]),
        ("user_id", "901234567", "", ["user_id:901234567"]),
        ("user_id", "02838221234", "", ["user_id:02838221234"]),
        ("user_id", "0042", "", ["user_id:0042"]),
        ("user_id", "lan@shop", "", ["user_id:lan@shop"]),
        ("user_id", "Nguyễn", "", ["user_id:Nguyễn"]),
        ("crm_id", " C 1 ", "shop", ["crm_id@shop:C 1"]),
        ("email", "Lan@X.vn", "shop", ["email:lan@x.vn"]),
        ("phone", "090 123 4567", "shop", ["phone:+84901234567"]),
        ("phone", 84901234567, "", ["phone:+84901234567"]),
        ("anonymous_id", " A-1 ", "shop", ["anonymous_id: A-1 "]),
        ("social:zalo", " 77 ", "shop", ["social:zalo:77"]),
    ],
)
def test_values_to_identifiers(kind: str, value: Any, space: str, expected: list[str]) -> None:
    if not expected:
        assert read(kind, value, space).reason == "malformed"
    else:
        assert [found.key for found in read(kind, value, space).identifiers] == expected


def test_blocked_values_patterns_and_checks_are_configuration() -> None:
    rules = rules_from(
        {
            "blocked_values": ["nobody"],
            "blocked_patterns": [{"pattern": "*@example.com", "kind": "email"}, {"pattern": "qa-??"}],
            "blocked_checks": ["all_zero"],
        }
    )
    assert read("user_id", "NOBODY", rules=rules).reason == "blocked"
    assert read("user_id", "null", rules=rules).reason is None
    assert read("email", "Lan@Example.com", rules=rules).reason == "blocked"
    assert read("crm_id", "lan@example.com", rules=rules).reason is None
    for kind in ("user_id", "anonymous_id", "social:zalo"):
        assert read(kind, "QA-01", rules=rules).reason == "blocked"
    assert read("user_id", "qa-1", rules=rules).reason is None
    assert read("user_id", "000", rules=rules).reason == "blocked"
    assert read("phone", "0123456789", rules=rules).reason is None
    assert read("email", "test@test.vn", rules=rules).reason is None


def test_the_region_of_numbers_is_configuration() -> None:
    american = rules_from({"phone_region": "US"})
    assert read("phone", "(202) 555-0123", rules=american).identifiers == (Identifier("phone", "+12025550123"),)
    assert read("phone", "(202) 555-0123").identifiers != (Identifier("phone", "+12025550123"),)


def test_new_kinds_have_the_form_they_were_given() -> None:
    rules = rules_from(
        {"kinds": {"work_mail": {"priority": 3, "form": "email"}, "seat": {"priority": 2, "spaced": True}}}
    )
    assert read("work_mail", "Lan@X.vn", rules=rules).identifiers == (Identifier("work_mail", "lan@x.vn"),)
    assert read("seat", " 4 ", "shop", rules).identifiers == (Identifier("seat", "4", "shop"),)


@pytest.mark.parametrize(
    ("kind", "value", "space", "key"),
    [
        ("email", "A@X1.vn", "", "email:a@x1.vn"),
        ("phone", "0901234567", "", "phone:+84901234567"),
        ("user_id", "u-1", "shop", "user_id@shop:u-1"),
        ("user_id", "u-1", "default", "user_id:u-1"),
        ("user_id", "Lan@x.vn", "", "user_id:lan@x.vn"),
        ("anonymous_id", "a:b", "", "anonymous_id:a:b"),
        ("social:Zalo", "77", "", "social:zalo:77"),
        ("fingerprint", "f1", "", "fingerprint:f1"),
    ],
)
def test_references_are_read_the_way_events_are(kind: str, value: str, space: str, key: str) -> None:
    found = normalise_ref(kind, value, space, RULES)
    assert found.key == key
    assert parse_key(key) == found


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("shoe_size", "44", "unknown_kind"),
        ("social", "44", "unknown_kind"),
        ("social:", "44", "unknown_kind"),
        ("social:a b", "44", "unknown_kind"),
        ("prf_1", "x", "unknown_kind"),
        ("email", "lan", "malformed"),
        ("user_id", "undefined", "blocked"),
        ("user_id", "", "blocked"),
        ("user_id", "x" * 501, "too_long"),
    ],
)
def test_references_that_can_mean_nobody_say_why(kind: str, value: str, reason: str) -> None:
    with pytest.raises(UnusableIdentifier) as caught:
        normalise_ref(kind, value, "", RULES)
    assert caught.value.reason == reason
    assert "undefined" not in str(caught.value)


VALUES = st.one_of(st.text(max_size=40), st.emails(), st.from_regex(r"[+0-9 ()-]{6,16}", fullmatch=True), st.integers())


@given(st.sampled_from(KINDS), VALUES, st.sampled_from(["", "shop"]))
def test_normalising_is_idempotent_and_keys_round_trip(kind: str, value: Any, space: str) -> None:
    reading = read(kind, value, space)
    assert bool(reading.identifiers) is (reading.reason is None)
    for found in reading.identifiers:
        again = read(found.kind, found.value, found.space)
        assert found in again.identifiers
        assert parse_key(found.key) == found
        found.key.encode("utf-8")


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.binary(), st.text(), st.lists(st.text())))
def test_no_value_breaks_the_reader(value: Any) -> None:
    for kind in KINDS:
        reading = read(kind, value)
        assert reading.reason in (None, "blocked", "malformed", "too_long")
