"""A story is told by day and session, also over the border of two pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.event_views import EventView
from leocdp_admin.views.story import SESSION_GAP, Day, tell

EN = Localisation("en", "Asia/Ho_Chi_Minh")
NOW = datetime(2026, 3, 12, 8, 0, tzinfo=UTC)


def view(at: datetime) -> EventView:
    return EventView("e", at, "page", "Page view", "file-text", "Viewed", "", "Web shop", [], [], [], "")


def story(*minutes_ago: float, newer: float | None = None) -> list[Day]:
    views = [view(NOW - timedelta(minutes=ago)) for ago in minutes_ago]
    return tell(views, EN, NOW, newer=None if newer is None else NOW - timedelta(minutes=newer))


def shape(days: list[Day]) -> list[tuple[str, list[int]]]:
    return [(day.title, [len(session.events) for session in day.sessions]) for day in days]


def test_thirty_minutes_of_silence_end_a_session() -> None:
    assert shape(story(0, 10, 39.9, 70, 80)) == [("Today", [3, 2])]


def test_a_session_over_midnight_stays_whole_under_the_day_it_ended() -> None:
    # Midnight in Ho Chi Minh City was 15 hours ago.
    midnight = 15 * 60
    assert shape(story(midnight - 5, midnight + 5, midnight + 60)) == [("Today", [2]), ("Yesterday", [1])]


def test_the_next_page_goes_on_where_the_last_one_stopped() -> None:
    joined = story(20, 25, newer=10)
    assert shape(joined) == [("", [2])]
    assert joined[0].sessions[0].continued
    apart = story(60, newer=10)
    assert shape(apart) == [("", [1])]
    assert not apart[0].sessions[0].continued
    assert shape(story(26 * 60, newer=10)) == [("Yesterday", [1])]


def test_what_a_session_says_of_itself() -> None:
    session = story(0, 12)[0].sessions[0]
    assert session.length == timedelta(minutes=12)
    assert session.ended - session.started == session.length
    assert session.sources == "Web shop"


def test_nothing_happened() -> None:
    assert story() == []


@given(st.lists(st.floats(0, 20_000), max_size=40), st.integers(0, 40))
def test_every_event_is_told_once_in_order_and_pages_agree(ago: list[float], cut: int) -> None:
    ago.sort()
    whole = [session for day in story(*ago) for session in day.sessions]
    told = [event.at for session in whole for event in session.events]
    assert told == [NOW - timedelta(minutes=minutes) for minutes in ago]
    for session in whole:
        gaps = [a.at - b.at for a, b in zip(session.events, session.events[1:], strict=False)]
        assert all(gap < SESSION_GAP for gap in gaps)
    first, second = ago[:cut], ago[cut:]
    pages = [*story(*first), *(story(*second, newer=first[-1] if first else None))]
    joined = sum(not session.continued for day in pages for session in day.sessions)
    assert joined == len(whole)
