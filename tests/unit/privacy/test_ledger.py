"""When an identifier was an erased person's, and who a ledger speaks of."""

from __future__ import annotations

import pytest

from leocdp.domain.decisions import SwitchRecord
from leocdp.domain.identity.rules import default_rules
from leocdp.domain.privacy.erasure import erased_people, ledger_of
from leocdp.domain.privacy.ledger import ErasureKey, Spell, covered
from leocdp.domain.profiles.state import IdentifierCell, Profile, State

AT = 1_000
KEY = ErasureKey(b"k" * 32)


def profile(name: str, *keys: str, created: int = 1, shared: str = "") -> Profile:
    cells = {key: IdentifierCell(created, created, "src", "m") for key in keys}
    if shared:
        cells[shared] = IdentifierCell(created, created, "src", "m", state="shared")
    return Profile(name, created, State(identifiers=cells))


def switch(at: int, from_leaf: str, to_leaf: str, key: str = "anonymous_id:a") -> SwitchRecord:
    return SwitchRecord(f"swi-{at}", at, key, from_leaf, to_leaf, "m", 1)


@pytest.mark.parametrize(
    ("held", "switches", "spells"),
    [
        (True, [], [(0, AT)]),
        (True, [(10, "other", "me")], [(10, AT)]),
        (False, [(10, "me", "other")], [(0, 10)]),
        (False, [(10, "other", "me"), (20, "me", "other")], [(10, 20)]),
        (True, [(10, "me", "other"), (20, "other", "me")], [(0, 10), (20, AT)]),
        (True, [(20, "other", "me"), (10, "me", "other")], [(0, 10), (20, AT)]),
        (True, [(10, "me", "mine too")], [(0, AT)]),
        # One record a day: what came back on the same day is not seen going.
        (True, [(10, "me", "other")], [(0, 10), (10, AT)]),
        (False, [(10, "other", "me")], []),
    ],
)
def test_a_device_that_was_handed_about_is_theirs_in_between(
    held: bool, switches: list[tuple[int, str, str]], spells: list[tuple[int, int]]
) -> None:
    leaves = [profile("me", *(["anonymous_id:a"] if held else [])), profile("mine too")]
    found = ledger_of(leaves, [switch(*one) for one in switches], AT)
    assert found == ({"anonymous_id:a": tuple(Spell(*one) for one in spells)} if spells else {})


def test_every_kind_is_in_the_ledger_but_what_everybody_shares() -> None:
    leaf = profile("me", "user_id:u", "email:a@x.vn", "device_id:d", shared="phone:+84901234567")
    assert ledger_of([leaf], [], AT).keys() == {"user_id:u", "email:a@x.vn", "device_id:d"}


def test_a_spell_covers_what_arrived_in_it() -> None:
    ledger = {"email:a@x.vn": [Spell(10, 20)]}
    assert [at for at in (9, 10, 11, 20, 21) if covered(ledger, "email:a@x.vn", at)] == [11, 20]
    assert not covered(ledger, "email:b@x.vn", 15)


@pytest.mark.parametrize(
    ("keys", "created", "erased"),
    [
        (["user_id:u"], 1, True),
        (["user_id:u"], AT + 1, False),
        (["user_id:other", "phone:+84901234567", "anonymous_id:a"], 1, False),
        (["phone:+84901234567"], 1, True),
        (["phone:+84901234567", "anonymous_id:a"], 1, True),
        (["anonymous_id:a"], 1, False),
        (["anonymous_id:a"], 11, True),
        (["email:b@x.vn", "anonymous_id:a"], 11, False),
    ],
)
def test_who_is_the_erased_person_is_told_by_the_strongest_identifier(
    keys: list[str], created: int, erased: bool
) -> None:
    ledger = {"user_id:u": [Spell(0, AT)], "phone:+84901234567": [Spell(0, AT)], "anonymous_id:a": [Spell(10, AT)]}
    one = profile("somebody", *keys, created=created)
    assert erased_people(ledger, [one], default_rules()) == ([one] if erased else [])


def test_what_is_shared_tells_nothing() -> None:
    one = profile("somebody", shared="user_id:u")
    assert erased_people({"user_id:u": [Spell(0, AT)]}, [one], default_rules()) == []


def test_hashes_depend_on_the_secret_and_do_not_repeat() -> None:
    other = ErasureKey(b"o" * 32)
    keys = ["email:a@x.vn", "email:b@x.vn", "user_id:\ud800"]
    assert len({key.hash(one) for key in (KEY, other) for one in keys}) == 6
    assert KEY.hash(keys[0]) == ErasureKey(b"k" * 32).hash(keys[0])
    assert len(KEY.hash(keys[0])) == 32
    assert KEY.fingerprint != other.fingerprint
    assert len(ErasureKey(b"l" * 500).fingerprint) == 8


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        ErasureKey(b"short")
