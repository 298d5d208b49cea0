"""The tables of ``admin.db``. A migration is never changed once it was released; the next one is appended."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x4C454F41
"""``LEOA``, in the header of the file."""

_FIRST: Final = (
    """CREATE TABLE users (
        id TEXT PRIMARY KEY,
        email TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        status TEXT NOT NULL,
        language TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_login_at INTEGER,
        version INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE sessions (
        token_hash TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        client TEXT NOT NULL,
        agent TEXT NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX sessions_by_user ON sessions (user_id)",
    """CREATE TABLE login_attempts (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account_hash TEXT NOT NULL,
        at INTEGER NOT NULL
    )""",
    "CREATE INDEX login_attempts_by_account ON login_attempts (account_hash, at)",
    """CREATE TABLE links (
        token_hash TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        used_at INTEGER
    ) WITHOUT ROWID""",
    """CREATE TABLE api_keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        secret_hash TEXT NOT NULL UNIQUE,
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        expires_at INTEGER,
        last_used_at INTEGER,
        revoked_at INTEGER
    ) WITHOUT ROWID""",
    """CREATE TABLE config (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        at INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        data TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID""",
    # What is pending is a key; the entry itself is read when it is published, so the newest version goes out.
    """CREATE TABLE config_outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        id TEXT NOT NULL
    )""",
    """CREATE TABLE commands (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        actor_name TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        client TEXT NOT NULL,
        details TEXT NOT NULL
    )""",
    "CREATE INDEX audit_by_at ON audit (at)",
    "CREATE INDEX audit_by_actor ON audit (actor, sequence)",
    "CREATE INDEX audit_by_target ON audit (target, sequence)",
    "CREATE INDEX audit_by_action ON audit (action, sequence)",
)

_PRIVACY: Final = (
    """CREATE TABLE privacy_requests (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        profile_id TEXT NOT NULL,
        actor TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        issued_at INTEGER NOT NULL,
        command_id TEXT NOT NULL,
        done_at INTEGER,
        reason TEXT NOT NULL,
        receipt TEXT NOT NULL,
        ledger TEXT NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX privacy_requests_newest ON privacy_requests (created_at, id)",
)

MIGRATIONS: Final = (_FIRST, _PRIVACY)
"""Statements that lead from version n to n + 1."""
