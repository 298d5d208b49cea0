"""Whether a payload speaks of a person: for items that never became events, which nobody could give to a person.

A payload is JSON as it was sent, or text that is not even that. Identifiers are looked for in any spelling that events
would be read in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from re import compile
from typing import Any, Final

from leocdp.domain.identity.identifiers import parse_key

_SHORTEST: Final = 6
"""Shorter values stand in too many places to say anything, but where an id is expected."""
_TAIL: Final = 9
"""Digits of a phone number that are the same however the country is written."""
_ID_FIELDS: Final = frozenset(
    {"userid", "anonymousid", "previousid", "id", "visid", "profileid", "customerid", "deviceid", "token"}
)
_PHONE_LIKE: Final = compile(r"\+?\d[\d .()/-]{7,20}\d")
_FIELD: Final = compile(r'"(\w{1,40})"\s*:\s*"?([^"\s,}]{1,600})')
_WORD: Final = compile(r"[^\s\"'<>,;{}\[\]]+")


class Mentions:
    """``Mentions(keys)(payload)``: does the payload hold one of the identifiers (by key)?"""

    def __init__(self, keys: Iterable[str]) -> None:
        self._values: set[str] = set()
        self._tails: set[str] = set()
        for identifier in map(parse_key, keys):
            value = identifier.value.strip().casefold()
            self._values.add(value)
            if identifier.kind == "phone" or value.startswith("+"):
                digits = _digits(value)
                if len(digits) >= _TAIL:
                    self._tails.add(digits[-_TAIL:])

    def __call__(self, payload: str) -> bool:
        if not self._may_hold(payload):
            return False
        try:
            parsed = json.loads(payload)
        except (ValueError, RecursionError):
            return any(self._holds(text, field) for field, text in _pieces(payload))
        return any(self._holds(text, field) for field, text in _texts(parsed))

    def _may_hold(self, payload: str) -> bool:
        """Cheap, and never wrong when it says no: most payloads need not be taken apart."""
        if "\\u" in payload:
            return bool(self._values)
        folded = payload.casefold()
        if any(value in folded for value in self._values):
            return True
        return bool(self._tails) and any(self._is_number(found.group()) for found in _PHONE_LIKE.finditer(payload))

    def _holds(self, text: str, field: str) -> bool:
        value = text.strip().casefold()
        if value in self._values:
            return len(value) >= _SHORTEST or _plain(field) in _ID_FIELDS
        return bool(self._tails) and _PHONE_LIKE.fullmatch(value) is not None and self._is_number(value)

    def _is_number(self, text: str) -> bool:
        return _digits(text)[-_TAIL:] in self._tails


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """(name of the field, text) of every text and number, whatever the depth."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        field, part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend((str(name), inner) for name, inner in part.items())
        elif isinstance(part, list):
            waiting.extend((field, inner) for inner in part)
        elif isinstance(part, str) or (isinstance(part, int) and not isinstance(part, bool)):
            yield field, str(part)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """The same for what is no JSON, though it may have begun as that."""
    for found in _FIELD.finditer(text):
        yield found[1], found[2]
    for pattern in (_WORD, _PHONE_LIKE):
        yield from (("", found.group()) for found in pattern.finditer(text))


def _plain(field: str) -> str:
    return field.replace("_", "").replace("-", "").casefold()


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
