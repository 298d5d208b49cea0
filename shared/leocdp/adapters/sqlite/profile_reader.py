"""The embedded profile store, as the admin service reads it beside a processor that writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from leocdp.adapters.cursors import Place, decode_cursor, encode_cursor, sort_key
from leocdp.adapters.sqlite.profiles import event_reads, figures, history, lists, member_reads, refresh_reads, search
from leocdp.adapters.sqlite.profiles.codec import COMMANDS, PackedId, pack_id, pack_key
from leocdp.adapters.sqlite.profiles.connection import Tuning
from leocdp.adapters.sqlite.profiles.digest_reads import read_digest
from leocdp.adapters.sqlite.profiles.load import load_profiles, load_trees
from leocdp.adapters.sqlite.profiles.positions import logs, read_positions
from leocdp.adapters.sqlite.profiles.problem_reads import latest_of_message, page_of_problems
from leocdp.adapters.sqlite.profiles.reader_pool import ReaderPool
from leocdp.adapters.sqlite.segments.questions import Questions
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

COUNTED: Final = 1_000
READERS: Final = 3
_LATEST: Final = (1 << 62, "\U0010ffff")


class SQLiteProfileReader:
    """``ports.profile_reader.ProfileReader`` on ``profiles.db``."""

    def __init__(self, path: Path, *, tuning: Tuning | None = None, threads: int = READERS) -> None:
        self._pool = ReaderPool(path, tuning or Tuning(cache_mb=32), threads)
        self._questions = Questions(self._pool, max(1, threads - 1))

    async def start(self) -> None:
        self._pool.start()

    async def close(self) -> None:
        await self._pool.close()

    async def find(self, ref: Identifier | str) -> Profile | None:
        return await self._pool.run(lambda connection: _find(connection, ref))

    async def leaves(self, root_id: str) -> Sequence[Profile]:
        return await self._pool.run(lambda connection: _leaves(connection, root_id))

    async def search(self, query: ProfileQuery) -> ProfilePage:
        return await self._pool.run(lambda connection: _search(connection, query))

    async def events(self, leaf_ids: Sequence[str], query: EventQuery) -> Page[StoredEvent]:
        return await self._pool.run(lambda connection: event_reads.timeline(connection, leaf_ids, query))

    async def identity_history(self, leaf_ids: Sequence[str], limit: int = 500) -> IdentityHistory:
        return await self._pool.run(lambda connection: history.read_history(connection, leaf_ids, limit))

    async def event_by_message(self, source_ids: Sequence[str], message_id: str) -> StoredEvent | None:
        return await self._pool.run(lambda connection: event_reads.by_message(connection, source_ids, message_id))

    async def problem_by_message(self, source_ids: Sequence[str], message_id: str) -> ProblemEvent | None:
        return await self._pool.run(lambda connection: latest_of_message(connection, source_ids, message_id))

    async def recent_events(
        self, *, after: int | None = None, source: str = "", name: str = "", limit: int = 50
    ) -> Sequence[tuple[int, StoredEvent]]:
        return await self._pool.run(
            lambda connection: event_reads.newest(connection, after=after, source=source, name=name, limit=limit)
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
        return await self._pool.run(lambda connection: page_of_problems(connection, wanted, after, limit, cursor))

    async def catalogue(self) -> Sequence[CatalogueEntry]:
        return await self._pool.run(figures.read_catalogue)

    async def reviews(self, *, state: str = "open", limit: int = 50, cursor: str | None = None) -> Page[ReviewRow]:
        before = decode_cursor(cursor, (int, str)) if cursor else _LATEST

        def read(connection: sqlite3.Connection) -> Page[ReviewRow]:
            found = history.read_reviews(connection, state, limit + 1, (before[0], before[1]))
            after = encode_cursor(found[limit - 1][0]) if len(found) > limit else None
            return Page([row for _, row in found[:limit]], after)

        return await self._pool.run(read)

    async def command(self, command_id: str) -> CommandOutcome | None:
        return await self._pool.run(lambda connection: _command(connection, command_id))

    async def counts(self) -> Counts:
        return await self._pool.run(figures.read_counts)

    async def series(
        self,
        metric: Literal["events", "profiles", "identified"],
        *,
        since: int,
        bucket: Literal["hour", "day"],
        key: str = "",
    ) -> Sequence[Bucket]:
        return await self._pool.run(lambda connection: figures.read_series(connection, metric, since, bucket, key))

    async def top(self, metric: Literal["name", "source"], *, since: int, limit: int = 10) -> Sequence[tuple[str, int]]:
        return await self._pool.run(lambda connection: figures.read_top(connection, metric, since, limit))

    async def last_event_at(self, source_id: str) -> int | None:
        return await self._pool.run(lambda connection: figures.read_last_event_at(connection, source_id))

    async def positions(self) -> Mapping[tuple[str, int], int]:
        return await self._pool.run(_positions)

    async def digest(self) -> str:
        return await self._pool.run(read_digest)

    async def size_of(self, question: Question, *, sample: bool) -> Size:
        return await self._questions.size_of(question, sample=sample)

    async def matching(self, question: Question, *, limit: int) -> Sequence[ProfileHit]:
        return await self._questions.matching(question, limit=limit)

    async def members(self, segment_key: str, *, limit: int = 50, cursor: str | None = None) -> Page[Member]:
        return await self._pool.run(lambda connection: member_reads.page(connection, segment_key, limit, cursor))

    async def member_ids(self, segment_key: str, *, after: str | None, limit: int) -> Sequence[tuple[str, int]]:
        return await self._pool.run(lambda connection: member_reads.ids(connection, segment_key, after, limit))

    async def member_count(self, segment_key: str) -> int:
        return await self._pool.run(lambda connection: member_reads.count(connection, segment_key))

    async def member_series(self, segment_key: str, *, since: int, bucket: Literal["hour", "day"]) -> Sequence[Bucket]:
        return await self._pool.run(lambda connection: member_reads.series(connection, segment_key, since, bucket))

    async def overlap(self, segment_keys: Sequence[str]) -> Mapping[frozenset[str], int]:
        return await self._pool.run(lambda connection: member_reads.overlap(connection, segment_keys))

    async def people_behind(self, generation: int, *, most: int = 1_000_000) -> int:
        return await self._pool.run(lambda connection: refresh_reads.count_behind(connection, generation, most))

    async def event_facts(
        self, leaf_ids: Sequence[str], *, names: Collection[str], types: Collection[str]
    ) -> Sequence[EventFact]:
        one = {"": leaf_ids}
        found = await self._pool.run(lambda connection: refresh_reads.person_events(connection, one, names, types))
        return found[""]


def _find(connection: sqlite3.Connection, ref: Identifier | str) -> Profile | None:
    packed: PackedId
    if isinstance(ref, Identifier):
        row = connection.execute("SELECT leaf FROM identifiers WHERE key = ?", (pack_key(ref.key),)).fetchone()
        if row is None:
            return None
        packed = row[0]
    else:
        packed = pack_id(ref)
    root = connection.execute("SELECT coalesce(root, id) FROM profiles WHERE id = ?", (packed,)).fetchone()
    return None if root is None else load_profiles(connection, [root[0]])[0]


def _leaves(connection: sqlite3.Connection, root_id: str) -> Sequence[Profile]:
    found = [*load_profiles(connection, [pack_id(root_id)]), *load_trees(connection, [root_id])]
    return sorted(found, key=lambda profile: profile.id)


def _search(connection: sqlite3.Connection, query: ProfileQuery) -> ProfilePage:
    after = Place(*decode_cursor(query.cursor, lists.place_kinds(query.sort))) if query.cursor else None
    total: int | None
    if query.q.strip():
        hits, complete = search.search_places(connection, query)
        total = len(hits) if complete else None
        key = sort_key(lists.ORDERS[query.sort].descending)
        places = [place for place in hits if after is None or key(place) > key(after)]
    else:
        total = lists.count_everyone(connection, query, COUNTED)
        places = lists.page_of_everyone(connection, query, after)
    shown = places[: query.limit]
    following = encode_cursor(shown[-1]) if shown and len(places) > query.limit else None
    return ProfilePage(lists.read_hits(connection, [place.num for place in shown]), following, total)


def _command(connection: sqlite3.Connection, command_id: str) -> CommandOutcome | None:
    row: tuple[Any] | None = connection.execute("SELECT body FROM commands WHERE id = ?", (command_id,)).fetchone()
    return None if row is None else COMMANDS.decode(row[0])


def _positions(connection: sqlite3.Connection) -> Mapping[tuple[str, int], int]:
    """Of the log that was read last."""
    found = logs(connection)
    return read_positions(connection, found[0]) if found else {}
