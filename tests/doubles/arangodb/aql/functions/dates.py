"""Functions of times. A time is a number of milliseconds UTC or an ISO 8601 string; without a zone it is UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.doubles.arangodb.aql.context import Context
from tests.doubles.arangodb.aql.functions.registry import function
from tests.doubles.arangodb.aql.values import text
from tests.doubles.arangodb.errors import Unknown

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?)?(Z|[+-]\d\d:?\d\d)?"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1_000, "millisecond": 1}
_SHORT: Final = {"d": "day", "h": "hour", "i": "minute", "s": "second", "f": "millisecond", "m": "month", "y": "year"}


def moment(ctx: Context, value: Any) -> int | None:
    """ms UTC; null, with warning 1542, for what is no time."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    found = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is not None:
        try:
            return _from_parts(found)
        except ValueError:
            found = None
    ctx.warn(1542, "date")
    return None


def _from_parts(found: re.Match[str]) -> int:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    time = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
    if zone and zone != "Z":
        away = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        time += away if zone[0] == "-" else -away
    return (time - _EPOCH) // timedelta(milliseconds=1) + int((fraction or "0").ljust(3, "0"))


def _calendar(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def _written(ms: int) -> str:
    return _calendar(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def _unit(value: Any) -> str:
    given = text(value).lower()
    unit = _SHORT.get(given, given.rstrip("s") if given != "s" else "second")
    if unit not in (*_UNITS, "month", "year"):
        raise Unknown(f"the date unit {given!r}")
    return unit


@function("DATE_NOW", 0)
def date_now(ctx: Context) -> int:
    """Evaluated at every call."""
    return ctx.now()


@function("DATE_TIMESTAMP", 1)
def date_timestamp(ctx: Context, value: Any) -> int | None:
    return moment(ctx, value)


@function("DATE_ISO8601", 1)
def date_iso8601(ctx: Context, value: Any) -> str | None:
    ms = moment(ctx, value)
    return None if ms is None else _written(ms)


@function("DATE_TRUNC", 2)
def date_trunc(ctx: Context, value: Any, unit: Any) -> str | None:
    ms, kind = moment(ctx, value), _unit(unit)
    if ms is None:
        return None
    if kind in _UNITS:
        return _written(ms - ms % _UNITS[kind])
    when = _calendar(ms)
    start = datetime(when.year, when.month if kind == "month" else 1, 1, tzinfo=UTC)
    return _written((start - _EPOCH) // timedelta(milliseconds=1))


@function("DATE_ADD", 3)
def date_add(ctx: Context, value: Any, amount: Any, unit: Any) -> str | None:
    return _added(ctx, value, amount, _unit(unit))


def _added(ctx: Context, value: Any, amount: Any, kind: str) -> str | None:
    ms = moment(ctx, value)
    if kind not in _UNITS:
        raise Unknown("adding months and years")
    return None if ms is None else _written(ms + int(amount * _UNITS[kind]))


@function("DATE_SUBTRACT", 3)
def date_subtract(ctx: Context, value: Any, amount: Any, unit: Any) -> str | None:
    return _added(ctx, value, -amount, _unit(unit))


@function("DATE_DIFF", 3, 4)
def date_diff(ctx: Context, start: Any, end: Any, unit: Any, as_float: Any = False) -> Any:
    begin, finish, kind = moment(ctx, start), moment(ctx, end), _unit(unit)
    if begin is None or finish is None:
        return None
    if kind not in _UNITS:
        raise Unknown("DATE_DIFF() in months and years")
    exact = (finish - begin) / _UNITS[kind]
    return exact if as_float else int(exact)


@function("DATE_YEAR", 1)
def date_year(ctx: Context, value: Any) -> int | None:
    ms = moment(ctx, value)
    return None if ms is None else _calendar(ms).year


@function("DATE_MONTH", 1)
def date_month(ctx: Context, value: Any) -> int | None:
    ms = moment(ctx, value)
    return None if ms is None else _calendar(ms).month


@function("DATE_DAY", 1)
def date_day(ctx: Context, value: Any) -> int | None:
    ms = moment(ctx, value)
    return None if ms is None else _calendar(ms).day


@function("DATE_HOUR", 1)
def date_hour(ctx: Context, value: Any) -> int | None:
    ms = moment(ctx, value)
    return None if ms is None else _calendar(ms).hour


@function("DATE_MINUTE", 1)
def date_minute(ctx: Context, value: Any) -> int | None:
    ms = moment(ctx, value)
    return None if ms is None else _calendar(ms).minute


@function("DATE_SECOND", 1)
def date_second(ctx: Context, value: Any) -> int | None:
    ms = moment(ctx, value)
    return None if ms is None else _calendar(ms).second


@function("DATE_DAYOFWEEK", 1)
def date_dayofweek(ctx: Context, value: Any) -> int | None:
    """0 is Sunday."""
    ms = moment(ctx, value)
    return None if ms is None else (_calendar(ms).weekday() + 1) % 7
