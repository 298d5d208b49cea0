"""What an event says about its person besides traits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.events import Address, Envelope, SourceFacts
from leocdp.domain.profiles.facts import facts_of
from leocdp.domain.profiles.user_agent import device_of

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "


def firsts_of(event: Envelope) -> dict[str, Any]:
    return dict(facts_of(event)[0])


def lasts_of(event: Envelope) -> dict[str, Any]:
    return dict(facts_of(event)[1])


def event(type: str = "track", properties: dict[str, Any] | None = None, **context: Any) -> Envelope:
    return Envelope(
        message_id="m",
        type=type,
        source=SourceFacts("web"),
        protocol="segment",
        received_at=1,
        timestamp=1,
        address=Address("t", 0, 0, 0),
        properties=properties or {},
        context=context,
    )


@pytest.mark.parametrize(
    ("context", "touch"),
    [
        (
            {"campaign": {"source": "fb", "medium": "cpc", "name": "tet"}},
            {"source": "fb", "medium": "cpc", "campaign": "tet"},
        ),
        (
            {"campaign": {"source": " fb ", "term": "giày", "content": "b", "x": "y"}},
            {"source": "fb", "term": "giày", "content": "b"},
        ),
        ({"page": {"url": "https://x.vn/?utm_source=zalo&utm_medium=oa&q=1"}}, {"source": "zalo", "medium": "oa"}),
        ({"page": {"url": "https://x.vn/?utm_campaign=T%E1%BA%BFt+2026#a"}}, {"campaign": "Tết 2026"}),
        ({"page": {"url": "https://x.vn/?utm_source="}}, None),
        (
            {"page": {"url": "https://x.vn/a", "referrer": "https://www.google.com/search?q=x"}},
            {"referrer_host": "google.com"},
        ),
        (
            {
                "campaign": {"source": "fb"},
                "page": {"url": "https://x.vn/?utm_medium=cpc", "referrer": "https://l.facebook.com/"},
            },
            {"source": "fb", "medium": "cpc", "referrer_host": "l.facebook.com"},
        ),
        ({"page": {"url": "https://x.vn/a", "referrer": "https://x.vn/b"}}, None),
        ({"page": {"url": "https://x.vn/a", "referrer": "https://WWW.x.vn/b"}}, None),
        ({"page": {"url": "https://shop.x.vn/a", "referrer": "https://x.vn/"}}, None),
        ({"page": {"url": "https://x.vn/a", "referrer": "https://shop.x.vn/"}}, None),
        ({"page": {"url": "https://x.vn/a", "referrer": "https://notx.vn/"}}, {"referrer_host": "notx.vn"}),
        ({"page": {"url": "https://x.vn/a", "referrer": "$direct"}}, None),
        ({"page": {"url": "https://x.vn/a", "referrer": ""}}, None),
        ({"page": {"referrer": "https://google.com/"}}, None),
        ({"page": {"url": "http://[bad", "referrer": "http://[worse"}}, None),
        ({"page": "x", "campaign": ["y"]}, None),
        ({"campaign": {}}, None),
        ({}, None),
    ],
)
def test_touch(context: dict[str, Any], touch: dict[str, str] | None) -> None:
    found = event(**context)
    expected = {"touch": touch} if touch else {}
    assert firsts_of(found) == expected
    assert {name: value for name, value in lasts_of(found).items() if name == "touch"} == expected


def test_a_page_call_without_context_tells_by_its_properties() -> None:
    properties = {"url": "https://x.vn/?utm_source=fb", "referrer": "https://y.vn/"}
    assert firsts_of(event("page", properties))["touch"] == {"source": "fb", "referrer_host": "y.vn"}
    assert firsts_of(event("track", properties)) == {}


def test_lasts() -> None:
    found = event(
        locale="vi-VN",
        timezone="Asia/Ho_Chi_Minh",
        userAgent=WINDOWS + "Chrome/120.0 Safari/537.36",
        location={"country": "Vietnam", "city": "Huế", "region": None, "latitude": 1.5},
    )
    assert lasts_of(found) == {
        "locale": "vi-VN",
        "timezone": "Asia/Ho_Chi_Minh",
        "device": {"type": "desktop", "os": "Windows", "browser": "Chrome"},
        "place": {"country": "Vietnam", "city": "Huế"},
    }
    assert lasts_of(event(locale=5, timezone=[], userAgent={}, location="Huế", device="d", os=1)) == {}
    assert lasts_of(event()) == {}


@pytest.mark.parametrize(
    ("context", "device"),
    [
        (
            {"device": {"type": "ios", "model": "iPhone16,2"}, "os": {"name": "iOS", "version": "19"}},
            ("mobile", "iOS", None),
        ),
        ({"device": {"type": "ios", "model": "iPad13,4"}}, ("tablet", "iOS", None)),
        ({"device": {"type": "android"}, "os": {"name": "android"}}, ("mobile", "Android", None)),
        ({"device": {"type": "tablet"}, "os": {"name": "HarmonyOS"}}, ("tablet", "HarmonyOS", None)),
        ({"os": {"name": "Mac OS X"}}, (None, "macOS", None)),
        ({"os": {"name": "", "version": ""}, "userAgent": WINDOWS + "Edg/120.0"}, ("desktop", "Windows", "Edge")),
        ({"device": {"id": "d1"}}, None),
    ],
)
def test_what_an_app_says_of_its_device(context: dict[str, Any], device: tuple[str | None, ...] | None) -> None:
    found = lasts_of(event(**context)).get("device")
    if device is None:
        assert found is None
    else:
        assert found == {name: word for name, word in zip(("type", "os", "browser"), device, strict=True) if word}


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
ANDROID = "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (WINDOWS + "Chrome/120.0.0.0 Safari/537.36", ("desktop", "Windows", "Chrome")),
        (WINDOWS + "Chrome/120.0.0.0 Safari/537.36 Edg/120.0", ("desktop", "Windows", "Edge")),
        (WINDOWS + "Chrome/120.0.0.0 Safari/537.36 OPR/106.0", ("desktop", "Windows", "Opera")),
        (WINDOWS + "coc_coc_browser/120.0 Chrome/114.0 Safari/537.36", ("desktop", "Windows", "Cốc Cốc")),
        ("Mozilla/5.0 (Windows NT 10.0; rv:120.0) Gecko/20100101 Firefox/120.0", ("desktop", "Windows", "Firefox")),
        ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", ("desktop", "Windows", "Internet Explorer")),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605",
            ("desktop", "macOS", "Safari"),
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120 Safari/537.36", ("desktop", "Linux", "Chrome")),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 15633) AppleWebKit/537.36 Chrome/120 Safari/537.36",
            ("desktop", "ChromeOS", "Chrome"),
        ),
        (IPHONE + "Version/19.0 Mobile/15E148 Safari/604.1", ("mobile", "iOS", "Safari")),
        (IPHONE + "CriOS/120.0 Mobile/15E148 Safari/604.1", ("mobile", "iOS", "Chrome")),
        (IPHONE + "Mobile/15E148 [FBAN/FBIOS;FBAV/400.0]", ("mobile", "iOS", "Facebook")),
        (IPHONE + "Mobile/15E148 Zalo iOS/540 ZaloTheme/light", ("mobile", "iOS", "Zalo")),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605 Safari/604.1", ("tablet", "iOS", "Safari")),
        (ANDROID + "Chrome/120.0.0.0 Mobile Safari/537.36", ("mobile", "Android", "Chrome")),
        (ANDROID + "SamsungBrowser/23.0 Chrome/115.0 Mobile Safari/537.36", ("mobile", "Android", "Samsung Internet")),
        (ANDROID + "Chrome/120.0.0.0 Safari/537.36", ("tablet", "Android", "Chrome")),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 Safari/537.36", ("tv", "Tizen", "Safari")),
        ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)", ("mobile", "Android", None)),
        ("analytics-python/2.4.0", (None, None, None)),
        ("curl/8.5.0", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_user_agents(agent: str, expected: tuple[str | None, ...]) -> None:
    assert device_of(agent) == {
        name: word for name, word in zip(("type", "os", "browser"), expected, strict=True) if word
    }


ANYTHING = st.one_of(st.none(), st.text(), st.integers(), st.dictionaries(st.text(), st.text()), st.lists(st.text()))
PARTS = ("campaign", "page", "locale", "timezone", "userAgent", "device", "os", "location")
URLS = st.one_of(st.text(), st.from_regex(r"https?://[\w.\[\]:@%]{0,12}/?\??(utm_source=[^ ]{0,8})?", fullmatch=True))


@given(st.dictionaries(st.sampled_from(PARTS), ANYTHING), URLS, URLS, st.sampled_from(["page", "track"]))
def test_no_context_is_an_error(context: dict[str, Any], url: str, referrer: str, type: str) -> None:
    for found in (
        event(type, {"url": url}, **context),
        event(type, **{**context, "page": {"url": url, "referrer": referrer}}),
    ):
        assert set(firsts_of(found)) <= {"touch"}
        assert all(lasts_of(found).values())
