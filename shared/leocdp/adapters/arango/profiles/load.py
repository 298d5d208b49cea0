"""Load: everything that a batch can see, as one snapshot, in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.keys import hashed
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.arango.profiles.documents import history_key, profile_of
from leocdp.adapters.arango.profiles.head import Bucket
from leocdp.domain.decisions import LoadRequest, MergeRecord, Owner, Snapshot
from leocdp.domain.privacy.ledger import Spell
from leocdp.domain.profiles.state import Profile


class Loaded(NamedTuple):
    snapshot: Snapshot
    buckets: Sequence[Bucket]
    """Of deduplication keys, as they were in the snapshot."""


def load(database: Database, request: LoadRequest) -> Loaded:
    """Raises Failure, msgspec.ValidationError."""
    identifiers = {hashed(key): key for key in request.identifiers}
    found = database.first(
        aql.LOAD,
        identifiers=list(identifiers),
        messages=[key.hex() for key in request.dedup_keys],
        profiles=list(request.profile_ids),
        trees=list(request.trees),
        merges=[history_key("merge", one) for one in request.merge_ids],
        commands=[hashed(one) for one in request.command_ids],
        erasures=list(request.erasures),
    )
    head = found["head"] or {"buckets": [], "erased_until": 0}
    merges = [msgspec.convert(body, MergeRecord) for body in found["merges"]]
    snapshot = Snapshot(
        owners=_owners(found["owners"], identifiers),
        profiles=_profiles([*found["profiles"], *found["roots"], *found["leaves"]]),
        known={bytes.fromhex(key) for key in found["known"]},
        merges={merge.id: merge for merge in merges},
        commands=set(found["outcomes"]),
        erased=_erased(found["gone"]),
        erased_until=head["erased_until"],
    )
    return Loaded(snapshot, msgspec.convert(head["buckets"], list[Bucket]))


def _owners(rows: Sequence[Mapping[str, Any]], identifiers: Mapping[str, str]) -> dict[str, Owner]:
    """Owners that are equal are one object."""
    same: dict[tuple[str, str], Owner] = {}
    owners: dict[str, Owner] = {}
    for row in rows:
        place = (row["leaf"], row["state"])
        owner = same.get(place)
        if owner is None:
            owner = same[place] = Owner(*place)
        owners[identifiers[row["key"]]] = owner
    return owners


def _erased(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Spell, ...]]:
    found: dict[str, tuple[Spell, ...]] = {}
    for row in rows:
        found[row["hash"]] = (*found.get(row["hash"], ()), Spell(row["begins"], row["ends"]))
    return found


def _profiles(documents: Sequence[Mapping[str, Any]]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for document in documents:
        if document["_key"] not in found:
            found[document["_key"]] = profile_of(document)
    return found
