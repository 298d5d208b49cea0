"""What lists show of people: names, status, identifiers, folded text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.profiles.listing import (
    display_name,
    fold,
    identifying,
    is_contact,
    labels_of,
    listed_identifiers,
    status_of,
)
from leocdp.domain.profiles.state import IdentifierCell, Register, State


def traits(**values: Any) -> dict[str, Register]:
    return {name: Register(value, 1, "m") for name, value in values.items()}


def known(*keys: str, state: str = "active") -> dict[str, IdentifierCell]:
    return {key: IdentifierCell(1, 1, "src", "m", state) for key in keys}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Nguyễn  Văn Đức", "nguyen van duc"),
        (" LAN\tANH\n", "lan anh"),
        ("đĐ", "dd"),
        ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
        ("Straße", "strasse"),
        ("a\x00b\x7fc", "a b c"),
        ("ﬁn", "fin"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folded_text_has_no_controls_and_single_spaces(text: str) -> None:
    folded = fold(text)
    assert "\x00" not in folded
    assert folded == " ".join(folded.split())


@pytest.mark.parametrize(
    ("given_traits", "name"),
    [
        ({"name": "Lan"}, "Lan"),
        ({"name": " Lan \n Anh "}, "Lan Anh"),
        ({"name": None, "first_name": "Lan", "last_name": "Trần"}, "Lan Trần"),
        ({"firstName": "Lan"}, "Lan"),
        ({"lastName": "Trần"}, "Trần"),
        ({"name": "", "fullName": "Trần Lan"}, "Trần Lan"),
        ({"name": {"first": "Lan"}}, ""),
        ({"name": 7}, ""),
        ({"plan": "pro"}, ""),
        ({"name": "x" * 500}, "x" * 200),
    ],
)
def test_the_name_of_a_person(given_traits: dict[str, Any], name: str) -> None:
    assert display_name(traits(**given_traits)) == name


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("user_id:u", True),
        ("user_id@shop:u", True),
        ("crm_id:c", True),
        ("email:a@x.vn", True),
        ("phone:+84901234567", True),
        ("social:zalo:z", True),
        ("device_id:d", False),
        ("push_token:t", False),
        ("anonymous_id:a", False),
        ("fingerprint:f", False),
        ("no_such_kind:x", False),
    ],
)
def test_kinds_of_priority_1_to_5_identify(key: str, expected: bool) -> None:
    assert identifying(key) is expected
    assert status_of(State(identifiers=known(key))) == ("identified" if expected else "anonymous")


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        (Identifier("email", "a@x.vn"), True),
        (Identifier("phone", "+84901234567"), True),
        (Identifier("user_id", "a@x.vn", "shop"), True),
        (Identifier("user_id", "+84901234567"), True),
        (Identifier("crm_id", "0901234567"), True),
        (Identifier("user_id", "u-1"), False),
        (Identifier("crm_id", "12345678901"), False),
        (Identifier("anonymous_id", "0f9a-1"), False),
    ],
)
def test_contacts_are_recognised_in_ids_too(identifier: Identifier, expected: bool) -> None:
    assert is_contact(identifier) is expected


def test_listed_identifiers_are_six_at_most_stronger_and_active_ones_first() -> None:
    state = State(identifiers=known(*(f"loyalty_id:{n}" for n in range(4)), "email:a@x.vn", "phone:+84901234567"))
    state.identifiers.update(known("user_id:old", state="former"))
    state.identifiers.update(known("anonymous_id:a", "user_id:new"))
    assert [identifier.key for identifier in listed_identifiers(state)] == [
        "user_id:new",
        *(f"loyalty_id:{n}" for n in range(4)),
        "email:a@x.vn",
    ]


def test_labels_that_were_taken_off_are_not_listed() -> None:
    state = State(labels={"b": Register(True, 1, "m"), "a": Register(True, 1, "m"), "gone": Register(None, 2, "m")})
    assert labels_of(state) == ("a", "b")
