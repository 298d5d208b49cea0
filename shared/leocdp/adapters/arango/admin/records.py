"""API keys, issued commands, privacy requests, and the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from leocdp.adapters.arango.admin import aql
from leocdp.adapters.arango.admin.documents import (
    audit_document,
    key_document,
    optional,
    privacy_document,
    privacy_place,
    row,
    stored_audit,
)
from leocdp.adapters.arango.admin.schema import Head
from leocdp.adapters.arango.database import Documents, Transaction
from leocdp.adapters.arango.keys import LAST_NUMBER, hashed, number_key
from leocdp.ports.admin_store import (
    AlreadyExists,
    Audit,
    AuditQuery,
    IssuedCommand,
    KeyRow,
    PrivacyRow,
    StoredAudit,
    Unknown,
)

DAY_MS: Final = 86_400_000
COMMANDS_KEPT_MS: Final = 30 * DAY_MS
STEP: Final = 10_000
"""Documents of one kind that one transaction removes at most."""
_FAR: Final = 1 << 52
_AFTER_HEX: Final = "g"


def keys(database: Documents) -> Sequence[KeyRow]:
    found = [row(KeyRow, stored) for stored in database.query(aql.KEYS)]
    return sorted(found, key=lambda key: (-key.created_at, key.id))


def key(database: Documents, key_id: str) -> KeyRow | None:
    return optional(KeyRow, database.first(aql.KEY, key=hashed(key_id)))


def key_by_hash(database: Documents, secret_hash: str) -> KeyRow | None:
    return optional(KeyRow, database.first(aql.KEY_BY_HASH, secret_hash=secret_hash))


def add_key(transaction: Transaction, added: KeyRow) -> None:
    if key_by_hash(transaction, added.secret_hash) is not None or key(transaction, added.id) is not None:
        raise AlreadyExists("secret")
    transaction.insert("admin_keys", [key_document(added)])


def revoke_key(transaction: Transaction, key_id: str, now: int) -> None:
    stored = key(transaction, key_id)
    if stored is None:
        raise Unknown("no such key")
    if stored.revoked_at is None:
        transaction.patch("admin_keys", [{"_key": hashed(key_id), "revoked_at": now}], check_rev=False)


def mark_keys_used(transaction: Transaction, used: Mapping[str, int]) -> None:
    times = {hashed(key_id): at for key_id, at in used.items()}
    stored = transaction.query(aql.KEYS_OF, keys=list(times))
    later = [
        {"_key": each["key"], "last_used_at": times[each["key"]]}
        for each in stored
        if (each["last_used_at"] or 0) < times[each["key"]]
    ]
    transaction.patch("admin_keys", later, check_rev=False)


def add_command(transaction: Transaction, command: IssuedCommand) -> None:
    transaction.insert("admin_commands", [{**msgspec.to_builtins(command), "_key": hashed(command.id)}])


def command(database: Documents, command_id: str) -> IssuedCommand | None:
    return optional(IssuedCommand, database.first(aql.COMMAND, key=hashed(command_id)))


def forget_command(transaction: Transaction, command_id: str) -> None:
    transaction.remove("admin_commands", [hashed(command_id)])


def put_privacy_request(transaction: Transaction, request: PrivacyRow) -> None:
    transaction.insert("admin_privacy", [privacy_document(request)], "replace")


def privacy_request(database: Documents, request_id: str) -> PrivacyRow | None:
    return optional(PrivacyRow, database.first(aql.PRIVACY_REQUEST, key=hashed(request_id)))


def privacy_requests(
    database: Documents, kind: str, limit: int, before: tuple[int, str] | None
) -> Sequence[PrivacyRow]:
    at, place = (before[0], privacy_place(before[1])) if before else (_FAR, _AFTER_HEX)
    found = database.query(aql.PRIVACY_REQUESTS, at=at, place=place, kind=kind, limit=limit)
    return [row(PrivacyRow, stored) for stored in found]


def write_audit(transaction: Transaction, head: Head, audit: Audit) -> None:
    documents = [audit_document(entry, sequence) for sequence, entry in enumerate(audit, head.audit + 1)]
    head.audit += len(documents)
    transaction.insert("admin_audit", documents)


def audit(database: Documents, query: AuditQuery) -> Sequence[StoredAudit]:
    text, binds = _chosen(query)
    group = query.action.endswith(".")
    found = database.query(
        text,
        **binds,
        **{"from": -_FAR if query.from_ is None else query.from_},
        to=_FAR if query.to is None else query.to,
        action="" if group else query.action,
        part=query.action if group else "",
        limit=query.limit,
    )
    return [stored_audit(stored) for stored in found]


def _chosen(query: AuditQuery) -> tuple[str, dict[str, Any]]:
    """The query whose index fits, with the binds that only it has."""
    before = _FAR if query.before is None else query.before
    if query.actor:
        return aql.AUDIT_OF_ACTOR, {"actor": query.actor, "target": query.target, "before": before}
    if query.target:
        return aql.AUDIT_OF_TARGET, {"target": query.target, "before": before}
    return aql.AUDIT, {"before": LAST_NUMBER if query.before is None else number_key(query.before)}


def tidy(transaction: Transaction, now: int, audit_before: int) -> bool:
    """One step; whether there is more to do."""
    removed = [
        _remove(transaction, "admin_sessions", aql.ENDED_SESSIONS, until_then=now),
        _remove(transaction, "admin_attempts", aql.OLD_ATTEMPTS, until_then=now - DAY_MS),
        _remove(transaction, "admin_links", aql.OLD_LINKS, until_then=now - 30 * DAY_MS),
        _remove(transaction, "admin_commands", aql.OLD_COMMANDS, until_then=now - COMMANDS_KEPT_MS),
        _remove(transaction, "admin_audit", aql.OLD_AUDIT, before=audit_before),
    ]
    return STEP in removed


def _remove(transaction: Transaction, collection: str, query: str, **binds: int) -> int:
    found = transaction.query(query, limit=STEP, **binds)
    transaction.remove(collection, found)
    return len(found)
