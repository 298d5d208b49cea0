"""Reading people: one by identifier or id, lists by keyset over the indexes of ``profiles``, and the rows of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.keys import hashed
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.arango.profiles.documents import profile_of
from leocdp.adapters.cursors import Place, sort_key
from leocdp.domain.decisions import CommandOutcome
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.profiles.listing import display_name, labels_of, listed_identifiers, status_of
from leocdp.domain.profiles.state import Profile
from leocdp.ports.profile_reader import ProfileHit, ProfileQuery, ProfileSort

RARE_LABEL: Final = 2_000
"""Up to so many people a label is read whole and sorted; above, the sorted list is walked and the label looked for."""
COUNTED: Final = 1_000
STATUS: Final = {"anonymous": 0, "identified": 1}
_FAR: Final = 1 << 52


class Order(NamedTuple):
    attribute: str
    descending: bool
    query: str
    first: Any
    """Where the first page begins."""


ORDERS: Final[Mapping[ProfileSort, Order]] = {
    "last_seen": Order("last_seen", True, aql.PEOPLE_BY_LAST_SEEN, _FAR),
    "first_seen": Order("first_seen", True, aql.PEOPLE_BY_FIRST_SEEN, _FAR),
    "name": Order("sorted_name", False, aql.PEOPLE_BY_NAME, ""),
}


class Found(NamedTuple):
    place: Place
    id: str


def find(database: Database, ref: Identifier | str) -> Profile | None:
    if isinstance(ref, Identifier):
        stored = database.first(aql.ROOT_OF_IDENTIFIER, key=hashed(ref.key))
    else:
        stored = database.first(aql.ROOT_OF_PROFILE, id=ref)
    return None if stored is None else profile_of(stored)


def leaves(database: Database, root_id: str) -> Sequence[Profile]:
    found = map(profile_of, database.query(aql.TREE, root=root_id))
    return sorted(found, key=lambda profile: profile.id)


def command(database: Database, command_id: str) -> CommandOutcome | None:
    body = database.first(aql.COMMAND, key=hashed(command_id))
    return None if body is None else msgspec.convert(body, CommandOutcome)


def statuses(query: ProfileQuery) -> list[int]:
    return [STATUS[query.status]] if query.status else [0, 1]


def place_of(row: Mapping[str, Any], order: Order, rank: int = 0) -> Found:
    return Found(Place(rank, row[order.attribute], row["num"]), row["id"])


def page_of_everyone(database: Database, query: ProfileQuery, after: Place | None) -> tuple[list[Found], int | None]:
    """The next ``limit + 1`` people, and how many there are in all; None for more than ``COUNTED``."""
    order = ORDERS[query.sort]
    if query.label and (labelled := _rare(database, query)) is not None:
        key = sort_key(order.descending)
        found = sorted((place_of(row, order) for row in labelled), key=lambda one: key(one.place))
        rest = [one for one in found if after is None or key(one.place) > key(after)]
        return rest[: query.limit + 1], len(found) if len(found) <= COUNTED else None
    rows = database.query(
        order.query,
        statuses=statuses(query),
        value=order.first if after is None else after.value,
        num=(_FAR if order.descending else -1) if after is None else after.num,
        label=query.label,
        limit=query.limit + 1,
    )
    places = [Found(Place(0, row["value"], row["num"]), row["id"]) for row in rows]
    return places, None if query.label else _count(database, query)


def _rare(database: Database, query: ProfileQuery) -> list[Mapping[str, Any]] | None:
    """Everybody with the label and the status, None when they are many."""
    rows = database.query(aql.LABELLED, label=query.label, limit=RARE_LABEL + 1)
    if len(rows) > RARE_LABEL:
        return None
    wanted = statuses(query)
    return [row for row in rows if row["status"] in wanted]


def _count(database: Database, query: ProfileQuery) -> int | None:
    found = sum(database.query(aql.COUNT_PEOPLE, statuses=statuses(query), limit=COUNTED + 1))
    return found if found <= COUNTED else None


def read_hits(database: Database, ids: Sequence[str]) -> list[ProfileHit]:
    """The rows of these people, in this order."""
    stored = database.query(aql.PEOPLE, ids=list(ids)) if ids else []
    found = {each["_key"]: _hit(each) for each in stored}
    return [found[one] for one in ids if one in found]


def _hit(stored: Mapping[str, Any]) -> ProfileHit:
    state = profile_of(stored).folded
    return ProfileHit(
        stored["_key"],
        status_of(state),
        display_name(state.traits),
        stored["first_seen"],
        stored["last_seen"],
        state.total,
        [(identifier.kind, identifier.value) for identifier in listed_identifiers(state)],
        labels_of(state),
    )
