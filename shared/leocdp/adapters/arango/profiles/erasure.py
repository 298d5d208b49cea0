"""Erasure: people go with everything that is kept of them, and the ledger says whom to keep away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from leocdp.adapters.arango.database import Documents, Transaction
from leocdp.adapters.arango.keys import hashed, number_key
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.arango.profiles.head import Head
from leocdp.adapters.arango.profiles.removal import Removal, remove_events, remove_profiles, take_back
from leocdp.domain.decisions import SwitchRecord
from leocdp.domain.privacy.ledger import ErasedPerson, Erasure, ErasureReceipt
from leocdp.ports.profile_store import Conflict

COUNTED: Final = ("profiles", "events", "identifiers", "history", "problems", "outbox")
_PAGE: Final = 500

Mentions = Callable[[str], bool]


class Looked(NamedTuple):
    """Problem events that speak of a person, as far as they have been looked at."""

    keys: Collection[str]
    last: str
    """Key of the last one."""


def look_at_problems(database: Documents, erasure: Erasure, mentions: Mentions, before: Looked | None = None) -> Looked:
    """Problem events that belong to a leaf or mention the person; ``before``: go on there."""
    leaves = {leaf for person in erasure.people for leaf in person.leaves}
    keys = set(before.keys) if before else set()
    last, more = (before.last if before else number_key(0)), True
    while more:
        rows = database.query(aql.PROBLEM_TEXTS, after=last, limit=_PAGE)
        for row in rows:
            if row["profile"] in leaves or mentions(row["payload"]) or mentions(row["error"]):
                keys.add(row["key"])
        more = len(rows) == _PAGE
        last = rows[-1]["key"] if rows else last
    return Looked(keys, last)


def erase_people(
    transaction: Transaction, head: Head, erasure: Erasure, mentions: Mentions, looked: Looked
) -> ErasureReceipt:
    """``looked``: what was looked at beforehand, while others could still commit. Raises Conflict."""
    before = receipt_of(transaction, erasure.id)
    if before is not None:
        return before
    _refuse_outdated(transaction, erasure.people)
    leaves = [leaf for person in erasure.people for leaf in person.leaves]
    removal = Removal()
    events = remove_events(transaction, leaves, [], removal)
    problems = {*look_at_problems(transaction, erasure, mentions, looked).keys, *_of_messages(transaction, removal)}
    _remove_problems(transaction, head, sorted(problems))
    remove_profiles(transaction, leaves, removal)
    take_back(transaction, head, removal)
    counts = {"profiles": len(leaves), "events": events, "problems": len(problems), **removal.traces}
    receipt = ErasureReceipt(erasure, {name: counts.get(name, 0) for name in COUNTED})
    _write_ledger(transaction, head, receipt)
    return receipt


def _refuse_outdated(transaction: Transaction, people: Sequence[ErasedPerson]) -> None:
    rows = transaction.query(aql.REVISIONS, ids=[one.root for one in people]) if people else []
    found = {row["id"]: row["revision"] for row in rows}
    for one in people:
        if found.get(one.root) != one.revision:
            raise Conflict(f"Profile {one.root} has another revision than {one.revision}.")


def _of_messages(transaction: Transaction, removal: Removal) -> list[str]:
    """Problem events of messages that are deleted: duplicates of them."""
    ids = sorted({message_id for _, message_id in removal.messages})
    rows = transaction.query(aql.PROBLEMS_OF_MESSAGES, messages=ids) if ids else []
    return [row["key"] for row in rows if (row["source"], row["message_id"]) in removal.messages]


def _remove_problems(transaction: Transaction, head: Head, keys: list[str]) -> None:
    states: Sequence[Mapping[str, bool]] = transaction.query(aql.PROBLEM_STATES, keys=keys) if keys else []
    dead = sum(state["dead"] for state in states)
    head.kept_dead -= dead
    head.kept_problems -= len(states) - dead
    head.grow({"dead_letters": -sum(state["dead"] and state["waiting"] for state in states)})
    transaction.remove("problems", keys)


def _write_ledger(transaction: Transaction, head: Head, receipt: ErasureReceipt) -> None:
    erasure = receipt.erasure
    document = {"_key": hashed(erasure.id), "id": erasure.id, "receipt": msgspec.to_builtins(receipt)}
    transaction.insert("erasures", [document])
    spells = [
        {"_key": hashed(one, str(since), str(until)), "hash": one, "begins": since, "ends": until}
        for one, all_spells in erasure.ledger.items()
        for since, until in all_spells
    ]
    transaction.insert("erased", spells, "ignore")
    ends = [spell.until for all_spells in erasure.ledger.values() for spell in all_spells]
    head.erased_until = max([head.erased_until, *ends])
    head.erasure_keys = sorted({*head.erasure_keys, erasure.key})


def receipt_of(database: Documents, erasure_id: str) -> ErasureReceipt | None:
    found = database.first(aql.RECEIPT, key=hashed(erasure_id))
    return None if found is None else msgspec.convert(found, ErasureReceipt)


def identifiers(database: Documents, after: str | None, limit: int) -> list[tuple[str, str]]:
    """In the order of their hashes."""
    rows = database.query(aql.IDENTIFIERS_AFTER, after="" if after is None else hashed(after), limit=limit)
    return [(row["key"], row["leaf"]) for row in rows]


def switches_of(database: Documents, leaf_ids: Sequence[str]) -> list[SwitchRecord]:
    rows = database.query(aql.HISTORY, leaves=list(dict.fromkeys(leaf_ids)))
    return [msgspec.convert(row["body"], SwitchRecord) for row in rows if row["kind"] == "switch"]
