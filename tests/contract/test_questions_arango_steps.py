"""Everybody is asked in as few steps as their number allows, and nobody is asked twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest

from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.profile_reader import ArangoProfileReader
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.adapters.arango.segments import questions
from leocdp.domain.segments.audience import SAMPLES
from leocdp.domain.segments.nodes import Everyone
from leocdp.ports.profile_reader import Question
from tests.contract.arango_backend import double_database
from tests.contract.builders import T0, person, together
from tests.doubles.arangodb.double import Double

PEOPLE = 150
EVERYBODY = Question(Everyone(), T0, ZoneInfo("UTC"), {}, {})


@pytest.mark.parametrize("end", [SAMPLES, questions.FIFTH])
@pytest.mark.parametrize(("people", "width"), [(0, 1024), (20_000, 1024), (100_000, 204), (2_000_000, 16), (10**9, 16)])
def test_steps_are_of_some_thousand_people_and_leave_nobody_out(people: int, width: int, end: int) -> None:
    found = list(questions.steps(people, end))
    assert [sample for first, last in found for sample in range(first, last + 1)] == list(range(end))
    assert found[0] == (0, min(width, end) - 1)


@pytest.fixture
async def place() -> AsyncIterator[tuple[Double, Connection]]:
    with double_database() as (double, connection):
        store = ArangoProfileStore(connection)
        await store.start()
        await store.commit(together(*(person(number) for number in range(PEOPLE))), [], T0)
        await store.close()
        yield double, connection


@pytest.mark.parametrize(("small", "asked"), [(20_000, 1), (10, 16)])
async def test_everybody_is_counted_once(
    place: tuple[Double, Connection], monkeypatch: pytest.MonkeyPatch, small: int, asked: int
) -> None:
    """Beside the head, that tells how many there are."""
    monkeypatch.setattr(questions, "SMALL", small)
    reader = ArangoProfileReader(place[1])
    await reader.start()
    begun = place[0].log.mark()
    size = await reader.size_of(EVERYBODY, sample=False)
    assert (size.count, size.exact) == (PEOPLE, True)
    assert len(place[0].log.since(begun)) == 1 + asked
    found = await reader.matching(EVERYBODY, limit=PEOPLE)
    assert len({hit.id for hit in found}) == len(found)
    await reader.close()
