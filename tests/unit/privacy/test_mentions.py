"""Payloads that speak of a person, in any spelling."""

from __future__ import annotations

import pytest

from leocdp.domain.privacy.mentions import Mentions

LAN = Mentions(["user_id:7", "user_id:lan-2024", "email:lan@example.vn", "phone:+84901234567", "anonymous_id:a-b-c-d"])


@pytest.mark.parametrize(
    "payload",
    [
        '{"userId": "lan-2024"}',
        '{"userId": "7"}',
        '{"userId": 7}',
        '{"context": {"traits": {"email": " LAN@Example.vn "}}}',
        '{"traits": {"phone": "0901 234 567"}}',
        '{"traits": {"phone": "0084901234567"}}',
        '{"traits": {"phone": 84901234567}}',
        '{"batch": [{"anonymousId": "x"}, {"anonymousId": "a-b-c-d"}]}',
        '{"traits": {"email": "l\\u0061n@example.vn"}}',
        '{"userId": "lan-2024", ',
        '{"type": "track", "userId": "7", "broken',
        '{"userId": 7, "broken',
        "call +84 901.234.567 please",
        "mail <lan@example.vn>, soon",
    ],
)
def test_speaks_of_her(payload: str) -> None:
    assert LAN(payload)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{}",
        '{"quantity": 7, "price": "7"}',
        '{"userId": "77"}',
        '{"email": "lan@example.vn.other"}',
        '{"email": "not-lan@example.vn"}',
        '{"phone": "0901234568"}',
        '{"note": "write to lan@example.vnx"}',
        "7 items, broken {",
        '{"quantity": 7, "broken',
        "[" * 100_000,
        "mail <tran-lan@example.vn>, soon",
    ],
)
def test_speaks_of_somebody_else(payload: str) -> None:
    assert not LAN(payload)


def test_nobody_is_mentioned_nowhere() -> None:
    assert not Mentions([])('{"a": "\\u0061"}')
