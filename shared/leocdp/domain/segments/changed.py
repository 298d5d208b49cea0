"""What of a person's state differs between two moments, as far as any live condition looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from leocdp.domain.profiles.state import Register, State
from leocdp.domain.segments.audience import is_list_label
from leocdp.domain.segments.catalogue import Catalogue

NOTHING = State()
_REGISTERS = (
    ("place", "lasts", "place"),
    ("device", "lasts", "device"),
    ("touch_first", "firsts", "touch"),
    ("touch_last", "lasts", "touch"),
)


def touched_by_state(catalogue: Catalogue, before: State, after: State) -> set[int]:
    """Places of the tracks whose answers may differ. Cells are never changed, only replaced, so most comparisons are
    of identities."""
    touched: set[int] = set()
    for name, places in catalogue.traits.items():
        if _differs(before.traits.get(name), after.traits.get(name)):
            touched.update(places)
    uses = catalogue.uses
    if uses:
        for use in _other_uses(uses, before, after):
            touched.update(uses.get(use, ()))
    return touched


def may_know_more(before: State, after: State) -> bool:
    """Whether a trait or an identifier differs: what data quality looks at."""
    return before.traits != after.traits or _identifiers_differ(before, after)


def _identifiers_differ(before: State, after: State) -> bool:
    return before.identifiers.keys() != after.identifiers.keys() or any(
        cell.state != before.identifiers[key].state for key, cell in after.identifiers.items()
    )


def _other_uses(uses: Mapping[str, tuple[int, ...]], before: State, after: State) -> Iterator[str]:
    for use, register, name in _REGISTERS:
        if use in uses and _differs(getattr(before, register).get(name), getattr(after, register).get(name)):
            yield use
    if before.labels != after.labels:
        changed = [
            name
            for name in before.labels.keys() | after.labels.keys()
            if _differs(before.labels.get(name), after.labels.get(name))
        ]
        yield from {"list" if is_list_label(name) else "label" for name in changed}
    consents = ("consent" in uses or "reachable" in uses) and before.consents != after.consents
    asked = "identifier" in uses or "status" in uses or "reachable" in uses
    identifiers = asked and _identifiers_differ(before, after)
    if consents:
        yield "consent"
    if identifiers:
        yield from ("identifier", "status")
    if consents or identifiers:
        yield "reachable"


def _differs(one: Register | None, other: Register | None) -> bool:
    if one is other:
        return False
    return not same(None if one is None else one.value, None if other is None else other.value)


def same(one: Any, other: Any) -> bool:
    """Whether no condition can tell two values apart. ``1``, ``1.0`` and ``True`` are equal and of two kinds; whatever
    has parts counts as another value."""
    return type(one) is type(other) and not isinstance(one, list | dict) and bool(one == other)
