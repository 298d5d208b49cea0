"""JSON from strangers: what is kept can be stored, encoded and compared anywhere."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.contracts.wire.json_values import DEEPEST, NotJson, TooDeep, read_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        (b'"\\u0000"', "\ufffd"),
        (b'{"a\\u0000": "b\\u0000c"}', {"a\ufffd": "b\ufffdc"}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\ud800"', "\ufffd"),
        (b'["\\udc00x", "\\ud800\\u0041"]', ["\ufffdx", "\ufffdA"]),
        (b'{"\\ud800": 1}', {"\ufffd": 1}),
        (b"9223372036854775807", 9223372036854775807),
        (b"-9223372036854775808", -9223372036854775808),
        (b"9223372036854775808", 9.223372036854775808e18),
        (b'{"n": 123456789012345678901234567890}', {"n": 1.2345678901234568e29}),
        (b"1e999", None),
        (b"9" * 400, None),
        (b"[" + b"9" * 5000 + b"]", [None]),
        (b'"4111111111111111111"', "4111111111111111111"),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_values(text: bytes, value: Any) -> None:
    assert read_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" ", b"{", b"nul", b'{"a":}', b"NaN", b"[Infinity]", b'{"n": -Infinity}'),
        *(b'"\xff"', b'"\xed\xa0\x80"', b'"\x01"', b"\xef\xbb\xbf{}"),
    ],
)
def test_not_json(text: bytes) -> None:
    with pytest.raises(NotJson):
        read_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
        b"[" * 16_000 + b"]" * 16_000,
        b"[" * 16_000 + b'"\\ud800"' + b"]" * 16_000,
    ],
)
def test_nesting_is_bounded(text: bytes) -> None:
    with pytest.raises(TooDeep):
        read_json(text)


def test_deep_and_wide_are_different_things() -> None:
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST)
    wide = b"[" + b",".join([b'{"a": []}'] * 1000) + b"]"
    assert len(read_json(wide)) == 1000


KEEPABLE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=20,
)
ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=8)


@given(KEEPABLE)
def test_what_can_be_kept_is_kept(value: Any) -> None:
    read = read_json(json.dumps(value).encode())
    if "\\u0000" not in json.dumps(value) and all(abs(n) < 1 << 63 for n in _integers(value)):
        assert read == value


@given(st.one_of(KEEPABLE, st.dictionaries(ANY_TEXT, ANY_TEXT), st.lists(ANY_TEXT)))
def test_what_is_read_can_be_encoded_and_read_again(value: Any) -> None:
    read = read_json(json.dumps(value).encode())
    encoded = msgspec.json.encode(read)
    assert b"\\u0000" not in encoded
    assert read_json(encoded) == read


def _integers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [found for part in value.values() for found in _integers(part)]
    if isinstance(value, list):
        return [found for part in value for found in _integers(part)]
    return [value] if isinstance(value, int) else []
