"""One reader's language and time zone: everything that turns values into text for people goes through here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as CalendarDay
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from babel.units import format_unit

from leocdp_admin.i18n.catalogues import translations


@dataclass(frozen=True)
class Localisation:
    """``language`` is one of the offered codes, ``time_zone`` an IANA name; times are aware datetimes."""

    language: str
    time_zone: str

    @cached_property
    def locale(self) -> Locale:
        return Locale.parse(self.language)

    @cached_property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.time_zone)

    def gettext(self, message: str) -> str:
        return translations(self.language).gettext(message) if message else ""

    def ngettext(self, one: str, many: str, count: int) -> str:
        return translations(self.language).ngettext(one, many, count)

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self.locale)

    def short_number(self, value: int) -> str:
        """``1.2K`` from ten thousand on; exact below."""
        if abs(value) < 10_000:
            return self.number(value)
        return format_compact_decimal(value, format_type="short", locale=self.locale, fraction_digits=1)

    def percent(self, share: float) -> str:
        return format_percent(share, locale=self.locale)

    def money(self, value: float, currency: str) -> str:
        return format_currency(value, currency, locale=self.locale)

    def size(self, count: int) -> str:
        """Bytes, as gigabytes; below one as megabytes."""
        unit, each = ("gigabyte", 10**9) if count >= 10**9 else ("megabyte", 10**6)
        return format_unit(round(count / each, 1), f"digital-{unit}", "short", locale=self.locale)

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def moment(self, at: datetime | None) -> str:
        """Date and time, to the second."""
        return "" if at is None else format_datetime(self.local(at), "medium", locale=self.locale)

    def clock(self, at: datetime) -> str:
        """Time of day, to the second."""
        return format_time(self.local(at), "medium", locale=self.locale)

    def hour(self, at: datetime) -> str:
        """Time of day, to the minute."""
        return format_time(self.local(at), "short", locale=self.locale)

    def date(self, at: datetime | None) -> str:
        """The day alone."""
        return "" if at is None else format_date(self.local(at).date(), "medium", locale=self.locale)

    def calendar_day(self, day: CalendarDay) -> str:
        """A day that is the same in every time zone."""
        return format_date(day, "long", locale=self.locale)

    def short_day(self, day: CalendarDay) -> str:
        """Day and month, for the axis of a chart."""
        return format_skeleton("MMMd", datetime(day.year, day.month, day.day), locale=self.locale)

    def day(self, at: datetime, now: datetime) -> str:
        """A heading for a day: today, yesterday, or the date with its weekday."""
        apart = (self.local(now).date() - self.local(at).date()).days
        if apart == 0:
            return self.gettext("Today")
        if apart == 1:
            return self.gettext("Yesterday")
        return format_date(self.local(at).date(), "full", locale=self.locale)

    def ago(self, at: datetime | None, now: datetime) -> str:
        """How long ago; the date from 30 days on; empty for never."""
        if at is None:
            return ""
        apart = now - at
        if apart >= timedelta(days=30):
            return self.date(at)
        if apart < timedelta(seconds=5):
            return self.gettext("just now")
        return format_timedelta(-apart, locale=self.locale, add_direction=True, threshold=1)

    def until(self, at: datetime, now: datetime) -> str:
        """How long from now on, such as *in 3 days*."""
        return format_timedelta(at - now, locale=self.locale, add_direction=True, threshold=1)

    def duration(self, span: timedelta) -> str:
        return format_timedelta(max(span, timedelta(seconds=1)), locale=self.locale, threshold=1.5)
