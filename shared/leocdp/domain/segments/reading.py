"""Reads values out of the JSON of a definition, notes what is wrong with its path, and goes on, so that all is seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from math import isfinite
from re import compile
from typing import Any, Final

from leocdp.domain.errors import Problem
from leocdp.domain.segments.limits import (
    LARGEST_NUMBER,
    LONGEST_NAME,
    LONGEST_TEXT,
    LONGEST_WINDOW_MS,
    MOST_LISTED,
    MOST_LISTED_IN_ALL,
    MOST_NODES,
    MOST_PATH_PARTS,
    YEARS,
)
from leocdp.domain.segments.nodes import Moment, Path, Scalar

UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION: Final = compile(r"([0-9]{1,9})([mhdw])")
_DAY: Final = compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|z|[+-][0-9]{2}:?[0-9]{2})"
)
MOST_PROBLEMS: Final = 100
"""That are told of one definition."""
_SHOWN: Final = 50
"""Characters of what was sent that a message or path repeats."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNFIT: Final = compile("[\x00\ud800-\udfff]")
"""What cannot be stored or bound everywhere: NUL and halves of surrogate pairs."""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names that there are at present; a definition that asks for others would silently hold of nobody.

    None: not checked, as for a definition that was saved when there were others.
    """

    scores: Collection[str] | None = None
    stages: Collection[str] | None = None
    kinds: Collection[str] | None = None
    """Of identifiers."""


class Reader:
    """What it returns after noting a problem is a stand-in that nobody uses: a definition with problems is refused."""

    def __init__(self, known: KnownNames | None = None) -> None:
        self.problems: list[Problem] = []
        self.names = known or KnownNames()
        self._nodes = 0
        self._listed = 0

    def note(self, path: str, problem: str) -> None:
        if not self.full:
            self.problems.append(Problem(path, problem))

    @property
    def full(self) -> bool:
        """Nobody reads more; looking on for what a name may have meant would only cost time."""
        return len(self.problems) >= MOST_PROBLEMS

    # Structure

    def node(self, path: str) -> bool:
        """Counts a condition; False when there are too many, which is said once."""
        self._nodes += 1
        if self._nodes == MOST_NODES + 1:
            self.note(path, f"is one too many: a definition has at most {MOST_NODES} conditions in all")
        return self._nodes <= MOST_NODES

    def mapping(self, value: object, path: str) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self.note(path, f"must be an object, not {kind_of(value)}")
        return {}

    def known(self, data: Mapping[str, Any], path: str, names: Collection[str]) -> None:
        """Notes every field that is not one of ``names``."""
        for name in data:
            if self.full:
                return
            if name not in names:
                self.note(f"{path}.{str(name)[:_SHOWN]}".lstrip("."), f"is not known here{hint(name, names)}")

    def choice(self, value: object, path: str, choices: Iterable[str]) -> str:
        known = tuple(choices)
        if isinstance(value, str) and value in known:
            return value
        given = f"“{value[:_SHOWN]}” is not known" if isinstance(value, str) else _no_text(value)
        self.note(path, f"{given}{hint(value, known)}")
        return known[0]

    def items(self, value: object, path: str, *, least: int = 1, most: int = MOST_LISTED) -> list[Any]:
        if not isinstance(value, list | tuple):
            self.note(path, f"must be a list, not {kind_of(value)}")
            return []
        if len(value) < least:
            self.note(path, "must not be empty" if least == 1 else f"must have at least {least} entries")
            return []
        if len(value) > most:
            more = "; import a list and ask for its members instead" if most == MOST_LISTED else ""
            self.note(path, f"has {len(value)} entries and may have at most {most}{more}")
            return []
        return list(value)

    def listed(self, value: object, path: str) -> list[Any]:
        """Literals: their number is limited over the whole definition, too."""
        found = self.items(value, path)
        before, self._listed = self._listed, self._listed + len(found)
        if before <= MOST_LISTED_IN_ALL < self._listed:
            self.note(path, f"is too much: all lists together may have at most {MOST_LISTED_IN_ALL} entries")
        return found

    # Values

    def flag(self, value: object, path: str) -> bool:
        if not isinstance(value, bool):
            self.note(path, f"must be true or false, not {kind_of(value)}")
        return value is True

    def true(self, value: object, path: str) -> None:
        if value is not True:
            self.note(path, "must be true; leave it out, or put the condition inside “not”, for the opposite")

    def text(self, value: object, path: str, *, least: int = 1, most: int = LONGEST_TEXT) -> str:
        if not isinstance(value, str):
            self.note(path, _no_text(value))
            return ""
        if not least <= len(value) <= most:
            self.note(path, "must not be empty" if not value else f"is longer than {most} characters")
        elif _UNFIT.search(value):
            self.note(path, "contains a character that cannot be stored (NUL or half of a surrogate pair)")
        return value

    def name(self, value: object, path: str, *, most: int = LONGEST_NAME) -> str:
        found = self.text(value, path, most=most)
        if found and not found.strip():
            self.note(path, "must not be blank")
        return found

    def there(self, name: str, path: str, names: Collection[str] | None) -> str:
        """A name of something that has to exist; one that is no name has been noted already."""
        if name and names is not None and name not in names:
            self.note(path, f"there is no “{name[:_SHOWN]}”{hint(name, sorted(names))}")
        return name

    def dotted(self, value: object, path: str) -> Path:
        """The parts of a dotted path of a trait or property."""
        parts = tuple(self.name(value, path).split("."))
        if isinstance(value, str) and value.strip() and not all(parts):
            self.note(path, "has an empty part: names are joined with one dot, such as address.city")
        if len(parts) > MOST_PATH_PARTS:
            self.note(path, f"has {len(parts)} parts and may have at most {MOST_PATH_PARTS}")
        return parts

    def number(self, value: object, path: str) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.note(path, f"must be a number, not {kind_of(value)}")
        elif not abs(value) <= LARGEST_NUMBER:
            self.note(path, f"must be a number between −{LARGEST_NUMBER} and {LARGEST_NUMBER}")
        else:
            return int(value) if value == int(value) else value
        return 0

    def whole(self, value: object, path: str, low: int, high: int) -> int:
        if isinstance(value, float) and isfinite(value) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.note(path, f"must be a whole number from {low} to {high}")
            return low
        return value

    def scalar(self, value: object, path: str) -> Scalar:
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return self.number(value, path)
        if isinstance(value, str):
            return self.text(value, path, least=0)
        more = "; ask with “exists” or “missing”" if value is None else ""
        self.note(path, f"must be a text, a number, true or false, not {kind_of(value)}{more}")
        return ""

    # Time

    def window(self, value: object, path: str, *, days: bool = False, most: int = LONGEST_WINDOW_MS) -> int:
        """ms of a duration such as ``30d``; ``days``: whole days or weeks only."""
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        example = "“7d” (days) or “2w” (weeks)" if days else "“30d”: m are minutes, h hours, d days, w weeks"
        if found is None or (days and found[2] not in "dw"):
            self.note(path, f"must be a duration such as {example}")
            return UNITS["d"]
        duration = int(found[1]) * UNITS[found[2]]
        if duration == 0:
            self.note(path, "must be longer than 0")
        elif duration > most:
            self.note(path, f"is longer than {most // UNITS['d']} days")
        else:
            return duration
        return UNITS["d"]

    def day(self, value: object, path: str) -> date:
        found = self.moment(value, path)
        if isinstance(found, date):
            return found
        self.note(path, "must be a plain day such as 2026-01-31")
        return date(*(YEARS[0], 1, 1))

    def moment(self, value: object, path: str) -> Moment:
        """A plain day, or a full time as ms UTC."""
        found: date | None = None
        if not isinstance(value, str) or not (_DAY.fullmatch(value) or _TIME.fullmatch(value)):
            self.note(path, f"must be a date such as 2026-01-31 or 2026-01-31T09:00:00Z{_missing_offset(value)}")
            return date(YEARS[0], 1, 1)
        try:
            found = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value.upper())
        except ValueError:
            self.note(path, f"there is no such date: {value}")
            return date(YEARS[0], 1, 1)
        if not YEARS[0] <= found.year <= YEARS[1]:
            self.note(path, f"must be of a year from {YEARS[0]} to {YEARS[1]}")
        if isinstance(found, datetime):
            return (found - _EPOCH) // timedelta(milliseconds=1)
        return found


def kind_of(value: object) -> str:
    """The kind of a JSON value, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "an object" if isinstance(value, Mapping) else "a list"


def _no_text(value: object) -> str:
    return "is missing" if value is None else f"must be a text, not {kind_of(value)}"


def hint(name: object, known: Iterable[str]) -> str:
    """The closest of the names that are known, or all of them."""
    names = list(known)
    close = get_close_matches(name[:_SHOWN].casefold(), names, n=3, cutoff=0.6) if isinstance(name, str) else []
    if close:
        return f"; did you mean {_either(close)}?"
    return f"; known are {', '.join(names)}" if names else ""


def _either(names: list[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _missing_offset(value: object) -> str:
    with_time = isinstance(value, str) and _TIME.fullmatch(f"{value}Z") is not None
    return "; a time needs Z or an offset such as +07:00" if with_time else ""
