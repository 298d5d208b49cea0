"""Tests of dates that are stored as text, after ``domain.segments.time_rules``.

Two forms are read in AQL: plain days, and instants in UTC with seconds or milliseconds; of both only days up to the
28th, which every month has. Of all other texts that begin like a date AQL knows the instant to within some days: that
is how far offsets reach. Nearer to a boundary than that, Python decides.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from leocdp.adapters.arango.segments.answers import NEVER, Answer, Names
from leocdp.domain.segments.nodes import Moment, ValueTest
from leocdp.domain.segments.subject import Setting
from leocdp.domain.segments.time_rules import DAY_MS, HOUR_MS, day_of, end_of, midnight_of, start_of

_DAY: Final = "^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
_INSTANT: Final = f"{_DAY}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{{3}})?Z$"
_LIKE_A_DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_EARLIER: Final = 100 * HOUR_MS
"""By how much an instant may lie before the UTC midnight of the day that is written: its offset has two digits."""
_LATER: Final = _EARLIER + DAY_MS
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_BLUR_DAYS: Final = 6
_YEAR: Final = 365

Range = tuple[int | None, int | None]
"""ms: from the first one on, before the second one."""


def date_test(test: ValueTest, value: str, names: Names, now: int, setting: Setting) -> Answer:
    if test.op == "anniversary":
        return _anniversary(test.window // DAY_MS, value, names, now, setting)
    wanted = _range(test, now, setting)
    return NEVER if wanted is None else _within(wanted, value, names, setting)


def _range(test: ValueTest, now: int, setting: Setting) -> Range | None:
    """The instants of which the test holds."""
    match test.op:
        case "within_last":
            return now - test.window + 1, now + 1
        case "within_next":
            return now + 1, now + test.window + 1
        case "older_than":
            return None, now - test.window + 1
    return None if test.moment is None else _range_of_moment(test.op, test.moment, setting)


def _range_of_moment(op: str, moment: Moment, setting: Setting) -> Range | None:
    zone = setting.zone
    match op:
        case "before":
            return None, start_of(moment, zone)
        case "after":
            return end_of(moment, zone) + isinstance(moment, int), None
        case "on_day":
            day = day_of(moment, zone) if isinstance(moment, int) else moment.toordinal()
            return midnight_of(day, zone), midnight_of(day + 1, zone)
    return None


def _within(wanted: Range, value: str, names: Names, setting: Setting) -> Answer:
    low, high = wanted
    days = (_first_day(low, setting), _first_day(high, setting))
    at = f"DATE_TIMESTAMP({value})"
    day = f"DATE_TIMESTAMP(LEFT({value}, 10))"
    instants, plain = _between(at, wanted, names), _between(at, days, names)
    near = (None if low is None else low - _LATER, None if high is None else high + _EARLIER)
    blurred = f"{day} == null OR ({_between(day, near, names)})"
    return _by_form(value, instants, plain, blurred, names)


def _by_form(value: str, instants: str, plain: str, others: str, names: Names) -> Answer:
    """``instants`` and ``plain`` are exact, ``others`` is what may be of the texts that AQL does not read."""
    is_instant = f"RIGHT({value}, 1) == {names.bind('Z')} AND REGEX_TEST({value}, {names.bind(_INSTANT)})"
    is_day = f"CHAR_LENGTH({value}) == {names.bind(10)} AND REGEX_TEST({value}, {names.bind(_DAY)})"
    is_like = f"REGEX_TEST({value}, {names.bind(_LIKE_A_DATE)})"
    known = f"({is_instant}) ? ({instants}) : ({is_day}) ? ({plain}) : "
    sure, may = f"{known}false", f"{known}({is_like}) AND ({others})"
    return Answer(f"IS_STRING({value}) AND ({sure})", f"IS_STRING({value}) AND ({may})")


def _first_day(bound: int | None, setting: Setting) -> int | None:
    """UTC midnight of the first day that begins at the bound or later, in the workspace's zone."""
    if bound is None:
        return None
    day = day_of(bound, setting.zone)
    return (day + (midnight_of(day, setting.zone) < bound) - _EPOCH_DAY) * DAY_MS


def _between(number: str, wanted: Range, names: Names) -> str:
    low, high = wanted
    texts = [] if low is None else [f"{number} >= {names.bind(low)}"]
    texts += [] if high is None else [f"{number} < {names.bind(high)}"]
    return " AND ".join(texts) or "true"


def _anniversary(ahead: int, value: str, names: Names, now: int, setting: Setting) -> Answer:
    if ahead >= _YEAR:
        return _by_form(value, "true", "true", "true", names)
    today = day_of(now, setting.zone)
    plain = f"SUBSTRING({value}, 5, 5) IN {names.bind(_month_days(today, today + ahead))}"
    near = _month_days(today - _BLUR_DAYS, today + ahead + _BLUR_DAYS)
    others = f"SUBSTRING({value}, 5, 5) IN {names.bind(near)}"
    # An instant may be of another local day than is written.
    is_day = f"CHAR_LENGTH({value}) == {names.bind(10)} AND REGEX_TEST({value}, {names.bind(_DAY)})"
    is_like = f"REGEX_TEST({value}, {names.bind(_LIKE_A_DATE)})"
    return Answer(
        f"IS_STRING({value}) AND ({is_day}) AND ({plain})",
        f"IS_STRING({value}) AND (({is_day}) ? ({plain}) : ({is_like}) AND ({others}))",
    )


def _month_days(first: int, last: int) -> list[str]:
    """``MM-DD`` of the days, numbered as ``date.toordinal`` does; 29 February with the 28th."""
    days = {
        date.fromordinal(min(max(day, 1), date.max.toordinal())).strftime("%m-%d")
        for day in range(first, min(last, first + 370) + 1)
    }
    return sorted(days | ({"02-29"} if "02-28" in days else set()))
