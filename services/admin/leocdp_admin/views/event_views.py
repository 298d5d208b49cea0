"""One event, as people read it: a title, a line about it, and its facts with names instead of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from leocdp_admin.application.shapes.events import EventShape, RecentEvent
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.words import TYPE_ICONS, TYPES, word

MAX_FACTS: Final = 80
MAX_TEXT: Final = 400
MONEY_KEYS: Final = frozenset(
    {"price", "total", "revenue", "value", "subtotal", "discount", "shipping", "tax", "amount"}
)
ABOUT_KEYS: Final = (
    *("product_name", "title", "name", "query", "category", "plan", "total", "revenue", "value", "price", "quantity"),
    *("coupon", "order_id"),
)
KEY_NAMES: Final = {
    "product_name": N_("Product"),
    "product_id": N_("Product ID"),
    "order_id": N_("Order number"),
    "products": N_("Products"),
    "quantity": N_("Quantity"),
    "price": N_("Price"),
    "total": N_("Total"),
    "revenue": N_("Revenue"),
    "value": N_("Value"),
    "currency": N_("Currency"),
    "coupon": N_("Coupon"),
    "category": N_("Category"),
    "query": N_("Searched for"),
    "url": N_("Address"),
    "path": N_("Path"),
    "title": N_("Title"),
    "referrer": N_("Came from"),
    "search": N_("Query in the address"),
    "name": N_("Name"),
    "email": N_("E-mail"),
    "phone": N_("Phone"),
    "plan": N_("Plan"),
    "city": N_("City"),
    "userAgent": N_("Browser"),
    "locale": N_("Language"),
    "timezone": N_("Time zone"),
    "ip": N_("IP address"),
    "campaign": N_("Campaign"),
    "source": N_("Source"),
    "medium": N_("Medium"),
    "page": N_("Page"),
    "device": N_("Device"),
    "library": N_("Sent by"),
    "screen": N_("Screen"),
    "os": N_("Operating system"),
    "app": N_("App"),
    "consent": N_("Consent"),
    "type": N_("Type"),
    "version": N_("Version"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class EventView:
    id: str
    at: datetime
    type: str
    type_name: str
    icon: str
    title: str
    about: str
    source: str
    details: Sequence[Fact]
    """What happened: the event's properties, or the details that a person gave."""
    surroundings: Sequence[Fact]
    """Where and how: page, device, campaign."""
    receipt: Sequence[Fact]
    """How it came to us: times, source, ids."""
    raw: str
    """JSON; empty for readers who may not see it."""


def title_of(type_: str | None, name: str | None, properties: Mapping[str, Any], l10n: Localisation) -> str:
    """What to call an event in a list."""
    if type_ == "page":
        seen = name or _text(properties.get("title")) or _path(properties) or ""
        return l10n.gettext("Viewed “%(page)s”") % {"page": seen} if seen else l10n.gettext("Viewed a page")
    if type_ == "screen":
        return l10n.gettext("Opened “%(screen)s”") % {"screen": name} if name else l10n.gettext("Opened a screen")
    if type_ == "track" or name:
        return name or l10n.gettext("Event without a name")
    return {
        "identify": l10n.gettext("Gave their details"),
        "group": l10n.gettext("Joined a company or group"),
        "alias": l10n.gettext("Two IDs were linked"),
    }.get(type_ or "", l10n.gettext("Unreadable event"))


def about_line(type_: str, properties: Mapping[str, Any], traits: Mapping[str, Any], l10n: Localisation) -> str:
    """At most three things worth knowing without opening the event."""
    if type_ in ("page", "screen"):
        return _path(properties)
    if type_ == "identify":
        return ", ".join(key_name(key, l10n) for key in list(traits)[:5])
    keys = [key for key in ABOUT_KEYS if key in properties] or [k for k, v in properties.items() if not _nested(v)]
    currency = _text(properties.get("currency"))
    return " · ".join(value_text(key, properties[key], l10n, currency) for key in keys[:3])


def facts(content: Mapping[str, Any], l10n: Localisation) -> list[Fact]:
    """Every value with a readable name; nested ones as *Products 1 › Name*."""
    currency = _text(content.get("currency"))
    found = []
    for labels, key, value in _walk(content, ()):
        label = " › ".join(key_name(part, l10n) for part in labels)
        found.append(Fact(label, value_text(key, value, l10n, currency)))
        if len(found) == MAX_FACTS:
            break
    return found


def event_view(event: EventShape, source: str, l10n: Localisation, *, raw: bool) -> EventView:
    """``source`` is the name of its source."""
    details = event.traits if event.type in ("identify", "group") else event.properties
    return EventView(
        id=event.id,
        at=event.timestamp,
        type=event.type,
        type_name=word(TYPES, event.type, l10n),
        icon=TYPE_ICONS.get(event.type, "bolt"),
        title=title_of(event.type, event.name, event.properties, l10n),
        about=about_line(event.type, event.properties, event.traits, l10n),
        source=source,
        details=facts(details, l10n),
        surroundings=facts({k: v for k, v in event.context.items() if k != "traits"}, l10n),
        receipt=_receipt(event, source, l10n),
        raw=json_text(event.model_dump(mode="json")) if raw else "",
    )


def recent_view(event: RecentEvent, source: str, l10n: Localisation, *, raw: bool) -> EventView:
    """An event that came in lately. Of one that was not applied only the payload is known, as it came."""
    sent = sent_item(event.payload) if event.payload and event.outcome != "applied" else {}
    properties, traits = event.properties or _object(sent, "properties"), event.traits or _object(sent, "traits")
    type_ = event.type or ""
    details = traits if type_ in ("identify", "group") else properties
    json_shown = (
        pretty(event.payload)
        if event.payload
        else json_text(event.model_dump(mode="json", exclude={"payload", "reason", "error"}))
    )
    return EventView(
        id=f"{event.outcome}-{event.id}",
        at=event.timestamp,
        type=type_,
        type_name=word(TYPES, type_, l10n) or l10n.gettext("Event"),
        icon=TYPE_ICONS.get(type_, "bolt"),
        title=title_of(event.type, event.name, properties, l10n),
        about=about_line(type_, properties, traits, l10n),
        source=source,
        details=facts(details, l10n),
        surroundings=facts({k: v for k, v in event.context.items() if k != "traits"}, l10n),
        receipt=_receipt(event, source, l10n),
        raw=json_shown if raw else "",
    )


def sent_item(payload: str) -> Mapping[str, Any]:
    """A payload as an object; empty for what is no JSON object."""
    try:
        value = json.loads(payload)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def pretty(payload: str) -> str:
    """A payload with line breaks where it is JSON, else as it came."""
    try:
        return json_text(json.loads(payload))
    except ValueError:
        return payload


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _receipt(event: EventShape | RecentEvent, source: str, l10n: Localisation) -> list[Fact]:
    found = [
        Fact(l10n.gettext("Happened"), l10n.moment(event.timestamp)),
        Fact(l10n.gettext("Received"), l10n.moment(event.received_at)),
        Fact(l10n.gettext("Source"), source),
        Fact(l10n.gettext("Customer ID"), event.user_id or ""),
        Fact(l10n.gettext("Browser or app"), event.anonymous_id or ""),
        Fact(l10n.gettext("Message number"), event.message_id or ""),
    ]
    return [fact for fact in found if fact.value]


def key_name(key: str, l10n: Localisation) -> str:
    """A property's key as a label: ours where we know it, else the sender's words opened up."""
    known = KEY_NAMES.get(key)
    if known:
        return l10n.gettext(known)
    if key.isdigit():
        return str(int(key) + 1)
    return key.replace("_", " ").strip() or key


def value_text(key: str, value: Any, l10n: Localisation, currency: str = "") -> str:
    """A value as people write it."""
    if value is None:
        return l10n.gettext("removed")
    if isinstance(value, bool):
        return l10n.gettext("yes") if value else l10n.gettext("no")
    if isinstance(value, int | float):
        return _amount(key, value, l10n, currency)
    if _nested(value):
        return _shortened(json.dumps(value, ensure_ascii=False))
    return _shortened(str(value))


def _amount(key: str, value: float, l10n: Localisation, currency: str) -> str:
    if key in MONEY_KEYS and len(currency) == 3 and currency.isalpha():
        return l10n.money(value, currency.upper())
    if "id" in key.lower().split("_"):
        return str(value)
    return l10n.number(value)


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Leaves with the labels that lead to them; more than three levels down a value is shown whole."""
    parts: Any = ()
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = ((str(index), part) for index, part in enumerate(value))
    for key, part in parts:
        here = (*path, str(key))
        if _nested(part) and len(here) < 4:
            yield from _walk(part, here)
        else:
            yield here, str(key), part


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _path(properties: Mapping[str, Any]) -> str:
    address = _text(properties.get("path")) or _text(properties.get("url"))
    try:
        return unquote(urlsplit(address).path or address) if address else ""
    except ValueError:
        return address


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
