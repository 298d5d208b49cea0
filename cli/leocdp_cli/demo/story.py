"""What the visitors do: sessions of Segment-shaped calls over some days, in order. Deterministic by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from leocdp_cli.demo.people import Device, Visitor, visitors
from leocdp_cli.demo.shop import CAMPAIGNS, CATEGORIES, CURRENCY, DEVICES, DOMAIN, PRODUCTS, Campaign, Product

DAY = 86_400_000
MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the browser SDK. ``at`` is ms before the end of the story (0 = the end)."""

    before: int
    body: dict[str, Any]


def story(count: int, seed: int, days: int) -> Sequence[Call]:
    """Everything that ``count`` visitors do in ``days`` days, oldest first."""
    calls = [call for visitor in visitors(count, seed) for call in _life(visitor, seed, days)]
    calls.sort(key=lambda call: (-call.before, call.body["messageId"]))
    return calls


def _life(visitor: Visitor, seed: int, days: int) -> Iterator[Call]:
    """All sessions of one visitor. Known from the session on in which they sign up."""
    random = Random(f"{seed}/life/{visitor.number}")
    count = 1 + int(random.expovariate(1 / (1 + 5 * visitor.loyalty)))
    starts = sorted((random.uniform(0.01, days) * DAY for _ in range(min(count, 14))), reverse=True)
    known = False
    for number, start in enumerate(starts):
        device = visitor.devices[0] if number == 0 else random.choice(visitor.devices)
        session = _Session(visitor, device, random, int(start), f"{seed}/{visitor.number}/{number}")
        known = session.play(known, first=number == 0)
        yield from session.calls


class _Session:
    """One visit: it writes its calls as it goes along."""

    def __init__(self, visitor: Visitor, device: Device, random: Random, start: int, name: str) -> None:
        self.calls: list[Call] = []
        self._visitor = visitor
        self._device = device
        self._random = random
        self._before = start
        self._name = name
        self._user: str | None = None
        weights = [campaign.weight for campaign in CAMPAIGNS]
        self._campaign = random.choices(CAMPAIGNS, weights)[0]

    def play(self, known: bool, *, first: bool) -> bool:
        """Play the visit; returns whether the visitor is known at its end."""
        visitor, random = self._visitor, self._random
        self._page("Trang chủ", "/", landing=True)
        if first:
            self._consent()
        if known and random.random() < 0.75:
            self._identify(full=random.random() < 0.2)
        cart = self._browse()
        if not cart:
            if not known and random.random() < 0.1:
                self._newsletter()
            return known
        self._page("Giỏ hàng", "/gio-hang")
        if random.random() > 0.35 + 0.5 * visitor.loyalty:
            return known
        self._track(
            "Checkout Started", value=sum(item.price for item in cart), currency=CURRENCY, products=_lines(cart)
        )
        if not known and not visitor.signs_up:
            return known
        self._identify(full=not known)
        if random.random() < 0.8:
            self._order(cart)
        return True

    def _browse(self) -> list[Product]:
        random = self._random
        cart: list[Product] = []
        for _ in range(random.randint(1, 4)):
            category, slug = random.choice(CATEGORIES)
            self._page(category, f"/danh-muc/{slug}", name="Danh mục")
            if random.random() < 0.12:
                self._track("Products Searched", query=category.lower())
            for product in random.sample([one for one in PRODUCTS if one.slug == slug], k=random.randint(1, 2)):
                self._page(product.name, f"/san-pham/{product.id.lower()}", name="Sản phẩm")
                self._track("Product Viewed", **_line(product, 1))
                if random.random() < 0.25 + 0.3 * self._visitor.loyalty:
                    self._track("Product Added", **_line(product, 1))
                    cart.append(product)
        return cart

    def _order(self, cart: list[Product]) -> None:
        number = UUID(int=Random(self._name).getrandbits(128)).hex[:8].upper()
        total = sum(item.price for item in cart)
        self._track(
            "Order Completed",
            order_id=f"DH-{number}",
            total=total,
            revenue=total,
            shipping=30_000,
            currency=CURRENCY,
            coupon=self._campaign.name.upper() or None,
            products=_lines(cart),
        )
        if self._random.random() < 0.05:
            self._before = max(0, self._before - DAY)
            self._track("Order Refunded", order_id=f"DH-{number}", total=total, currency=CURRENCY)

    def _newsletter(self) -> None:
        """Leaves an e-mail without an account."""
        self._call("identify", traits={"email": self._visitor.email})
        self._track("Newsletter Subscribed", place="footer")

    def _consent(self) -> None:
        self._track("Consent Preference Updated")
        chosen = {"analytics": True, "marketing": self._visitor.marketing, "personalization": True, "sharing": False}
        self.calls[-1].body["context"]["consent"] = {"categoryPreferences": chosen}

    def _identify(self, *, full: bool) -> None:
        visitor = self._visitor
        traits: dict[str, Any] = {"email": visitor.email, "name": visitor.name}
        if full:
            traits |= {"city": visitor.city, "birthday": visitor.birthday}
            if visitor.leaves_phone:
                traits["phone"] = visitor.phone
            self._track("Signed Up", method="email")
        self._user = visitor.user_id
        self._call("identify", traits=traits)

    def _page(self, title: str, path: str, *, name: str = "", landing: bool = False) -> None:
        campaign = self._campaign
        query = f"?utm_source={campaign.source}&utm_medium={campaign.medium}" if landing and campaign.name else ""
        if query:
            query += f"&utm_campaign={campaign.name}"
        properties = {"title": title, "path": path, "url": f"{DOMAIN}{path}{query}", "search": query}
        if landing and campaign.referrer:
            properties["referrer"] = campaign.referrer
        self._call("page", name=name or title, properties=properties)
        self.calls[-1].body["context"]["page"] = properties
        if landing and campaign.name:
            self.calls[-1].body["context"]["campaign"] = _utm(campaign)

    def _track(self, event: str, **properties: Any) -> None:
        self._call("track", event=event, properties=properties)

    def _call(self, kind: str, **fields: Any) -> None:
        """Append a call some seconds after the one before."""
        self._before = max(0, self._before - self._random.randint(4, 70) * 1000)
        agent, (width, height) = DEVICES[self._device.form]
        key = f"{self._name}/{len(self.calls)}"
        body = {
            "type": kind,
            "messageId": f"demo-{UUID(int=Random(key).getrandbits(128))}",
            "anonymousId": self._device.anonymous_id,
            "userId": self._user,
            "context": {
                "library": {"name": "analytics.js", "version": "next-1.84.3"},
                "locale": "vi-VN",
                "timezone": "Asia/Ho_Chi_Minh",
                "userAgent": agent,
                "screen": {"width": width, "height": height},
                "location": {"country": "VN", "city": self._visitor.city},
            },
            **fields,
        }
        self.calls.append(Call(self._before, body))


def _utm(campaign: Campaign) -> dict[str, str]:
    return {"source": campaign.source, "medium": campaign.medium, "name": campaign.name}


def _line(product: Product, quantity: int) -> dict[str, Any]:
    return {
        "product_id": product.id,
        "sku": product.id,
        "name": product.name,
        "category": product.category,
        "price": product.price,
        "quantity": quantity,
        "currency": CURRENCY,
    }


def _lines(cart: Sequence[Product]) -> list[dict[str, Any]]:
    return [_line(product, 1) for product in cart]
