"""Rows of the tables as values of the port, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.admin_store import AuditEntry, KeyRow, LinkRow, PrivacyRow, SessionRow, StoredAudit, UserRow

USER: Final = "id, email, name, role, status, language, password_hash, created_at, last_login_at, version"
SESSION: Final = "token_hash, user_id, created_at, last_seen_at, expires_at, client, agent"
LINK: Final = "token_hash, kind, created_at, expires_at, user_id, used_at"
KEY: Final = "id, name, secret_hash, scopes, created_at, created_by, expires_at, last_used_at, revoked_at"
ENTRY: Final = "kind, id, version, at, deleted, data"
PRIVACY: Final = (
    "id, kind, state, profile_id, actor, created_at, issued_at, command_id, done_at, reason, receipt, ledger"
)
AUDIT: Final = "sequence, at, actor, actor_name, action, target, client, details"

Row = Sequence[Any]


def select(columns: str, table: str) -> str:
    """The beginning of a query; columns and tables are constants of this package, values are always bound."""
    return f"SELECT {columns} FROM {table} "  # noqa: S608


def insert(columns: str, table: str) -> str:
    values = ", ".join("?" * (columns.count(",") + 1))
    return f"INSERT INTO {table} ({columns}) VALUES ({values}) "  # noqa: S608


def prefixed(columns: str, table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in columns.split(", "))


def user(row: Row) -> UserRow:
    names = USER.split(", ")
    return UserRow(**dict(zip(names, row, strict=True)))


def user_values(value: UserRow) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in USER.split(", "))


def session(row: Row) -> SessionRow:
    return SessionRow(**dict(zip(SESSION.split(", "), row, strict=True)))


def session_values(value: SessionRow) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in SESSION.split(", "))


def link(row: Row) -> LinkRow:
    return LinkRow(**dict(zip(LINK.split(", "), row, strict=True)))


def link_values(value: LinkRow) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in LINK.split(", "))


def key(row: Row) -> KeyRow:
    fields = dict(zip(KEY.split(", "), row, strict=True))
    return KeyRow(**{**fields, "scopes": tuple(fields["scopes"].split())})


def key_values(value: KeyRow) -> tuple[Any, ...]:
    return tuple(" ".join(value.scopes) if name == "scopes" else getattr(value, name) for name in KEY.split(", "))


def entry(row: Row) -> ConfigEntry:
    kind, entry_id, version, at, deleted, data = row
    return ConfigEntry(kind=kind, id=entry_id, version=version, at=at, deleted=bool(deleted), data=json.loads(data))


def entry_values(value: ConfigEntry) -> tuple[Any, ...]:
    return (value.kind, value.id, value.version, value.at, int(value.deleted), to_json(value.data))


def privacy(row: Row) -> PrivacyRow:
    *others, receipt, ledger = row
    fields = dict(zip(PRIVACY.split(", "), others, strict=False))
    return PrivacyRow(**fields, receipt=json.loads(receipt), ledger=json.loads(ledger))


def privacy_values(value: PrivacyRow) -> tuple[Any, ...]:
    fields = [getattr(value, name) for name in PRIVACY.split(", ")[:-2]]
    return (*fields, to_json(value.receipt), to_json(value.ledger))


def audit(row: Row) -> StoredAudit:
    sequence, at, actor, actor_name, action, target, client, details = row
    return StoredAudit(
        sequence,
        AuditEntry(
            at=at,
            actor=actor,
            actor_name=actor_name,
            action=action,
            target=target,
            client=client,
            details=json.loads(details),
        ),
    )


def write_audit(connection: sqlite3.Connection, entries: Sequence[AuditEntry]) -> None:
    connection.executemany(
        "INSERT INTO audit (at, actor, actor_name, action, target, client, details) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (one.at, one.actor, one.actor_name, one.action, one.target, one.client, to_json(one.details))
            for one in entries
        ],
    )


def to_json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
