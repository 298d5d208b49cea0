"""The distributed profile store, as the admin service reads it beside the processors that write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal, TypeVar

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.profiles import (
    digest_reads,
    event_reads,
    figure_reads,
    history_reads,
    people_reads,
    search,
)
from leocdp.adapters.arango.profiles.errors import translated
from leocdp.adapters.arango.profiles.schema import LEDGER
from leocdp.adapters.arango.segments import member_reads, questions, refresh_reads
from leocdp.adapters.arango.threads import Threads
from leocdp.adapters.cursors import Place, decode_cursor, encode_cursor, sort_key
from leocdp.domain.decisions import CommandOutcome
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.subject import EventFact
from leocdp.ports.profile_reader import (
    Bucket,
    CatalogueEntry,
    Counts,
    EventQuery,
    IdentityHistory,
    Member,
    Page,
    ProblemEvent,
    ProfileHit,
    ProfilePage,
    ProfileQuery,
    Question,
    ReviewRow,
    Size,
    StoredEvent,
)

READERS: Final = 4

T = TypeVar("T")


class ArangoProfileReader:
    """``ports.profile_reader.ProfileReader`` in ArangoDB."""

    def __init__(self, connection: Connection, *, threads: int = READERS) -> None:
        self._connection = connection
        self._threads = Threads(connection, Breaker(), threads, "arango-reader")

    async def start(self) -> None:
        self._threads.start()

    async def close(self) -> None:
        await self._threads.close()

    async def find(self, ref: Identifier | str) -> Profile | None:
        return await self._read(lambda database: people_reads.find(database, ref))

    async def leaves(self, root_id: str) -> Sequence[Profile]:
        return await self._read(lambda database: people_reads.leaves(database, root_id))

    async def search(self, query: ProfileQuery) -> ProfilePage:
        return await self._read(lambda database: _search(database, query))

    async def events(self, leaf_ids: Sequence[str], query: EventQuery) -> Page[StoredEvent]:
        return await self._read(lambda database: event_reads.timeline(database, leaf_ids, query))

    async def identity_history(self, leaf_ids: Sequence[str], limit: int = 500) -> IdentityHistory:
        return await self._read(lambda database: history_reads.history(database, leaf_ids, limit))

    async def event_by_message(self, source_ids: Sequence[str], message_id: str) -> StoredEvent | None:
        return await self._read(lambda database: event_reads.by_message(database, source_ids, message_id))

    async def problem_by_message(self, source_ids: Sequence[str], message_id: str) -> ProblemEvent | None:
        return await self._read(lambda database: event_reads.problem_of_message(database, source_ids, message_id))

    async def recent_events(
        self, *, after: int | None = None, source: str = "", name: str = "", limit: int = 50
    ) -> Sequence[tuple[int, StoredEvent]]:
        return await self._read(
            lambda database: event_reads.newest(database, after=after, source=source, name=name, limit=limit)
        )

    async def problem_events(
        self,
        *,
        outcome: str = "",
        reason: str = "",
        source: str = "",
        after: int | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[ProblemEvent]:
        wanted = {"outcome": outcome, "reason": reason, "source": source}
        return await self._read(lambda database: event_reads.page_of_problems(database, wanted, after, limit, cursor))

    async def catalogue(self) -> Sequence[CatalogueEntry]:
        return await self._read(figure_reads.catalogue)

    async def reviews(self, *, state: str = "open", limit: int = 50, cursor: str | None = None) -> Page[ReviewRow]:
        return await self._read(lambda database: history_reads.reviews(database, state, limit, cursor))

    async def command(self, command_id: str) -> CommandOutcome | None:
        return await self._read(lambda database: people_reads.command(database, command_id))

    async def counts(self) -> Counts:
        return figure_reads.counts(await self._read(LEDGER.read))

    async def series(
        self,
        metric: Literal["events", "profiles", "identified"],
        *,
        since: int,
        bucket: Literal["hour", "day"],
        key: str = "",
    ) -> Sequence[Bucket]:
        return await self._read(lambda database: figure_reads.series(database, metric, since, bucket, key))

    async def top(self, metric: Literal["name", "source"], *, since: int, limit: int = 10) -> Sequence[tuple[str, int]]:
        return await self._read(lambda database: figure_reads.top(database, metric, since, limit))

    async def last_event_at(self, source_id: str) -> int | None:
        return await self._read(lambda database: figure_reads.last_event_at(database, source_id))

    async def positions(self) -> Mapping[tuple[str, int], int]:
        return figure_reads.positions_of_latest(await self._read(LEDGER.read))

    async def digest(self) -> str:
        return await self._read(digest_reads.read_digest)

    async def size_of(self, question: Question, *, sample: bool) -> Size:
        return await self._read(lambda database: questions.size_of(database, question, sample=sample))

    async def matching(self, question: Question, *, limit: int) -> Sequence[ProfileHit]:
        return await self._read(lambda database: questions.matching(database, question, limit=limit))

    async def members(self, segment_key: str, *, limit: int = 50, cursor: str | None = None) -> Page[Member]:
        return await self._read(lambda database: member_reads.page(database, segment_key, limit, cursor))

    async def member_ids(self, segment_key: str, *, after: str | None, limit: int) -> Sequence[tuple[str, int]]:
        return await self._read(lambda database: member_reads.ids(database, segment_key, after, limit))

    async def member_count(self, segment_key: str) -> int:
        return await self._read(lambda database: member_reads.count(database, segment_key))

    async def member_series(self, segment_key: str, *, since: int, bucket: Literal["hour", "day"]) -> Sequence[Bucket]:
        return await self._read(lambda database: member_reads.series(database, segment_key, since, bucket))

    async def overlap(self, segment_keys: Sequence[str]) -> Mapping[frozenset[str], int]:
        return await self._read(lambda database: member_reads.overlap(database, segment_keys))

    async def people_behind(self, generation: int, *, most: int = 1_000_000) -> int:
        return await self._read(lambda database: refresh_reads.count_behind(database, generation, most))

    async def event_facts(
        self, leaf_ids: Sequence[str], *, names: Collection[str], types: Collection[str]
    ) -> Sequence[EventFact]:
        one = {"": leaf_ids}
        return (await self._read(lambda database: refresh_reads.person_events(database, one, names, types)))[""]

    async def _read(self, work: Callable[[Database], T]) -> T:
        with translated(self._connection):
            return await self._threads.repeat(work)


def _search(database: Database, query: ProfileQuery) -> ProfilePage:
    kinds = (int, str if query.sort == "name" else int, int)
    after = Place(*decode_cursor(query.cursor, kinds)) if query.cursor else None
    total: int | None
    if query.q.strip():
        hits, complete = search.search_places(database, query)
        total = len(hits) if complete else None
        key = sort_key(people_reads.ORDERS[query.sort].descending)
        found = [one for one in hits if after is None or key(one.place) > key(after)]
    else:
        found, total = people_reads.page_of_everyone(database, query, after)
    shown = found[: query.limit]
    following = encode_cursor(shown[-1].place) if shown and len(found) > query.limit else None
    return ProfilePage(people_reads.read_hits(database, [one.id for one in shown]), following, total)
