"""The visitors of the demonstration: who they are and which devices they use. Deterministic by seed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from leocdp_cli.demo.shop import CITIES, FAMILY_NAMES, MEN, WOMEN

HOUSEHOLD = 12
"""Every how many visitors one lives with the visitor before: they share a tablet and a phone number."""


@dataclass(frozen=True, slots=True)
class Device:
    anonymous_id: str
    form: str
    """``phone``, ``laptop`` or ``tablet``."""


@dataclass(frozen=True, slots=True)
class Visitor:
    number: int
    user_id: str
    name: str
    email: str
    phone: str
    city: str
    birthday: str
    devices: tuple[Device, ...]
    loyalty: float
    """0 … 1: how often the visitor comes back and buys."""
    signs_up: bool
    leaves_phone: bool
    marketing: bool
    """Said yes to marketing when asked."""


def visitors(count: int, seed: int) -> Sequence[Visitor]:
    """The first ``count`` visitors of a seed; the same for every count that includes them."""
    made: list[Visitor] = []
    for number in range(count):
        random = Random(f"{seed}/visitor/{number}")
        housemate = made[-1] if made and number % HOUSEHOLD == HOUSEHOLD - 1 else None
        made.append(_visitor(number, seed, random, housemate))
    return made


def _visitor(number: int, seed: int, random: Random, housemate: Visitor | None) -> Visitor:
    family = _weighted(random, FAMILY_NAMES)
    woman = random.random() < 0.56
    given = random.choice(WOMEN if woman else MEN)
    name = f"{family} {'Thị' if woman else 'Văn'} {given}" if random.random() < 0.5 else f"{family} {given}"
    handle = f"{_ascii(given).replace(' ', '')}.{_ascii(family)}{seed}{number:03d}"
    return Visitor(
        number=number,
        user_id=f"KH{seed:02d}{number:05d}",
        name=name,
        email=f"{handle}@example.vn",
        phone=housemate.phone if housemate else _phone(random),
        city=_weighted(random, CITIES),
        birthday=f"{random.randint(1962, 2007)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}",
        devices=_devices(number, seed, random, housemate.devices[0] if housemate else None),
        loyalty=random.betavariate(1.6, 3.2),
        signs_up=random.random() < 0.62,
        leaves_phone=random.random() < 0.7,
        marketing=random.random() < 0.6,
    )


def _devices(number: int, seed: int, random: Random, household: Device | None) -> tuple[Device, ...]:
    forms = ["phone"]
    if random.random() < 0.55:
        forms.append("laptop")
    if random.random() < 0.2:
        forms.append("tablet")
    own = tuple(Device(f"demo-{seed}-{number:05d}-{form}", form) for form in forms)
    return (*own, household) if household else own


def _phone(random: Random) -> str:
    """As people type it: with or without the country code and spaces."""
    digits = f"9{random.randint(0, 9)}{random.randint(1_000_000, 9_999_999)}"
    spelling = random.random()
    if spelling < 0.6:
        return f"0{digits}"
    if spelling < 0.85:
        return f"+84 {digits[:3]} {digits[3:6]} {digits[6:]}"
    return f"0084{digits}"


def _weighted(random: Random, choices: Sequence[tuple[str, int]]) -> str:
    return random.choices([value for value, _ in choices], [weight for _, weight in choices])[0]


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(char for char in folded if not unicodedata.combining(char)).lower()
