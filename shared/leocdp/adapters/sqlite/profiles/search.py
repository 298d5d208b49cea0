"""Searches for people: exact identifier, beginning of a word of the name, then any part of a name or identifier.

Each step is an index range or a look-up in the trigram index with a limit, never a scan. Device identifiers are found
whole and by their beginning only; those of priority 1–5 by any part of three characters or more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from leocdp.adapters.cursors import Place, sort_key
from leocdp.adapters.sqlite.profiles.codec import SEPARATOR, pack_id, pack_key, unpack_key
from leocdp.adapters.sqlite.profiles.lists import ORDERS, STATUS
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.profiles.listing import fold, is_contact
from leocdp.domain.profiles.search_text import named_identifier, parts_of, spellings
from leocdp.ports.profile_reader import ProfileQuery

HITS: Final = 1_000
"""Hits that are ranked; beyond, a search only says that there are more."""
_FILTERED_FROM: Final = 4 * HITS
"""How many hits are looked at to find those with a status or a label."""
_EXACT, _NAME, _PART = 0, 1, 2
_TOP: Final = "\U0010ffff"
_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)


def search_places(connection: sqlite3.Connection, query: ProfileQuery) -> tuple[list[Place], bool]:
    """Places of all hits in their order, at most ``HITS``, and whether that is all of them."""
    most = _FILTERED_FROM if query.status or query.label else HITS
    ranks: dict[int, int] = {}
    for rank, num in _found(connection, query, most + 1):
        ranks.setdefault(num, rank)
        if len(ranks) > most:
            break
    places, more = _sorted(connection, query, ranks)
    return places, len(ranks) <= most and not more


def _sorted(connection: sqlite3.Connection, query: ProfileQuery, ranks: dict[int, int]) -> tuple[list[Place], bool]:
    column, descending = ORDERS[query.sort]
    sql = f"SELECT num, {column}, status FROM profiles WHERE root IS NULL AND num IN ({{in}})"  # noqa: S608
    status = STATUS.get(query.status)
    rows = [row for row in select_in(connection, sql, ranks) if status is None or row[2] == status]
    if query.label:
        labelled = select_in(
            connection, "SELECT num FROM labels WHERE label = ? AND num IN ({in})", ranks, (query.label,)
        )
        wanted = {num for (num,) in labelled}
        rows = [row for row in rows if row[0] in wanted]
    # The first hits as they were found, better ones first; only those are put in order.
    rows.sort(key=lambda row: ranks[row[0]])
    places = sorted((Place(ranks[num], value, num) for num, value, _ in rows[:HITS]), key=sort_key(descending))
    return places, len(rows) > HITS


def _found(connection: sqlite3.Connection, query: ProfileQuery, most: int) -> Iterator[tuple[int, int]]:
    """(rank, row number) of roots, best first, some more than once."""
    folded = fold(query.q)
    if len(folded) >= 3:
        yield from ((_EXACT, num) for num in _exact(connection, query))
    if folded:
        yield from ((_NAME, num) for num in _by_word(connection, folded, most))
    if len(folded) >= 3:
        yield from ((_PART, num) for num in _by_beginning(connection, query))
        yield from ((_PART, num) for num in _by_part(connection, folded, query.contacts, most))


def _exact(connection: sqlite3.Connection, query: ProfileQuery) -> Iterator[int]:
    text = query.q.strip()
    yield from _roots_of(connection, [pack_id(text)])
    leaves: list[Any] = []
    named = named_identifier(text)
    if named is not None and (query.contacts or not is_contact(named)):
        sql = "SELECT leaf FROM identifiers WHERE key = ?"
        leaves += [leaf for (leaf,) in connection.execute(sql, (pack_key(named.key),))]
    for value in spellings(text):
        leaves += _leaves_between(connection, value + SEPARATOR, value + _AFTER_SEPARATOR, query.contacts)
    yield from _roots_of(connection, leaves)


def _leaves_between(connection: sqlite3.Connection, low: str, high: str, contacts: bool) -> list[Any]:
    sql = "SELECT key, leaf FROM identifiers WHERE key > ? AND key < ? LIMIT ?"
    rows = connection.execute(sql, (low, high, HITS + 1))
    return [leaf for key, leaf in rows if contacts or not is_contact(unpack_key(key))]


def _by_beginning(connection: sqlite3.Connection, query: ProfileQuery) -> Iterator[int]:
    text = query.q.strip()
    yield from _roots_of(connection, _leaves_between(connection, text, text + _TOP, query.contacts))


def _by_word(connection: sqlite3.Connection, folded: str, most: int) -> Iterator[int]:
    """Names with words that are so, then names with words that begin so.

    The first is read as far as it is needed; for the second, the index gathers everything that begins so.
    """
    phrase = '"' + folded.replace('"', '""') + '"'
    for match in (phrase, f"{phrase} *"):
        rows = connection.execute("SELECT rowid FROM names_fts WHERE names_fts MATCH ? LIMIT ?", (match, most))
        found = [num for (num,) in rows]
        yield from found
        if len(found) == most:
            return


def _by_part(connection: sqlite3.Connection, folded: str, contacts: bool, most: int) -> Iterator[int]:
    quoted = " OR ".join('"' + part.replace('"', '""') + '"' for part in parts_of(folded))
    match = f"({quoted})" if contacts else f"{{name ids}} : ({quoted})"
    rows = connection.execute("SELECT rowid FROM texts_fts WHERE texts_fts MATCH ? LIMIT ?", (match, most))
    for (num,) in rows:
        yield num


def _roots_of(connection: sqlite3.Connection, ids: Sequence[Any]) -> Iterator[int]:
    sql = (
        "SELECT r.num FROM profiles AS p CROSS JOIN profiles AS r ON r.id = coalesce(p.root, p.id) WHERE p.id IN ({in})"
    )
    for (num,) in select_in(connection, sql, ids):
        yield num
