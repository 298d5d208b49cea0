"""Conditions put to everybody: AQL finds those of whom a condition may hold, and says of most whether it does; of the
others ``evaluate`` decides, in pieces, so that nothing grows with the number of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.profiles import figure_reads
from leocdp.adapters.arango.profiles.documents import profile_of
from leocdp.adapters.arango.profiles.people_reads import read_hits
from leocdp.adapters.arango.profiles.schema import LEDGER
from leocdp.adapters.arango.segments import aql
from leocdp.adapters.arango.segments.printer import Printed, print_condition
from leocdp.adapters.arango.segments.refresh_reads import person_events
from leocdp.adapters.audience_sizes import SAMPLED, SMALL, estimate
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import SAMPLES
from leocdp.domain.segments.evaluate import evaluate
from leocdp.domain.segments.references import references
from leocdp.domain.segments.subject import Setting, subject_of
from leocdp.ports.profile_reader import ProfileHit, Question, Size

AT_ONCE: Final = 500
"""People whose documents and events are fetched together."""
FIFTH: Final = 13 * SAMPLED
"""Samples that are looked at to find some people: of everybody a fifth, as a rare condition need not be found."""

Samples = tuple[int, int]
"""The first and the last."""


def size_of(database: Database, question: Question, *, sample: bool) -> Size:
    printed = print_condition(question)
    people = _how_many(database)
    if sample and people > SMALL:
        sampled: int = database.first(aql.SAMPLED_PEOPLE, last=SAMPLED - 1)
        return estimate(_count(database, question, printed, (0, SAMPLED - 1)), sampled, people)
    return Size(sum(_count(database, question, printed, step) for step in steps(people, SAMPLES)), exact=True)


def matching(database: Database, question: Question, *, limit: int) -> Sequence[ProfileHit]:
    """From the sample first. In a small workspace everybody is looked at."""
    printed = print_condition(question)
    people = _how_many(database)
    found: list[str] = []
    for step in steps(people, SAMPLES if people <= SMALL else FIFTH):
        if len(found) >= limit:
            break
        found += _find(database, question, printed, step, limit - len(found))
    return read_hits(database, found)


def steps(people: int, end: int) -> Iterator[Samples]:
    """The samples before ``end``, so many at a time that a query looks at about 20,000 people, or at a sixty-fourth of
    them where that is more."""
    width = max(SAMPLED, min(SAMPLES, SAMPLES * SMALL // max(people, 1)))
    for first in range(0, end, width):
        yield first, min(first + width, end) - 1


def _how_many(database: Database) -> int:
    return figure_reads.counts(LEDGER.read(database)).people


def _count(database: Database, question: Question, printed: Printed, step: Samples) -> int:
    text, binds = printed.tally(*step)
    rows = database.query(text, **binds)
    sure: int = sum(row["n"] for row in rows if row["open"] is None)
    return sure + sum(1 for _ in _decided(database, question, [row["open"] for row in rows if row["open"] is not None]))


def _find(database: Database, question: Question, printed: Printed, step: Samples, limit: int) -> list[str]:
    text, binds = printed.some(*step, limit)
    found: list[str] = database.query(text, **binds)
    if len(found) >= limit or printed.exact:
        return found
    text, binds = printed.tally(*step)
    unsure = [row["open"] for row in database.query(text, **binds) if row["open"] is not None]
    for one in _decided(database, question, unsure):
        found.append(one)
        if len(found) == limit:
            break
    return found


def _decided(database: Database, question: Question, ids: Sequence[str]) -> Iterator[str]:
    """Those of whom the condition holds."""
    wanted = references(question.condition)
    setting = Setting(question.zone)
    for start in range(0, len(ids), AT_ONCE):
        people = _people(database, ids[start : start + AT_ONCE])
        leaves = {one.id: one.leaf_ids for one in people}
        events = person_events(database, leaves, wanted.event_names, wanted.event_types)
        for one in people:
            subject = subject_of(one, segments=question.segments, half_lives=question.half_lives, now=question.now)
            if evaluate(question.condition, subject, events[one.id], question.now, setting).holds:
                yield one.id


def _people(database: Database, ids: Sequence[str]) -> list[Profile]:
    """Who was merged away meanwhile is somebody else."""
    found = map(profile_of, database.query(aql.PEOPLE_BY_KEY, keys=list(ids)))
    return [one for one in found if one.merged_into is None]
