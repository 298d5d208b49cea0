"""However many names and traits somebody invents, a profile stays bounded, and the order still does not matter."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from leocdp.domain.events import Address, Envelope, SourceFacts
from leocdp.domain.profiles import bounds
from leocdp.domain.profiles.apply import addition, join_event
from leocdp.domain.profiles.joins import fold
from leocdp.domain.profiles.state import State


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bounds", "apply"):
        monkeypatch.setattr(f"leocdp.domain.profiles.{module}.MAX_NAMES", 5)
        monkeypatch.setattr(f"leocdp.domain.profiles.{module}.MAX_TRAITS", 5)


def events() -> list[Envelope]:
    common = {"source": SourceFacts("s"), "protocol": "segment", "address": Address("t", 0, 0, 0)}
    return [
        Envelope(
            message_id=f"m{n}",
            type="identify" if n % 3 == 0 else "track",
            received_at=1000 + n,
            timestamp=1000 + n,
            name=None if n % 3 == 0 else f"Event {n % 17}",
            traits={f"trait{n % 11}": n} if n % 3 == 0 else {},
            **common,  # type: ignore[arg-type]
        )
        for n in range(120)
    ]


def played(order: list[Envelope]) -> State:
    state = State()
    for event in order:
        join_event(state, addition(event, ()))
    return state


@pytest.mark.parametrize("seed", range(20))
def test_any_order_and_any_split_gives_the_same_bounded_profile(seed: int) -> None:
    once = played(events())
    order = events()
    Random(seed).shuffle(order)
    assert played(order) == once
    cut = Random(seed).randrange(len(order))
    parts = fold([played(order[:cut]), played(order[cut:])])
    assert (parts.by_name, parts.traits) == (once.by_name, once.traits)


def test_nothing_is_lost_from_the_sum() -> None:
    state = played(events())
    assert len(state.by_name) == 6
    assert len(state.traits) == 5
    names = Counter(event.name for event in events() if event.name)
    assert sum(state.by_name.values()) == names.total()
    kept = {name: count for name, count in state.by_name.items() if name != bounds.OTHER}
    assert all(names[name] == count for name, count in kept.items())
