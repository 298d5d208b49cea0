"""Erasing people among others: whose items go, whose stay, and what holds in the store whatever happened before."""

from __future__ import annotations

import pytest

from leocdp.domain.decisions import Changes, Command, CommandOutcome
from leocdp.domain.events import Address, Envelope, Outcome
from leocdp.domain.privacy.ledger import ErasureKey
from leocdp_processor.decide.batch import Item, decide
from leocdp_processor.erasing import Eraser
from tests.fakes.invariants import check
from tests.fakes.memory_store import MemoryStore
from tests.fakes.streams import Operator, events
from tests.fakes.world import BROWSER, KIOSK, RULES, START, World, envelope, key, keys

KEY = ErasureKey(b"k" * 32)


class ErasingWorld(World):
    """A world that knows erasures, as the processor does."""

    def __init__(self) -> None:
        super().__init__()
        self.eraser = Eraser(self.store, KEY, backup_days=0)

    async def seen(self, *items: Item) -> Changes:
        snapshot = await self.eraser.load(items, self.rules)
        changes = decide(items, snapshot, self.rules, START)
        self.store.commit_now(changes, (), START)
        return changes

    async def erase(self, token: str = "", **content: object) -> CommandOutcome:
        self.number += 1
        at = START + self.number * 1000
        if token:
            content["profile"] = self.root(token)
        command = Command(f"cmd_{self.number}", "erase", "usr_1", at, content, Address("commands", 0, self.number, 0))
        return (await self.eraser.carry_out(command, self.rules, at)).outcome

    async def late(self, text: str, at: int, **given: object) -> str:
        """The outcome of one item that was received as the ``at``-th and comes now; ``applied`` or the reason."""
        self.number += 1
        given = {"received_at": START + at * 1000, "timestamp": START + at * 1000, **given}
        changes = await self.seen(envelope(text, self.number, **given))
        return "applied" if changes.events else changes.problems[0].reason


@pytest.fixture
def world() -> ErasingWorld:
    return ErasingWorld()


async def test_what_the_strongest_identifier_says(world: ErasingWorld) -> None:
    world.see("a1 u1 x1", "a2 u2 x2", "u1 p1")
    await world.erase("u1")
    assert world.people() == keys("a2 u2 x2")
    late = {text: await world.late(text, 1) for text in ("u1", "a1", "x1", "p1", "a1 u1 x1", "a9 x1", "u2", "a2 x2")}
    assert late == {
        **dict.fromkeys(("u1", "a1", "x1", "p1", "a1 u1 x1", "a9 x1"), "erased"),
        **dict.fromkeys(("u2", "a2 x2"), "applied"),
    }


async def test_a_phone_number_of_the_family_takes_nobody_along(world: ErasingWorld) -> None:
    """p stays with u1, who is erased; u2 uses the same number."""
    world.see("u1 p1", "u2 p1")
    await world.erase("u1")
    assert world.people() == keys("u2")
    assert await world.late("u2 p1", 1) == "applied"
    assert await world.late("a1 u2 p1", 1) == "applied"
    assert world.people() == keys("u2 a1")
    assert await world.late("p1", 1) == "erased"


async def test_a_name_that_nobody_has_yet_does_not_bring_an_erased_person_back(world: ErasingWorld) -> None:
    """The item that would have told that c1 is u1's was still in the queue."""
    world.see("u1 x1", "a1 u1")
    await world.erase("u1")
    assert await world.late("c1 x1", 1) == "erased"
    assert world.people() == set()
    # A device says less than that: the tablet may be anybody's.
    assert await world.late("u5 a1", 1) == "applied"
    assert world.people() == keys("u5")


async def test_devices_of_a_kiosk_say_nothing(world: ErasingWorld) -> None:
    world.see("a1 u1", "u2")
    await world.erase("u1")
    assert await world.late("a1", 1, source=KIOSK) == "applied"
    assert await world.late("a1 u2", 1, source=KIOSK) == "applied"


async def test_an_alias_of_an_erased_id_tells_nothing_about_another_person(world: ErasingWorld) -> None:
    world.see("a1 u1", "u2")
    await world.erase("u1")
    assert await world.late("", 1, type="alias", name=None, previous_id="a1") == "erased"
    assert await world.late("u2", 1, type="alias", name=None, previous_id="a1") == "applied"
    assert world.people() == keys("u2")
    assert world.store.events[-1].envelope.previous_id is None


async def test_who_comes_back_is_somebody_new(world: ErasingWorld) -> None:
    world.see("a1 u1 x1")
    former = world.root("u1")
    await world.erase("u1")
    world.see("a1 u1 x1")
    assert world.people() == keys("a1 u1 x1")
    assert world.root("u1") != former
    again = await world.erase(hashes={KEY.hash(key("u1")): [[0, START + 2000]]}, key=KEY.fingerprint, at=START + 2000)
    assert again.result["profiles"] == 0
    assert world.people() == keys("a1 u1 x1")


async def test_a_number_that_went_to_somebody_else_is_the_erased_persons_only_until_then(world: ErasingWorld) -> None:
    world.see("u1 p1")
    world.see("u2 p1!")
    await world.erase("u1")
    assert world.people() == keys("u2 p1")
    assert await world.late("p1", 1) == "erased"
    assert await world.late("p1", 3) == "applied"


async def test_a_crowds_identifier_is_nobodys(world: ErasingWorld) -> None:
    world.see(*[f"a1 u{number}" for number in range(1, 14)])
    assert world.state("a1") == "shared"
    owner = world.store.owners[key("a1")].leaf
    outcome = await world.erase(profile=owner)
    assert KEY.hash(key("a1")) not in outcome.result["hashes"]
    assert await world.late("a1 u99", 1, source=BROWSER) == "applied"


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happened_before_the_store_is_whole_afterwards(seed: int) -> None:
    """People who share devices and are merged, un-merged and erased at random: everything still fits together, nothing
    names those who are gone, and the same again gives the same."""
    first, second = ErasingWorld(), ErasingWorld()
    stream = events(seed, 160, 14)
    operator = Operator(seed, first.store)
    for begin in range(0, len(stream), 20):
        await _both(first, second, *stream[begin : begin + 20])
        for command in operator.commands(2):
            await _both(first, second, command)
        roots = sorted(first.store.root_of(one) for one in first.store.profiles)
        if begin % 40 == 20 and roots:
            root = roots[seed % len(roots)]
            leaves = set(first.store.profiles[root].leaf_ids)
            first.number = second.number = begin + 20
            outcomes = [await one.erase(profile=root) for one in (first, second)]
            assert outcomes[0] == outcomes[1]
            assert set(outcomes[0].result["profile_ids"]) == leaves
            assert not leaves & _named(first.store)
        check(first.store, RULES)
    assert first.store.digest_now() == second.store.digest_now()
    late = [one for one in stream if one.received_at <= START + 60_000]
    changes = await first.seen(*late)
    assert {one.outcome for one in changes.problems} <= {Outcome.DUPLICATE, Outcome.FILTERED}
    assert not changes.events


async def _both(first: ErasingWorld, second: ErasingWorld, *items: Envelope | Command) -> None:
    for world in (first, second):
        await world.seen(*items)


def _named(store: MemoryStore) -> set[str | None]:
    """Ids of profiles that anything in the store names, but for who a device was switched from long ago."""
    history = [
        *((one.into, one.source) for one in store.merges.values()),
        *((one.from_leaf, one.to_leaf) for one in store.switches.values()),
        *((one.owner, one.leaf) for one in store.refusals.values()),
        *((one.left, one.right) for one in store.reviews.values()),
        *((owner.leaf,) for owner in store.owners.values()),
        *((one.leaf,) for one in store.events),
        *((one.record.profile_id,) for one in store.outbox),
    ]
    return {one for pair in history for one in pair} | store.profiles.keys()
