"""What a person wants, from the words that came by each of their identifiers."""

from __future__ import annotations

import pytest

from leocdp.domain.profiles.consent import PersonConsent, person_consent, person_consents
from leocdp.domain.profiles.joins import latest_word
from leocdp.domain.profiles.state import ConsentCell, State
from tests.fakes.world import World

YES, NO = ConsentCell(True, 5, "web"), ConsentCell(False, 3, "crm")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, PersonConsent("unknown")),
        ({"a": YES}, PersonConsent("granted", 5, "web")),
        ({"a": YES, "b": NO}, PersonConsent("denied", 3, "crm")),
        ({"a": YES, "b": ConsentCell(True, 9, "app")}, PersonConsent("granted", 9, "app")),
        ({"a": NO, "b": ConsentCell(False, 4, "app")}, PersonConsent("denied", 4, "app")),
    ],
)
def test_status_of_a_person(cells: dict[str, ConsentCell], expected: PersonConsent) -> None:
    state = State(consents={"marketing": cells} if cells else {})
    assert person_consent(state, "marketing") == expected


def test_all_purposes() -> None:
    state = State(consents={"sharing": {"a": NO}, "analytics": {"a": YES}})
    assert {name: found.status for name, found in person_consents(state).items()} == {
        "analytics": "granted",
        "sharing": "denied",
    }


def test_a_tie_is_denied() -> None:
    yes, no = ConsentCell(True, 5), ConsentCell(False, 5)
    assert latest_word(yes, no) is latest_word(no, yes) is no


@pytest.mark.parametrize("first", ["x1", "p1"])
def test_an_opt_out_survives_a_merge_and_falls_by_its_own_identifier_only(first: str) -> None:
    world = World()
    world.see(first, "x1", "p1")
    world.see("x1", consent={"marketing": False})
    world.see("x1 p1")
    world.see("p1", consent={"marketing": True})
    assert status(world) == "denied"
    world.see("x1", consent={"marketing": True})
    assert status(world) == "granted"


def test_a_late_word_does_not_undo_a_newer_one() -> None:
    world = World()
    world.see("x1", consent={"marketing": False})
    world.see("x1", consent={"marketing": True}, timestamp=0)
    assert status(world) == "denied"


def status(world: World) -> str:
    return person_consent(world.store.profiles[world.root("x1")].folded, "marketing").status
