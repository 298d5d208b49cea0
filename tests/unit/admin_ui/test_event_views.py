"""Events as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from leocdp_admin.application.shapes.events import EventShape, RecentEvent
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.event_views import MAX_FACTS, event_view, facts, pretty, recent_view, title_of

EN = Localisation("en", "UTC")
AT = datetime(2026, 3, 12, 8, 0, tzinfo=UTC)


def event(type_: str = "track", name: str | None = "Order Completed", **content: Any) -> EventShape:
    return EventShape.model_validate(
        {
            "id": "evt_1",
            "message_id": "m-1",
            "type": type_,
            "name": name,
            "timestamp": AT,
            "received_at": AT,
            "original_timestamp": None,
            "source": "src_1",
            "protocol": "segment",
            "profile_id": "prf_1",
            "anonymous_id": "a-1",
            "user_id": None,
            "properties": {},
            "traits": {},
            "context": {},
            **content,
        }
    )


def test_an_order_says_what_it_was_worth() -> None:
    properties = {"order_id": "A-1", "total": 350000, "currency": "VND", "items": 3, "first": True, "products": []}
    view = event_view(event(properties=properties), "Web shop", EN, raw=True)
    assert view.title == "Order Completed"
    assert view.about == "₫350,000 · A-1"
    assert {fact.label: fact.value for fact in view.details}["Total"] == "₫350,000"
    assert {fact.label: fact.value for fact in view.details}["first"] == "yes"
    assert '"total": 350000' in view.raw


def test_raw_json_is_only_for_those_who_may_see_it() -> None:
    assert event_view(event(), "Web shop", EN, raw=False).raw == ""


def test_titles_in_words() -> None:
    page = {"url": "https://shop.example.vn/tr%C3%A0?x=1"}
    assert title_of("page", None, page, EN) == "Viewed “/trà”"
    assert title_of("page", None, {}, EN) == "Viewed a page"
    assert title_of("page", None, {"url": "http://[broken"}, EN) == "Viewed “http://[broken”"
    assert title_of("screen", "Cart", {}, EN) == "Opened “Cart”"
    assert title_of("identify", None, {}, EN) == "Gave their details"
    assert title_of("track", None, {}, EN) == "Event without a name"
    assert title_of(None, None, {}, EN) == "Unreadable event"


def test_nested_values_have_readable_names_and_an_end() -> None:
    content = {"products": [{"name": "Trà", "price": 2.5}], "deep": {"a": {"b": {"c": {"d": 1}}}}}
    assert [(fact.label, fact.value) for fact in facts(content, EN)] == [
        ("Products › 1 › Name", "Trà"),
        ("Products › 1 › Price", "2.5"),
        ("deep › a › b › c", '{"d": 1}'),
    ]
    assert len(facts({str(n): n for n in range(500)}, EN)) == MAX_FACTS


def test_values_that_are_no_numbers_to_read() -> None:
    found = {fact.label: fact.value for fact in facts({"product_id": 1234567, "gone": None, "long": "x" * 900}, EN)}
    assert found["Product ID"] == "1234567"
    assert found["gone"] == "removed"
    assert found["long"].endswith("…")


def test_a_refused_event_is_read_from_what_was_sent() -> None:
    payload = '{"event": "Sign Up", "properties": {"plan": "pro"}}'
    row = RecentEvent.model_validate(
        {
            "outcome": "rejected",
            "reason": "missing_id",
            "id": "7",
            "message_id": None,
            "type": "track",
            "name": "Sign Up",
            "timestamp": AT,
            "received_at": AT,
            "source": "src_1",
            "payload": payload,
        }
    )
    view = recent_view(row, "Web shop", EN, raw=True)
    assert view.title == "Sign Up"
    assert [(fact.label, fact.value) for fact in view.details] == [("Plan", "pro")]
    assert view.raw == pretty(payload)
    torn = recent_view(row.model_copy(update={"payload": '{"torn": '}), "Web shop", EN, raw=True)
    assert torn.details == []
    assert torn.raw == '{"torn": '
