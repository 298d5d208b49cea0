"""From counters per hour to pictures: plain numbers and labels that ``static/js/chart.js`` draws."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from leocdp.ports.profile_reader import Bucket
from leocdp_admin.application.shapes.base import moment
from leocdp_admin.i18n.localisation import Localisation

Chart = dict[str, Any]
Kind = Literal["lines", "bars", "spark"]


def per_day(buckets: Sequence[Bucket], l10n: Localisation, now: datetime, days: int) -> dict[date, int]:
    """The last days as the reader's midnight divides them, quiet ones included, oldest first."""
    today = l10n.local(now).date()
    found = {today - timedelta(days=back): 0 for back in range(days - 1, -1, -1)}
    for bucket in buckets:
        day = l10n.local(moment(bucket.at)).date()
        if day in found:
            found[day] += bucket.count
    return found


def per_hour_today(buckets: Sequence[Bucket], l10n: Localisation, now: datetime) -> dict[datetime, int]:
    """Every hour since the reader's midnight, up to the one that is running.

    Counters are kept per hour UTC, so in a zone with a half hour the first one may begin half an hour before.
    """
    midnight = l10n.local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    hours = int((now - midnight) / timedelta(hours=1)) + 1
    found = {midnight + timedelta(hours=hour): 0 for hour in range(hours)}
    for bucket in buckets:
        hour = l10n.local(moment(bucket.at)).replace(minute=0)
        if hour in found:
            found[hour] += bucket.count
    return found


def last_hours(buckets: Sequence[Bucket], l10n: Localisation, now: datetime, hours: int) -> dict[datetime, int]:
    """The last hours UTC, quiet ones included, oldest first; the last one is still running."""
    running = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found = {running - timedelta(hours=back): 0 for back in range(hours - 1, -1, -1)}
    for bucket in buckets:
        hour = moment(bucket.at).replace(minute=0, second=0, microsecond=0)
        if hour in found:
            found[hour] += bucket.count
    return {l10n.local(hour): count for hour, count in found.items()}


def hour_chart(l10n: Localisation, name: str, hours: dict[datetime, int]) -> Chart:
    return {
        "kind": "bars",
        "labels": [l10n.hour(hour) for hour in hours],
        "series": [{"name": name, "values": list(hours.values())}],
    }


def day_chart(kind: Kind, l10n: Localisation, named: Sequence[tuple[str, dict[date, int]]]) -> Chart:
    """All series have the same days."""
    days = list(named[0][1])
    return {
        "kind": kind,
        "labels": [l10n.short_day(day) for day in days],
        "series": [{"name": name, "values": [values[day] for day in days]} for name, values in named],
    }


def spark_chart(l10n: Localisation, name: str, hours: dict[datetime, int]) -> Chart:
    return {
        "kind": "spark",
        "labels": [l10n.hour(hour) for hour in hours],
        "series": [{"name": name, "values": list(hours.values())}],
    }
