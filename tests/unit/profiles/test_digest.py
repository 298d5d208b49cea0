"""The digest tells whether two runs know the same of the same people, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from leocdp.domain.profiles.digest import DigestedPerson, digest
from leocdp.domain.profiles.state import ConsentCell, IdentifierCell, Register, State


def person(name: str = "lan") -> DigestedPerson:
    state = State(
        traits={"name": Register(name, 1, "m1"), "plan": Register({"b": 1, "a": [1, None]}, 1, "m1")},
        total=2,
        by_type={"track": 2},
        by_name={"Paid": 2},
        first_seen=1,
        last_seen=2,
        consents={"marketing": {"email:a": ConsentCell(True, 1)}},
        identifiers={f"email:{name}": IdentifierCell(1, 2, "s", "m1")},
    )
    return DigestedPerson(state, [f"evt_{name}1", f"evt_{name}2"])


def test_order_does_not_count() -> None:
    one, two = person("lan"), person("mai")
    turned = DigestedPerson(two.state, list(reversed(list(two.event_ids))))
    assert digest([one, two]) == digest(iter([turned, one]))


def test_how_it_is_kept_does_not_count() -> None:
    kept = person()
    cell = IdentifierCell(7, 8, "other", "m9", people={"prf_1": 1}, hour=3, hour_count=4)
    other = replace(kept.state, identifiers={"email:lan": cell}, cannot_link={"prf_2": Register(True, 1, "m")})
    assert digest([DigestedPerson(other, kept.event_ids), DigestedPerson(State(), ())]) == digest([kept])


CHANGES: list[Callable[[State], State]] = [
    lambda state: replace(state, total=3),
    lambda state: replace(state, by_type={"track": 1, "page": 1}),
    lambda state: replace(state, by_name={"Paid": 1}),
    lambda state: replace(state, last_seen=3),
    lambda state: replace(state, traits={**state.traits, "name": Register("mai", 1, "m1")}),
    lambda state: replace(state, traits={**state.traits, "gone": Register(None, 1, "m1")}),
    lambda state: replace(state, consents={"marketing": {"email:a": ConsentCell(False, 1)}}),
    lambda state: replace(state, identifiers={}),
    lambda state: replace(state, identifiers={"email:lan": IdentifierCell(1, 2, "s", "m1", state="former")}),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_known_counts(change: Callable[[State], State]) -> None:
    kept = person()
    assert digest([DigestedPerson(change(kept.state), kept.event_ids)]) != digest([kept])


def test_events_count() -> None:
    kept = person()
    assert digest([DigestedPerson(kept.state, ["evt_lan1"])]) != digest([kept])


def test_two_people_are_not_one() -> None:
    one, two = person("lan"), person("mai")
    assert digest([one]) != digest([one, one]) != digest([one, two])
    assert len(digest([])) == 64


def test_numbers_count_by_value() -> None:
    """Not every store keeps 1.0 apart from 1; True is no number."""

    def having(value: object) -> DigestedPerson:
        return DigestedPerson(State(traits={"n": Register({"list": [value]}, 1, "m1")}), ())

    assert digest([having(1.0)]) == digest([having(1)])
    assert len({digest([having(value)]) for value in (1, 1.5, True, "1", None)}) == 5
