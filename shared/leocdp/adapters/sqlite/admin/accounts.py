"""Users, sessions, links and attempts to log in."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from leocdp.adapters.sqlite.admin import rows
from leocdp.ports.admin_store import (
    AlreadyExists,
    LastOwner,
    LinkRefused,
    LinkRow,
    SessionRow,
    Unknown,
    UserRow,
    VersionMismatch,
)

_USERS: Final = rows.select(rows.USER, "users")
_INSERT_USER: Final = rows.insert(rows.USER, "users")
_UPDATE_USER: Final = f"UPDATE users SET {', '.join(f'{name} = ?' for name in rows.USER.split(', '))} WHERE id = ?"  # noqa: S608
_INSERT_LINK: Final = rows.insert(rows.LINK, "links")
_INSERT_SESSION: Final = rows.insert(rows.SESSION, "sessions")
_SESSIONS: Final = rows.select(
    f"{rows.prefixed(rows.SESSION, 's')}, {rows.prefixed(rows.USER, 'u')}",
    "sessions s JOIN users u ON u.id = s.user_id",
)
_OWNERS: Final = "SELECT count(*) FROM users WHERE role = 'owner' AND status = 'active' AND password_hash != ''"


def users(connection: sqlite3.Connection) -> Sequence[UserRow]:
    return [rows.user(row) for row in connection.execute(_USERS + "ORDER BY created_at, id")]


def user(connection: sqlite3.Connection, user_id: str) -> UserRow | None:
    row = connection.execute(_USERS + "WHERE id = ?", (user_id,)).fetchone()
    return rows.user(row) if row else None


def user_by_email(connection: sqlite3.Connection, email: str) -> UserRow | None:
    row = connection.execute(_USERS + "WHERE email = ?", (email,)).fetchone()
    return rows.user(row) if row else None


def has_owner(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute(_OWNERS).fetchone()[0])


def add_user(connection: sqlite3.Connection, added: UserRow, link: LinkRow | None) -> None:
    try:
        connection.execute(_INSERT_USER, rows.user_values(added))
    except sqlite3.IntegrityError as error:
        raise AlreadyExists("email") from error
    if link is not None:
        add_link(connection, link)


def save_user(connection: sqlite3.Connection, changed: UserRow) -> UserRow:
    stored = user(connection, changed.id)
    if stored is None:
        raise Unknown("no such user")
    if stored.version != changed.version:
        raise VersionMismatch(stored.version)
    saved = replace(changed, version=changed.version + 1)
    had_owner = has_owner(connection)
    try:
        connection.execute(_UPDATE_USER, (*rows.user_values(saved), saved.id))
    except sqlite3.IntegrityError as error:
        raise AlreadyExists("email") from error
    if had_owner and not has_owner(connection):
        raise LastOwner("nobody could administer any more")
    return saved


def delete_user(connection: sqlite3.Connection, user_id: str) -> None:
    had_owner = has_owner(connection)
    if connection.execute("DELETE FROM users WHERE id = ?", (user_id,)).rowcount == 0:
        raise Unknown("no such user")
    if had_owner and not has_owner(connection):
        raise LastOwner("nobody could administer any more")
    connection.execute("DELETE FROM links WHERE user_id = ?", (user_id,))


def add_link(connection: sqlite3.Connection, link: LinkRow) -> None:
    connection.execute(
        "DELETE FROM links WHERE kind = ? AND user_id = ? AND used_at IS NULL", (link.kind, link.user_id)
    )
    connection.execute(_INSERT_LINK, rows.link_values(link))


def link(connection: sqlite3.Connection, token_hash: str) -> LinkRow | None:
    row = connection.execute(rows.select(rows.LINK, "links") + "WHERE token_hash = ?", (token_hash,)).fetchone()
    return rows.link(row) if row else None


def redeem_first_owner(connection: sqlite3.Connection, token_hash: str, owner: UserRow, now: int) -> None:
    _use_link(connection, token_hash, ("first_owner",), now)
    if has_owner(connection):
        raise LinkRefused("there is an owner already")
    add_user(connection, owner, None)


def redeem_password(connection: sqlite3.Connection, token_hash: str, password_hash: str, now: int) -> UserRow:
    used = _use_link(connection, token_hash, ("invitation", "password"), now)
    stored = user(connection, used.user_id)
    if stored is None or stored.status != "active":
        raise LinkRefused("the user is gone or disabled")
    saved = save_user(connection, replace(stored, password_hash=password_hash))
    end_sessions(connection, saved.id, "")
    return saved


def _use_link(connection: sqlite3.Connection, token_hash: str, kinds: tuple[str, ...], now: int) -> LinkRow:
    found = link(connection, token_hash)
    if found is None or found.kind not in kinds or found.used_at is not None or found.expires_at <= now:
        raise LinkRefused("unknown, used or expired")
    connection.execute("UPDATE links SET used_at = ? WHERE token_hash = ?", (now, token_hash))
    return found


def add_session(connection: sqlite3.Connection, added: SessionRow) -> None:
    connection.execute(_INSERT_SESSION, rows.session_values(added))
    connection.execute("UPDATE users SET last_login_at = ? WHERE id = ?", (added.created_at, added.user_id))


def session(connection: sqlite3.Connection, token_hash: str) -> tuple[SessionRow, UserRow] | None:
    row = connection.execute(_SESSIONS + "WHERE s.token_hash = ?", (token_hash,)).fetchone()
    if row is None:
        return None
    width = rows.SESSION.count(",") + 1
    return rows.session(row[:width]), rows.user(row[width:])


def touch_session(connection: sqlite3.Connection, token_hash: str, now: int) -> None:
    connection.execute(
        "UPDATE sessions SET last_seen_at = max(last_seen_at, ?) WHERE token_hash = ?", (now, token_hash)
    )


def end_session(connection: sqlite3.Connection, token_hash: str) -> None:
    connection.execute("DELETE FROM sessions WHERE token_hash = ?", (token_hash,))


def end_sessions(connection: sqlite3.Connection, user_id: str, except_: str) -> int:
    return connection.execute("DELETE FROM sessions WHERE user_id = ? AND token_hash != ?", (user_id, except_)).rowcount


def begin_attempt(connection: sqlite3.Connection, account_hash: str, now: int, since: int, limit: int) -> int | None:
    failed = connection.execute(
        "SELECT count(*) FROM login_attempts WHERE account_hash = ? AND at > ?", (account_hash, since)
    ).fetchone()[0]
    if failed >= limit:
        return None
    return connection.execute(
        "INSERT INTO login_attempts (account_hash, at) VALUES (?, ?)", (account_hash, now)
    ).lastrowid


def attempt_succeeded(connection: sqlite3.Connection, attempt: int) -> None:
    connection.execute("DELETE FROM login_attempts WHERE number = ?", (attempt,))
