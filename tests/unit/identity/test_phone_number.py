"""Phone numbers: E.164, whatever the way of writing."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.identity.phone_number import read_phone


@pytest.mark.parametrize(
    "written",
    [
        "0901234567",
        "+84901234567",
        "+84 901 234 567",
        "0084901234567",
        "00 84 901 234 567",
        "84901234567",
        "(+84) 901-234-567",
        "+84 (0)901 234 567",
        "0901.234.567",
        "090 123 45 67",
        " 0901-234-567 ",
        "０９０１２３４５６７",
        "＋８４ ９０１ ２３４ ５６７",
        "+84\u00a0901\u2011234\u2011567",
        "\u202a+84901234567\u202c",
    ],
)
def test_one_vietnamese_number(written: str) -> None:
    number = read_phone(written, "VN")
    assert number is not None
    assert number == ("+84901234567", "901234567", True)


@pytest.mark.parametrize(
    ("written", "region", "e164"),
    [
        ("+1 (202) 555-0123", "VN", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("0084 901 234 567", "US", "+84901234567"),
        ("(028) 3822-1234", "VN", "+842838221234"),
        ("0121 345 6789", "VN", "+841213456789"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("02 1234 5678", "IT", "+390212345678"),
    ],
)
def test_other_numbers(written: str, region: str, e164: str) -> None:
    number = read_phone(written, region)
    assert number is not None
    assert number.e164 == e164


@pytest.mark.parametrize(
    "text",
    [
        *("", "+", "abc", "12345", "113", "1-800-FLOWERS", "+84+90", "call 0901234567", "0" * 50, "9" * 20),
        *("0901234567 ext 5", "0901234567x5", "0901234567;ext=5", "0901234567 / 0912345678", "+999 123 456 789"),
    ],
)
def test_no_number(text: str) -> None:
    assert read_phone(text, "VN") is None


@pytest.mark.parametrize(("text", "mobile"), [("0901234567", True), ("02838221234", False), ("19001234", False)])
def test_mobile_numbers_are_known(text: str, mobile: bool) -> None:
    number = read_phone(text, "VN")
    assert number is not None
    assert number.mobile is mobile


@pytest.mark.parametrize("prefix", ["0", "+84", "0084"])
def test_the_quick_way_agrees_with_the_library(prefix: str) -> None:
    """One number of each prefix of three digits."""
    mobiles = 0
    for head in range(1000):
        national = f"{head:03d}234568"
        number = read_phone(prefix + national, "VN")
        parsed = phonenumbers.parse("+84" + national, "VN")
        mobile = phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) == 1
        mobiles += mobile
        assert (number is not None and number.mobile) is mobile
        if mobile:
            assert number == (f"+84{national}", national, True)
    assert mobiles > 300


WRITTEN = st.text(alphabet="0123456789+ ()-./", max_size=20)


@given(st.one_of(WRITTEN, st.text(max_size=20)), st.sampled_from(["VN", "US"]))
def test_reading_is_idempotent(text: str, region: str) -> None:
    number = read_phone(text, region)
    if number is not None:
        again = read_phone(number.e164, region)
        assert again is not None
        assert again.e164 == number.e164


@given(st.from_regex(r"[35789][0-9]{8}", fullmatch=True), st.data())
def test_spellings_of_a_number_are_equal(national: str, data: st.DataObject) -> None:
    spellings = ["0{}", "+84{}", "0084{}", "+84 (0){}", "(+84) {}", "+84 0{}"]
    first, second = (data.draw(st.sampled_from(spellings)).format(national) for _ in range(2))
    one, other = read_phone(first, "VN"), read_phone(second, "VN")
    assert one is not None
    assert other is not None
    assert one.e164 == other.e164 == f"+84{national}"
