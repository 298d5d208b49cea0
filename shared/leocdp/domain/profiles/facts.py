"""What an event says about its person besides traits: named registers where the earliest or the latest event wins.

| register | value | first | last |
|---|---|---|---|
| ``touch`` | ``{"source", "medium", "campaign", "term", "content", "referrer_host"}`` | yes | yes |
| ``locale``, ``timezone`` | text as the client wrote it | | yes |
| ``device`` | ``{"type", "os", "browser"}`` | | yes |
| ``place`` | ``{"country", "region", "city"}`` | | yes |

Parts that are not known are left out. A *touch* is a visit that somebody sent: it has a campaign, or comes from another
site. Going from page to page, or typing the address, is none, so it does not overwrite the touch that brought them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from leocdp.domain.events import Envelope
from leocdp.domain.profiles.user_agent import device_of

_NOTHING: Final[Mapping[str, Any]] = {}
_LONGEST: Final = 200
_CAMPAIGN: Final = (
    ("source", "source"),
    ("medium", "medium"),
    ("name", "campaign"),
    ("term", "term"),
    ("content", "content"),
)
"""Key in ``context.campaign`` → part of the touch."""
_UTM: Final = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "campaign",
    "utm_term": "term",
    "utm_content": "content",
}
_SYSTEMS: Final = {
    "ios": "iOS",
    "iphone os": "iOS",
    "ipados": "iOS",
    "android": "Android",
    "mac os x": "macOS",
    "macos": "macOS",
    "windows": "Windows",
    "linux": "Linux",
}
_TYPES: Final = frozenset({"mobile", "tablet", "desktop", "tv"})


def facts_of(event: Envelope) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """name → value for ``State.firsts``, and for ``State.lasts``.

    The values are kept as they are and must not be changed later.
    """
    lasts = _lasts(event)
    touch = lasts.get("touch")
    return {"touch": touch} if touch else _NOTHING, lasts


def _lasts(event: Envelope) -> Mapping[str, Any]:
    context = event.context
    if not context and event.type != "page":
        return _NOTHING
    found: dict[str, Any] = {"touch": _touch(event)}
    for name in ("locale", "timezone"):
        found[name] = _text(context[name]) if name in context else ""
    found["device"] = _device(context)
    found["place"] = _place(context) if "location" in context else _NOTHING
    return {name: value for name, value in found.items() if value}


def _touch(event: Envelope) -> Mapping[str, str]:
    context = event.context
    campaign, page = context.get("campaign"), context.get("page")
    if not isinstance(page, dict):
        if event.type != "page" and not campaign:
            return _NOTHING
        page = event.properties
    arrival = _arrival(_text(page.get("url"), 2_000), _text(page.get("referrer"), 2_000))
    if isinstance(campaign, dict) and campaign:
        named = {part: _text(campaign.get(key)) for key, part in _CAMPAIGN}
        return {**arrival, **{part: word for part, word in named.items() if word}}
    return arrival


@lru_cache(maxsize=1 << 14)
def _arrival(url: str, referrer: str) -> Mapping[str, str]:
    """What the address of a page and the page before tell: UTM parameters, and the host if it is another site."""
    found: dict[str, str] = {}
    if "utm_" in url:
        for name, value in parse_qsl(_split(url)[1]):
            if name in _UTM and value.strip():
                found[_UTM[name]] = _text(value)
    host, own = _split(referrer)[0], _split(url)[0]
    if host and own and not _same_site(host, own):
        found["referrer_host"] = host[:_LONGEST]
    return found


def _split(url: str) -> tuple[str, str]:
    """Host without ``www.``, and query; empty where the text is no address."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").removeprefix("www."), parts.query
    except ValueError:
        return "", ""


def _same_site(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or (other.endswith(f".{one}") and "." in one)


def _device(context: Mapping[str, Any]) -> Mapping[str, str]:
    """What an app says of its device and system, over what the user agent tells."""
    told = device_of(_text(context.get("userAgent"), 512))
    device, system = context.get("device"), context.get("os")
    device = device if isinstance(device, dict) else _NOTHING
    system = system if isinstance(system, dict) else _NOTHING
    if not device and not system:
        return told
    found = dict(told)
    name, kind = _text(system.get("name")), _text(device.get("type")).lower()
    # Mobile libraries write the system ("ios", "android") where the type of device is meant.
    if kind in ("ios", "android"):
        name = name or kind
        kind = "tablet" if "ipad" in _text(device.get("model")).lower() else "mobile"
    if name:
        found["os"] = _SYSTEMS.get(name.lower(), name)
    if kind in _TYPES:
        found["type"] = kind
    return found


def _place(context: Mapping[str, Any]) -> Mapping[str, str]:
    location = context.get("location")
    if not isinstance(location, dict):
        return _NOTHING
    named = {part: _text(location.get(part)) for part in ("country", "region", "city")}
    return {part: word for part, word in named.items() if word}


def _text(value: Any, longest: int = _LONGEST) -> str:
    return value.strip()[:longest] if isinstance(value, str) else ""
