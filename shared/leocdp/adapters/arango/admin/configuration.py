"""Configuration entries and what of them is still to be published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from leocdp.adapters.arango.admin import aql
from leocdp.adapters.arango.admin.documents import entry_document, entry_key, optional, row
from leocdp.adapters.arango.admin.schema import Head
from leocdp.adapters.arango.database import Documents, Transaction
from leocdp.adapters.arango.keys import number_key
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.admin_store import AlreadyExists, Unknown, VersionMismatch


def entries(database: Documents, kind: str) -> Sequence[ConfigEntry]:
    found = [row(ConfigEntry, stored) for stored in database.query(aql.ENTRIES, kind=kind)]
    return sorted(found, key=lambda entry: entry.id)


def all_entries(database: Documents) -> Sequence[ConfigEntry]:
    found = [row(ConfigEntry, stored) for stored in database.query(aql.ALL_ENTRIES)]
    return sorted(found, key=lambda entry: (entry.kind, entry.id))


def entry(database: Documents, kind: str, entry_id: str) -> ConfigEntry | None:
    found = _stored(database, kind, entry_id)
    return None if found is None or found.deleted else found


def _stored(database: Documents, kind: str, entry_id: str) -> ConfigEntry | None:
    return optional(ConfigEntry, database.first(aql.ENTRY, key=entry_key(kind, entry_id)))


def put_entry(
    transaction: Transaction, head: Head, wanted: ConfigEntry, *, expected: int | None, unique: str
) -> ConfigEntry:
    """``wanted`` with the version it gets."""
    stored = _stored(transaction, wanted.kind, wanted.id)
    alive = stored is not None and not stored.deleted
    current = stored.version if stored is not None and alive else 0
    if wanted.deleted and not alive:
        raise Unknown("no such entry")
    if expected is not None and expected != current:
        raise VersionMismatch(current)
    if unique and not wanted.deleted:
        _check_unique(transaction, wanted, unique)
    # Versions of a key go on after a deletion: consumers ignore lower ones.
    written = msgspec.structs.replace(wanted, version=(stored.version if stored else 0) + 1)
    transaction.insert("admin_config", [entry_document(written)], "replace")
    _queue(transaction, head, [entry_key(written.kind, written.id)])
    return written


def recover_entry(transaction: Transaction, found: ConfigEntry) -> None:
    transaction.insert("admin_config", [entry_document(found)], "replace")


def republish(transaction: Transaction, head: Head, keys: Mapping[str, int], now: int) -> None:
    passed = {entry_key(*key.split(":", 1)): version for key, version in keys.items()}
    stored = transaction.query(aql.ENTRIES_OF, keys=list(passed))
    raised = [
        {"_key": each["_key"], "version": passed[each["_key"]] + 1, "at": now}
        for each in stored
        if each["version"] <= passed[each["_key"]]
    ]
    transaction.patch("admin_config", raised, check_rev=False)
    _queue(transaction, head, [each["_key"] for each in stored])


def pending(database: Documents, limit: int) -> Sequence[tuple[int, ConfigEntry]]:
    found = [(each["number"], row(ConfigEntry, each["entry"])) for each in database.query(aql.PENDING, limit=limit)]
    return sorted(found, key=lambda pair: pair[0])


def mark_published(transaction: Transaction, numbers: Sequence[int]) -> None:
    transaction.remove("admin_config_outbox", [number_key(number) for number in numbers])


def _queue(transaction: Transaction, head: Head, keys: Sequence[str]) -> None:
    queued = [
        {"_key": number_key(number), "number": number, "entry": key} for number, key in enumerate(keys, head.outbox + 1)
    ]
    head.outbox += len(queued)
    transaction.insert("admin_config_outbox", queued)


def _check_unique(transaction: Transaction, wanted: ConfigEntry, field: str) -> None:
    value: Any = wanted.data.get(field)
    for other in entries(transaction, wanted.kind):
        if other.id != wanted.id and other.data.get(field) == value:
            raise AlreadyExists(field)
