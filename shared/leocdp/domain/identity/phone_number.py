"""One spelling per phone number: E.164, read with Google's metadata (the ``phonenumbers`` library)."""

from __future__ import annotations

from re import compile
from typing import Final, NamedTuple
from unicodedata import normalize

from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    number_type,
    parse,
)
from phonenumbers import PhoneNumber as Parsed

_LONGEST: Final = 40
_MOBILE: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_PLAIN: Final = compile(r"\(?\+?[0-9 ().\-/]+")
_INVISIBLE: Final = compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_HYPHENS: Final = compile("[\u2010-\u2015\u2212]")
_VIETNAMESE: Final = compile(
    r"(?:0|\+84|0084)((?:3[2-9]|5[689]|7[06-9]|8[1-8]|9[0-8])[0-9]{7}|(?:89[6-9]|99[013-9])[0-9]{6})"
)
"""Mobile numbers of the default region, read without the library: 1 µs instead of 44 (the tests compare the two)."""


class PhoneNumber(NamedTuple):
    e164: str
    national: str
    """The number without its country code and trunk prefix."""
    mobile: bool
    """A valid number that belongs to a mobile phone, as far as the numbering plan tells."""


def read_phone(text: str, region: str) -> PhoneNumber | None:
    """Read a number the way people of ``region`` write it, or with a country code (``+84…``, ``0084…``).

    None for what cannot be a number, and for a number with an extension, which is not one person's. Numbers need to be
    *possible* (their length fits the country), not *valid*: numbering plans change faster than libraries and databases.
    """
    digits = _plain(text)
    if digits is None:
        return None
    known = _VIETNAMESE.fullmatch(digits) if region == "VN" else None
    if known:
        return PhoneNumber(f"+84{known[1]}", known[1], True)
    try:
        number = parse(digits, region)
    except NumberParseException:
        return None
    if is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return PhoneNumber(format_number(number, PhoneNumberFormat.E164), _national(number), _is_mobile(number))


def _plain(text: str) -> str | None:
    """Digits and a leading plus: full-width digits folded, marks and punctuation removed; None when more is in it."""
    text = text.strip()
    if not text.isascii():
        text = _HYPHENS.sub("-", _INVISIBLE.sub("", normalize("NFKC", text))).strip()
    if len(text) > _LONGEST or not _PLAIN.fullmatch(text):
        return None
    plus = "+" if text.startswith(("+", "(+")) else ""
    digits = "".join(filter(str.isdigit, text))
    if not plus and digits.startswith("00"):
        # The international prefix of most of the world, also where the default region has another one.
        plus, digits = "+", digits[2:]
    return plus + digits


def _national(number: Parsed) -> str:
    zeros = "0" * (number.number_of_leading_zeros or 1) if number.italian_leading_zero else ""
    return f"{zeros}{number.national_number}"


def _is_mobile(number: Parsed) -> bool:
    return is_valid_number(number) and number_type(number) in _MOBILE
