"""Numbers, money and times as their readers write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from leocdp_admin.i18n.choice import accepted, choose_language
from leocdp_admin.i18n.localisation import Localisation

EN, VI = Localisation("en", "UTC"), Localisation("vi", "Asia/Ho_Chi_Minh")
NOW = datetime(2026, 3, 12, 20, 30, tzinfo=UTC)


def test_numbers_and_money() -> None:
    assert EN.number(11305) == "11,305"
    assert VI.number(11305) == "11.305"
    assert EN.money(350000, "VND") == "₫350,000"
    assert VI.money(350000, "VND") == "350.000\xa0₫"
    assert EN.short_number(9_999) == "9,999"
    assert EN.short_number(1_250_000) == "1.2M"
    assert EN.percent(0.384) == "38%"


def test_times_are_in_the_zone_of_the_workspace() -> None:
    assert VI.hour(NOW) == "03:30"
    assert VI.day(NOW, NOW) == "Hôm nay"
    assert VI.day(NOW - timedelta(hours=4), NOW) == "Hôm qua"
    assert EN.day(NOW - timedelta(days=3), NOW) == "Monday, March 9, 2026"
    assert EN.short_day(date(2026, 3, 1)) == "Mar 1"


@pytest.mark.parametrize(
    ("apart", "said"),
    [
        (timedelta(seconds=1), "just now"),
        (timedelta(seconds=40), "40 seconds ago"),
        (timedelta(minutes=67), "1 hour ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=40), "Jan 31, 2026"),
    ],
)
def test_how_long_ago(apart: timedelta, said: str) -> None:
    assert EN.ago(NOW - apart, NOW) == said


def test_never_is_empty() -> None:
    assert EN.ago(None, NOW) == ""
    assert EN.moment(None) == ""
    assert EN.date(None) == ""


def test_durations_and_what_is_to_come() -> None:
    assert EN.duration(timedelta(minutes=12)) == "12 minutes"
    assert EN.until(NOW + timedelta(days=3), NOW) == "in 3 days"


@pytest.mark.parametrize(
    ("asked", "remembered", "workspace", "accept", "chosen"),
    [
        ("vi", "en", "en", "en", "vi"),
        ("xx", "vi", "en", "en", "vi"),
        (None, None, "vi", "en", "vi"),
        (None, "klingon", None, "fr;q=0.9, vi-VN;q=0.8, en;q=0.5", "vi"),
        (None, None, None, "fr, de", "en"),
        (None, None, None, None, "en"),
    ],
)
def test_choice_of_a_language(
    asked: str | None, remembered: str | None, workspace: str | None, accept: str | None, chosen: str
) -> None:
    found = choose_language(asked=asked, remembered=remembered, workspace=workspace, accept=accept)
    assert found == chosen


def test_what_a_browser_refuses_or_garbles_is_left_out() -> None:
    assert list(accepted("vi;q=0, en-GB;q=0.5, de;q=abc")) == ["en"]
