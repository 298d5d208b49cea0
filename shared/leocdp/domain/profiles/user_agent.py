"""The few words that segments ask of a user agent: type of device, operating system, browser.

Ordered tables of marks, most particular first: browsers name their ancestors (Edge says Chrome and Safari). Versions
are not read. What fits no table gives nothing; a wrong word would be worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_LONGEST: Final = 512

_SYSTEMS: Final = (
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("iPod", "iOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Tizen", "Tizen"),
    ("Linux", "Linux"),
)
_BROWSERS: Final = (
    ("Zalo", "Zalo"),
    ("FBAN", "Facebook"),
    ("FBAV", "Facebook"),
    ("Instagram", "Instagram"),
    ("musical_ly", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("coc_coc_browser", "Cốc Cốc"),
    ("SamsungBrowser", "Samsung Internet"),
    ("YaBrowser", "Yandex"),
    ("UCBrowser", "UC Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Opera", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("Trident", "Internet Explorer"),
    ("MSIE", "Internet Explorer"),
)
_TELEVISIONS: Final = ("SMART-TV", "SmartTV", "AppleTV", "Android TV", "HbbTV", "BRAVIA", "Web0S")
_TABLETS: Final = ("iPad", "Tablet", "Kindle", "Silk/")
_DESKTOPS: Final = frozenset({"Windows", "macOS", "Linux", "ChromeOS"})


@lru_cache(maxsize=1 << 14)
def device_of(user_agent: str) -> Mapping[str, str]:
    """``{"type", "os", "browser"}``, each only where it is known. ``type`` is mobile, tablet, desktop or tv."""
    text = user_agent[:_LONGEST]
    system = _first(_SYSTEMS, text)
    # Anything that browses calls itself Mozilla or Opera; the rest are libraries, bots and apps of their own.
    browser = _first(_BROWSERS, text) if text.startswith(("Mozilla/", "Opera/", "Dalvik/")) else ""
    found = {"type": _type(text, system), "os": system, "browser": browser}
    return {name: word for name, word in found.items() if word}


def _first(table: tuple[tuple[str, str], ...], text: str) -> str:
    return next((word for mark, word in table if mark in text), "")


def _type(text: str, system: str) -> str:
    if any(mark in text for mark in _TELEVISIONS):
        return "tv"
    if any(mark in text for mark in _TABLETS) or (system == "Android" and "Mobile" not in text and "Mozilla/" in text):
        return "tablet"
    if system in ("iOS", "Android") or "Mobi" in text:
        return "mobile"
    return "desktop" if system in _DESKTOPS else ""
