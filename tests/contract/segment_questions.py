"""The contract of questions to everybody: what a store says of a condition is what ``evaluate`` says of each person."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, cast
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from leocdp.domain.decisions import Changes, EventWrite, MemberWrite
from leocdp.domain.events import Envelope
from leocdp.domain.privacy.ledger import ErasedPerson, Erasure
from leocdp.domain.profiles.state import Person as Folded
from leocdp.domain.profiles.state import Profile, State
from leocdp.domain.segments.evaluate import evaluate
from leocdp.domain.segments.nodes import All, Any_, Everyone, Node, Not
from leocdp.domain.segments.printing import to_json
from leocdp.domain.segments.subject import EventFact, Setting, subject_of
from leocdp.ports.profile_reader import ProfileReader, Question
from leocdp.ports.profile_store import ProfileStore
from tests.contract.builders import SOURCE, event, together
from tests.contract.profile_backend import Backend, ProfileContract, write
from tests.fakes.segment_strategies import (
    FAMILIES,
    HALF_LIVES,
    SEGMENTS,
    Family,
    Person,
    case,
    conditions,
    people,
)

FUZZ_SECONDS = int(os.environ.get("LEOCDP_FUZZ_SECONDS", "0"))
"""How long random conditions are tried; 0: the same few every time."""


@dataclass(frozen=True)
class World:
    """People as they are stored, and the time at which all of them are asked."""

    number: int
    now: int
    zone: ZoneInfo
    everybody: Sequence[Person]

    def question(self, node: Node) -> Question:
        return Question(node, self.now, self.zone, SEGMENTS, HALF_LIVES)

    def expected(self, node: Node) -> set[str]:
        return {one.profile.id for one in self.everybody if self.holds(node, one)}

    def holds(self, node: Node, person: Person) -> bool:
        subject = subject_of(person.profile, segments=SEGMENTS, half_lives=HALF_LIVES, now=self.now)
        return evaluate(node, subject, person.events, self.now, Setting(self.zone)).holds


def make_world(number: int, count: int) -> World:
    asked = case(number)
    now, zone = asked.now, cast(ZoneInfo, asked.setting.zone)
    found = people(count, now=now, zone=zone, start=number * count)
    return World(number, now, zone, [_own_messages(one) for one in found])


def _own_messages(person: Person) -> Person:
    """Message ids are unique in a store; those of one person keep their order."""
    events = [structs.replace(one, message_id=f"{person.profile.id}-{one.message_id}") for one in person.events]
    return replace(person, events=events)


def leaves_of(world: World) -> list[list[str]]:
    """Every third person has two leaves."""
    ids = [person.profile.id for person in world.everybody]
    return [[one, f"{one}-leaf"] if place % 3 == 0 else [one] for place, one in enumerate(ids)]


async def store_world(store: ProfileStore, world: World) -> None:
    """Of the events of people with two leaves every second one belongs to the other leaf."""
    for person, leaves in zip(world.everybody, leaves_of(world), strict=True):
        writes = [
            EventWrite(_envelope(fact, world.now), leaves[number % len(leaves)])
            for number, fact in enumerate(person.events)
        ]
        held = person.profile.audience
        members = [MemberWrite(key, leaves[0], since) for key, since in held.members.items()] if held else []
        changes = Changes(profiles=_profiles(person.profile, leaves), members=members)
        await write(store, together(changes, Changes(events=writes)))


def _profiles(root: Profile, leaves: Sequence[str]) -> list[Profile]:
    if len(leaves) == 1:
        return [root]
    other = Profile(leaves[1], root.created_at, root.state, merged_into=root.id, root=root.id)
    return [replace(root, state=State(), person=Folded(root.state, tuple(sorted(leaves)))), other]


def _envelope(fact: EventFact, now: int) -> Envelope:
    return event(
        fact.message_id,
        fact.at,
        source=SOURCE,
        type=fact.type,
        name=fact.name,
        properties=dict(fact.properties),
        received_at=now,
    )


async def said(reader: ProfileReader, world: World, node: Node) -> set[str]:
    found = await reader.matching(world.question(node), limit=len(world.everybody) + 1)
    size = await reader.size_of(world.question(node), sample=False)
    ids = [one.id for one in found]
    assert (size.count, size.exact, len(set(ids))) == (len(ids), True, len(ids))
    return set(ids)


def parts_of(node: Node) -> Iterator[Node]:
    """From the smallest to the whole."""
    if isinstance(node, All | Any_):
        for part in node.parts:
            yield from parts_of(part)
    elif isinstance(node, Not):
        yield from parts_of(node.part)
    yield node


class SegmentQuestionsContract(ProfileContract):
    PEOPLE: ClassVar[int] = 40
    CONDITIONS: ClassVar[int] = 60
    """Per world."""
    WORLDS: ClassVar[int] = 5

    @pytest.mark.parametrize("family", [*FAMILIES, "all"])
    async def test_random_conditions_mean_the_same_everywhere(self, backend: Backend, family: Family | str) -> None:
        """With the default sizes 12,000 pairs of a condition and a person for each family."""
        families: Sequence[Family] = FAMILIES if family == "all" else [one for one in FAMILIES if one == family]
        store, reader = backend.store(), backend.reader()
        await store.start()
        await reader.start()
        for number in _numbers(self.WORLDS):
            world = make_world(number, self.PEOPLE)
            await store_world(store, world)
            for node in conditions(
                self.CONDITIONS, now=world.now, zone=world.zone, start=number * self.CONDITIONS, families=families
            ):
                await _compare(reader, world, node)
            await _remove_everybody(store, world)
        await reader.close()
        await store.close()

    async def test_a_question_to_nobody(self, store: ProfileStore, reader: ProfileReader) -> None:
        world = make_world(0, 0)
        for node in (Everyone(), Not(Everyone())):
            assert await said(reader, world, node) == set()
            assert (await reader.size_of(world.question(node), sample=True)).exact

    async def test_a_small_workspace_is_counted_exactly_at_once(
        self, store: ProfileStore, reader: ProfileReader
    ) -> None:
        world = make_world(1, 30)
        await store_world(store, world)
        size = await reader.size_of(world.question(Everyone()), sample=True)
        assert (size.count, size.exact, size.error) == (30, True, 0)

    async def test_some_people_are_found_whole(self, store: ProfileStore, reader: ProfileReader) -> None:
        world = make_world(2, 30)
        await store_world(store, world)
        found = await reader.matching(world.question(Everyone()), limit=7)
        assert len({one.id for one in found}) == 7
        assert {one.id for one in found} <= world.expected(Everyone())


def _numbers(quick: int) -> Iterator[int]:
    """Of worlds: always the same few, or as many new ones as there is time for."""
    if not FUZZ_SECONDS:
        yield from range(quick)
        return
    number, deadline = int(time.time() * 1000), time.monotonic() + FUZZ_SECONDS / (len(FAMILIES) + 1)
    while time.monotonic() < deadline:
        yield number
        number += 1


async def _remove_everybody(store: ProfileStore, world: World) -> None:
    gone = tuple(ErasedPerson(leaves[0], 1, tuple(leaves)) for leaves in leaves_of(world))
    await store.erase(Erasure(f"cmd-{world.number}", world.now, "key-1", gone, {}), lambda _: False)


async def _compare(reader: ProfileReader, world: World, node: Node) -> None:
    for part in parts_of(node):
        expected, found = world.expected(part), await said(reader, world, part)
        if expected != found:
            wrong = sorted(expected ^ found)[0]
            person = next(one for one in world.everybody if one.profile.id == wrong)
            pytest.fail(
                f"world {world.number}, now {world.now}, {world.zone}: evaluate says {wrong in expected} of {wrong}\n"
                f"{to_json(part)}\n{part}\n{person}"
            )
