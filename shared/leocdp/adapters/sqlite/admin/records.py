"""API keys, issued commands, privacy requests, and the audit log."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from leocdp.adapters.sqlite.admin import rows
from leocdp.ports.admin_store import AlreadyExists, AuditQuery, IssuedCommand, KeyRow, PrivacyRow, StoredAudit, Unknown

DAY_MS: Final = 86_400_000
COMMANDS_KEPT_MS: Final = 30 * DAY_MS
_PRIVACY: Final = rows.select(rows.PRIVACY, "privacy_requests")
_KEYS: Final = rows.select(rows.KEY, "api_keys")


def keys(connection: sqlite3.Connection) -> Sequence[KeyRow]:
    found = connection.execute(_KEYS + "ORDER BY created_at DESC, id")
    return [rows.key(row) for row in found]


def key(connection: sqlite3.Connection, key_id: str) -> KeyRow | None:
    row = connection.execute(_KEYS + "WHERE id = ?", (key_id,)).fetchone()
    return rows.key(row) if row else None


def key_by_hash(connection: sqlite3.Connection, secret_hash: str) -> KeyRow | None:
    row = connection.execute(_KEYS + "WHERE secret_hash = ?", (secret_hash,)).fetchone()
    return rows.key(row) if row else None


def add_key(connection: sqlite3.Connection, added: KeyRow) -> None:
    try:
        connection.execute(rows.insert(rows.KEY, "api_keys"), rows.key_values(added))
    except sqlite3.IntegrityError as error:
        raise AlreadyExists("secret") from error


def revoke_key(connection: sqlite3.Connection, key_id: str, now: int) -> None:
    changed = connection.execute(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (now, key_id)
    ).rowcount
    if not changed:
        raise Unknown("no such key")


def mark_keys_used(connection: sqlite3.Connection, used: Mapping[str, int]) -> None:
    connection.executemany(
        "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?",
        [(at, key_id) for key_id, at in used.items()],
    )


def add_command(connection: sqlite3.Connection, command: IssuedCommand) -> None:
    connection.execute(
        "INSERT INTO commands (id, kind, actor, at) VALUES (?, ?, ?, ?)",
        (command.id, command.kind, command.actor, command.at),
    )


def command(connection: sqlite3.Connection, command_id: str) -> IssuedCommand | None:
    row = connection.execute("SELECT id, kind, actor, at FROM commands WHERE id = ?", (command_id,)).fetchone()
    return IssuedCommand(id=row[0], kind=row[1], actor=row[2], at=row[3]) if row else None


def forget_command(connection: sqlite3.Connection, command_id: str) -> None:
    connection.execute("DELETE FROM commands WHERE id = ?", (command_id,))


def put_privacy_request(connection: sqlite3.Connection, request: PrivacyRow) -> None:
    connection.execute(
        rows.insert(rows.PRIVACY, "privacy_requests").replace("INSERT", "INSERT OR REPLACE", 1),
        rows.privacy_values(request),
    )


def privacy_request(connection: sqlite3.Connection, request_id: str) -> PrivacyRow | None:
    row = connection.execute(_PRIVACY + "WHERE id = ?", (request_id,)).fetchone()
    return rows.privacy(row) if row else None


def privacy_requests(
    connection: sqlite3.Connection, kind: str, limit: int, before: tuple[int, str] | None
) -> Sequence[PrivacyRow]:
    where = "WHERE (? = '' OR kind = ?) AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?"
    found = connection.execute(_PRIVACY + where, (kind, kind, *(before or (1 << 62, "")), limit))
    return [rows.privacy(row) for row in found]


def audit(connection: sqlite3.Connection, query: AuditQuery) -> Sequence[StoredAudit]:
    conditions, values = _conditions(query)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    found = connection.execute(
        rows.select(rows.AUDIT, "audit") + where + " ORDER BY sequence DESC LIMIT ?", (*values, query.limit)
    )
    return [rows.audit(row) for row in found]


def _conditions(query: AuditQuery) -> tuple[list[str], list[Any]]:
    parts: list[tuple[str, Any]] = []
    if query.actor:
        parts.append(("actor = ?", query.actor))
    if query.target:
        parts.append(("target = ?", query.target))
    if query.action.endswith("."):
        parts += [("action >= ?", query.action), ("action < ?", f"{query.action[:-1]}/")]
    elif query.action:
        parts.append(("action = ?", query.action))
    for text, value in (("at >= ?", query.from_), ("at < ?", query.to), ("sequence < ?", query.before)):
        if value is not None:
            parts.append((text, value))
    return [text for text, _ in parts], [value for _, value in parts]


def tidy(connection: sqlite3.Connection, now: int, audit_before: int) -> None:
    connection.execute("DELETE FROM sessions WHERE expires_at <= ?", (now,))
    connection.execute("DELETE FROM login_attempts WHERE at <= ?", (now - DAY_MS,))
    connection.execute("DELETE FROM links WHERE expires_at <= ?", (now - 30 * DAY_MS,))
    connection.execute("DELETE FROM commands WHERE at <= ?", (now - COMMANDS_KEPT_MS,))
    connection.execute("DELETE FROM audit WHERE at < ?", (audit_before,))
