"""Local days, dates as text, and when something that depends on the time is true.

A local day is what lies between two midnights, and a midnight is the first instant that the clocks of a place show the
date: one that daylight saving skips is the first instant after the gap, of one that comes twice it is the first. Full
times without an offset are of the workspace's zone too. All instants are ms UTC. Nothing here raises.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from re import compile
from typing import Final, Literal

from leocdp.domain.segments.answers import Interval
from leocdp.domain.segments.nodes import Moment

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FIRST_DAY: Final = 3
"""Days are clamped two away from the ends of the calendar, so that no offset leads out of it."""
_LAST_DAY: Final = date.max.toordinal() - 2
_ISO: Final = compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?[0-5]\d)?)?)?", 256
)
"""ISO 8601 in its extended form: a day, or a full time with or without an offset. (256 is ``re.ASCII``.)"""
_YEARS_AHEAD: Final = 9
"""29 February comes after at most eight years, and a gap between anniversaries of 366 days with it."""


def midnight(day: date, zone: tzinfo) -> int:
    return midnight_of(day.toordinal(), zone)


@lru_cache(maxsize=8192)
def midnight_of(ordinal: int, zone: tzinfo) -> int:
    """The first instant of a local day, which is numbered as ``date.toordinal`` does."""
    if not _FIRST_DAY <= ordinal <= _LAST_DAY:
        return (ordinal - _EPOCH_DAY) * DAY_MS
    shown = datetime.combine(date.fromordinal(ordinal), time(), zone)
    first = _instant(shown)
    if _shown(first, zone) == shown.replace(tzinfo=None):
        return first
    return _end_of_gap(_instant(shown.replace(fold=1)), first, zone)


def day_of(at: int, zone: tzinfo) -> int:
    """The ordinal of the local day that an instant is in."""
    if not (_FIRST_DAY - _EPOCH_DAY) * DAY_MS <= at < (_LAST_DAY - _EPOCH_DAY) * DAY_MS:
        return at // DAY_MS + _EPOCH_DAY
    ordinal = _shown(at, zone).toordinal()
    # Where clocks go back over midnight, the old date is shown once more: the new day has begun nevertheless.
    while midnight_of(ordinal + 1, zone) <= at:
        ordinal += 1
    return ordinal


def period_of(at: int, unit: Literal["days", "weeks"], zone: tzinfo) -> int:
    """The number of a local day or week; weeks begin on Monday."""
    ordinal = day_of(at, zone)
    return ordinal if unit == "days" else (ordinal - 1) // 7


def period_start(number: int, unit: Literal["days", "weeks"], zone: tzinfo) -> int:
    # Ordinal 1, the first of January of year 1, is a Monday.
    return midnight_of(number if unit == "days" else number * 7 + 1, zone)


def start_of(moment: Moment, zone: tzinfo) -> int:
    """A plain day begins at its midnight."""
    return midnight(moment, zone) if isinstance(moment, date) else moment


def end_of(moment: Moment, zone: tzinfo) -> int:
    """A plain day ends where the next one begins; an instant is where it is."""
    return midnight_of(moment.toordinal() + 1, zone) if isinstance(moment, date) else moment


def bounds_of(between: tuple[Moment, Moment], zone: tzinfo) -> tuple[int, int]:
    """Half-open; the day that is named second belongs to it."""
    return start_of(between[0], zone), end_of(between[1], zone)


def moment_of(text: object, zone: tzinfo) -> Moment | None:
    """The day or the instant that a text names, None when it is no date of ISO 8601."""
    match = _ISO.fullmatch(text) if isinstance(text, str) and len(text) <= 40 else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        if hour is None:
            return date(int(year), int(month), int(day))
        micros = int((fraction or "0").ljust(6, "0")[:6])
        clock = time(int(hour), int(minute), int(second or 0), micros, zone)
        return _instant(datetime.combine(date(int(year), int(month), int(day)), clock), offset)
    except ValueError:
        return None


def instant_of(text: object, zone: tzinfo) -> int | None:
    """As ``moment_of``, a plain day being its first instant."""
    moment = moment_of(text, zone)
    return None if moment is None else start_of(moment, zone)


# When a date makes a test true, as intervals of the time at which it is asked


def within_last(at: int, window: int) -> Interval:
    return at, at + window


def within_next(at: int, window: int) -> Interval:
    """The date is ahead, and at most ``window`` away: date − window ≤ now < date."""
    return at - window, at


def older_than(at: int, window: int) -> Interval:
    return at + window, None


def anniversaries(moment: Moment, window: int, now: int, zone: tzinfo) -> list[Interval]:
    """Days on which the day and month of a date are today or within the next ``window`` (whole days)."""
    ahead = window // DAY_MS
    if ahead >= 365:
        return [(None, None)]
    born = moment if isinstance(moment, date) else date.fromordinal(_clamped(day_of(moment, zone)))
    year = date.fromordinal(_clamped(day_of(now, zone))).year
    days = (_in_year(born, one) for one in range(year - 1, year + _YEARS_AHEAD))
    return [(midnight_of(day - ahead, zone), midnight_of(day + 1, zone)) for day in days]


def _in_year(born: date, year: int) -> int:
    year = min(max(year, 1), 9999)
    if (born.month, born.day) == (2, 29) and not _is_leap(year):
        return date(year, 2, 28).toordinal()
    return born.replace(year=year).toordinal()


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _clamped(ordinal: int) -> int:
    return min(max(ordinal, _FIRST_DAY), _LAST_DAY)


def _shown(at: int, zone: tzinfo) -> datetime:
    """What clocks of the zone show."""
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone).replace(tzinfo=None, fold=0)


def _instant(shown: datetime, offset: str | None = None) -> int:
    """ms; of a time with an offset of its own (``Z``, ``+07:00``, ``+0700``, ``+07``) by that, else by its zone."""
    if offset is None:
        return (shown - _EPOCH) // _MS
    utc = (shown.replace(tzinfo=UTC) - _EPOCH) // _MS
    if offset == "Z":
        return utc
    digits = offset[1:].replace(":", "").ljust(4, "0")
    away = int(digits[:2]) * HOUR_MS + int(digits[2:]) * MINUTE_MS
    return utc + away if offset[0] == "-" else utc - away


def _end_of_gap(before: int, after: int, zone: tzinfo) -> int:
    """The first instant with the offset of ``after``: where the clocks were put forward."""
    offset = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == offset:
            after = middle
        else:
            before = middle
    return after


def _offset(at: int, zone: tzinfo) -> timedelta | None:
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone).utcoffset()
