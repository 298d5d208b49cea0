"""Searches for people: exact identifier, beginning of a word of the name, then any part of a name or identifier.

Each step is a look-up in an index with a limit, never a scan. Device identifiers are found whole and by their
beginning only; those of priority 1–5 by any part of three characters or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.keys import hashed
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.arango.profiles.keys import AFTER_HEX, BEGINNING_BYTES, beginning
from leocdp.adapters.arango.profiles.people_reads import ORDERS, Found, place_of, statuses
from leocdp.adapters.arango.profiles.searching import GRAM, grams, starts, words
from leocdp.adapters.cursors import sort_key
from leocdp.domain.identity.identifiers import parse_key
from leocdp.domain.profiles.listing import fold, is_contact
from leocdp.domain.profiles.search_text import named_identifier, parts_of, spellings
from leocdp.ports.profile_reader import ProfileQuery

HITS: Final = 1_000
"""Hits that are ranked; beyond, a search only says that there are more."""
_FILTERED_FROM: Final = 4 * HITS
"""How many hits are looked at to find those with a status or a label."""
LOOKED_AT: Final = 20_000
"""Texts that are compared at most, of those that have a gram."""
_COMPARED_GRAMS: Final = 8
_EXACT, _NAME, _PART = 0, 1, 2


def search_places(database: Database, query: ProfileQuery) -> tuple[list[Found], bool]:
    """Places of all hits in their order, at most ``HITS``, and whether that is all of them."""
    most = _FILTERED_FROM if query.status or query.label else HITS
    ranks: dict[str, int] = {}
    for rank, root in _found(database, query, most + 1):
        ranks.setdefault(root, rank)
        if len(ranks) > most:
            break
    places, more = _sorted(database, query, ranks)
    return places, len(ranks) <= most and not more


def _sorted(database: Database, query: ProfileQuery, ranks: Mapping[str, int]) -> tuple[list[Found], bool]:
    order, wanted = ORDERS[query.sort], statuses(query)
    rows = database.query(aql.PLACES, ids=list(ranks)) if ranks else []
    rows = [row for row in rows if row["status"] in wanted and (not query.label or query.label in row["labels"])]
    # The first hits as they were found, better ones first; only those are put in order.
    rows.sort(key=lambda row: ranks[row["id"]])
    found = [place_of(row, order, ranks[row["id"]]) for row in rows[:HITS]]
    key = sort_key(order.descending)
    return sorted(found, key=lambda one: key(one.place)), len(rows) > HITS


def _found(database: Database, query: ProfileQuery, most: int) -> Iterator[tuple[int, str]]:
    """(rank, root) of people, best first, some more than once."""
    folded = fold(query.q)
    if len(folded) >= GRAM:
        yield from ((_EXACT, root) for root in _exact(database, query))
    if spaced := words(folded):
        yield from ((_NAME, root) for root in _with_part(database, aql.NAMES_WITH, starts(spaced), spaced, most))
    if len(folded) >= GRAM:
        yield from ((_PART, root) for root in _by_beginning(database, query))
        for part in parts_of(folded):
            yield from ((_PART, root) for root in _by_part(database, part, query.contacts, most))


def _exact(database: Database, query: ProfileQuery) -> Sequence[str]:
    text = query.q.strip()
    values = set(spellings(text))
    beginnings = sorted({beginning(value) for value in values})
    rows = database.query(aql.OWNERS_OF_VALUE, beginnings=beginnings, limit=HITS + 1)
    owned = [row for row in rows if parse_key(row["key"]).value in values]
    named = named_identifier(text)
    if named is not None:
        owned += [{**row, "key": named.key} for row in database.query(aql.OWNERS, keys=[hashed(named.key)])]
    return _roots_of(database, [text, *_leaves(owned, query.contacts)])


def _by_beginning(database: Database, query: ProfileQuery) -> Sequence[str]:
    text = query.q.strip()
    low = beginning(text)
    high = low + AFTER_HEX
    if len(low) == 2 * BEGINNING_BYTES:
        # The index knows no more of a value than this, so all that is left is to compare.
        high = low + "0"
    rows = database.query(aql.OWNERS_BETWEEN, low=low, high=high, limit=HITS + 1)
    begun = [row for row in rows if parse_key(row["key"]).value.startswith(text)]
    return _roots_of(database, _leaves(begun, query.contacts))


def _leaves(rows: Iterable[Mapping[str, Any]], contacts: bool) -> list[str]:
    return [row["leaf"] for row in rows if contacts or not is_contact(parse_key(row["key"]))]


def _roots_of(database: Database, ids: Sequence[str]) -> Sequence[str]:
    return database.query(aql.ROOTS_OF, ids=list(ids)) if ids else []


def _by_part(database: Database, part: str, contacts: bool, most: int) -> Iterator[str]:
    found = sorted(grams(part))
    yield from _with_part(database, aql.TEXTS_WITH, found, part, most)
    if contacts:
        yield from _with_part(database, aql.CONTACTS_WITH, found, part, most)


def _with_part(database: Database, query: str, found: Iterable[str], part: str, most: int) -> Sequence[str]:
    sizes = aql.CONTACT_GRAM_SIZES if query == aql.CONTACTS_WITH else aql.GRAM_SIZES
    gram = _rarest(database, sizes, sorted(found))
    if gram is None:
        return []
    return database.query(query, gram=gram, part=part, looked_at=LOOKED_AT, limit=most)


def _rarest(database: Database, sizes: str, found: Sequence[str]) -> str | None:
    """The gram that the fewest people have; None when nobody has one of them."""
    if len(found) <= 1:
        return found[0] if found else None
    step = max(1, len(found) // _COMPARED_GRAMS)
    compared = list(found[::step])
    counted = database.query(sizes, grams=compared, limit=LOOKED_AT)
    size, gram = min(zip(counted, compared, strict=True))
    return gram if size else None
