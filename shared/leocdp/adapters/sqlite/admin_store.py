"""The embedded admin store: one SQLite file with a write-ahead log, every change on the disk before it is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from leocdp.adapters.sqlite.admin import accounts, configuration, records, rows
from leocdp.adapters.sqlite.admin.file import AdminFile
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.admin_store import (
    Audit,
    AuditQuery,
    IssuedCommand,
    KeyRow,
    LinkRow,
    PrivacyRow,
    SessionRow,
    StoredAudit,
    UserRow,
)

T = TypeVar("T")
Connection = sqlite3.Connection


class SQLiteAdminStore:
    """See :class:`leocdp.ports.admin_store.AdminStore`."""

    def __init__(self, path: Path, *, make_folder: bool = True) -> None:
        self._file = AdminFile(path, make_folder=make_folder)

    async def start(self) -> None:
        await self._file.start()

    def doubt(self) -> str:
        return self._file.doubt.reason

    async def close(self) -> None:
        await self._file.close()

    # Users

    async def users(self) -> Sequence[UserRow]:
        return await self._file.read(accounts.users)

    async def user(self, user_id: str) -> UserRow | None:
        return await self._file.read(lambda c: accounts.user(c, user_id))

    async def user_by_email(self, email: str) -> UserRow | None:
        return await self._file.read(lambda c: accounts.user_by_email(c, email))

    async def has_owner(self) -> bool:
        return await self._file.read(accounts.has_owner)

    async def add_user(self, user: UserRow, *, link: LinkRow | None = None, audit: Audit = ()) -> None:
        await self._write(lambda c: accounts.add_user(c, user, link), audit)

    async def save_user(self, user: UserRow, *, audit: Audit = ()) -> UserRow:
        return await self._write(lambda c: accounts.save_user(c, user), audit)

    async def delete_user(self, user_id: str, *, audit: Audit = ()) -> None:
        await self._write(lambda c: accounts.delete_user(c, user_id), audit)

    async def add_link(self, link: LinkRow, *, audit: Audit = ()) -> None:
        await self._write(lambda c: accounts.add_link(c, link), audit)

    async def link(self, token_hash: str) -> LinkRow | None:
        return await self._file.read(lambda c: accounts.link(c, token_hash))

    async def redeem_first_owner(self, token_hash: str, user: UserRow, *, now: int, audit: Audit = ()) -> None:
        await self._write(lambda c: accounts.redeem_first_owner(c, token_hash, user, now), audit)

    async def redeem_password(self, token_hash: str, password_hash: str, *, now: int, audit: Audit = ()) -> UserRow:
        return await self._write(lambda c: accounts.redeem_password(c, token_hash, password_hash, now), audit)

    # Sessions and attempts to log in

    async def add_session(self, session: SessionRow, *, audit: Audit = ()) -> None:
        await self._write(lambda c: accounts.add_session(c, session), audit)

    async def session(self, token_hash: str) -> tuple[SessionRow, UserRow] | None:
        return await self._file.read(lambda c: accounts.session(c, token_hash))

    async def touch_session(self, token_hash: str, now: int) -> None:
        await self._write(lambda c: accounts.touch_session(c, token_hash, now))

    async def end_session(self, token_hash: str, *, audit: Audit = ()) -> None:
        await self._write(lambda c: accounts.end_session(c, token_hash), audit)

    async def end_sessions(self, user_id: str, *, except_: str = "", audit: Audit = ()) -> int:
        return await self._write(lambda c: accounts.end_sessions(c, user_id, except_), audit)

    async def begin_attempt(self, account_hash: str, *, now: int, since: int, limit: int) -> int | None:
        return await self._write(lambda c: accounts.begin_attempt(c, account_hash, now, since, limit))

    async def attempt_succeeded(self, attempt: int) -> None:
        await self._write(lambda c: accounts.attempt_succeeded(c, attempt))

    # API keys

    async def keys(self) -> Sequence[KeyRow]:
        return await self._file.read(records.keys)

    async def key(self, key_id: str) -> KeyRow | None:
        return await self._file.read(lambda c: records.key(c, key_id))

    async def key_by_hash(self, secret_hash: str) -> KeyRow | None:
        return await self._file.read(lambda c: records.key_by_hash(c, secret_hash))

    async def add_key(self, key: KeyRow, *, audit: Audit = ()) -> None:
        await self._write(lambda c: records.add_key(c, key), audit)

    async def revoke_key(self, key_id: str, *, now: int, audit: Audit = ()) -> None:
        await self._write(lambda c: records.revoke_key(c, key_id, now), audit)

    async def mark_keys_used(self, used: Mapping[str, int]) -> None:
        await self._write(lambda c: records.mark_keys_used(c, used))

    # Configuration

    async def entries(self, kind: str) -> Sequence[ConfigEntry]:
        return await self._file.read(lambda c: configuration.entries(c, kind))

    async def all_entries(self) -> Sequence[ConfigEntry]:
        return await self._file.read(configuration.all_entries)

    async def entry(self, kind: str, entry_id: str) -> ConfigEntry | None:
        return await self._file.read(lambda c: configuration.entry(c, kind, entry_id))

    async def put_entry(
        self,
        kind: str,
        entry_id: str,
        data: Mapping[str, Any],
        *,
        now: int,
        expected: int | None = None,
        deleted: bool = False,
        unique: str = "",
        audit: Audit = (),
    ) -> ConfigEntry:
        wanted = ConfigEntry(kind=kind, id=entry_id, version=0, at=now, deleted=deleted, data=dict(data))
        return await self._write(lambda c: configuration.put_entry(c, wanted, expected=expected, unique=unique), audit)

    async def recover_entry(self, entry: ConfigEntry, *, audit: Audit = ()) -> None:
        await self._write(lambda c: configuration.recover_entry(c, entry), audit)

    async def republish(self, keys: Mapping[str, int], *, now: int) -> None:
        await self._write(lambda c: configuration.republish(c, keys, now))

    async def pending_entries(self, limit: int) -> Sequence[tuple[int, ConfigEntry]]:
        return await self._file.read(lambda c: configuration.pending(c, limit))

    async def mark_published(self, numbers: Sequence[int]) -> None:
        await self._write(lambda c: configuration.mark_published(c, numbers))

    # Commands and audit

    async def add_command(self, command: IssuedCommand, *, audit: Audit = ()) -> None:
        await self._write(lambda c: records.add_command(c, command), audit)

    async def command(self, command_id: str) -> IssuedCommand | None:
        return await self._file.read(lambda c: records.command(c, command_id))

    async def forget_command(self, command_id: str) -> None:
        await self._write(lambda c: records.forget_command(c, command_id))

    async def put_privacy_request(self, request: PrivacyRow, *, audit: Audit = ()) -> None:
        await self._write(lambda c: records.put_privacy_request(c, request), audit)

    async def privacy_request(self, request_id: str) -> PrivacyRow | None:
        return await self._file.read(lambda c: records.privacy_request(c, request_id))

    async def privacy_requests(
        self, *, kind: str = "", limit: int = 50, before: tuple[int, str] | None = None
    ) -> Sequence[PrivacyRow]:
        return await self._file.read(lambda c: records.privacy_requests(c, kind, limit, before))

    async def record(self, audit: Audit) -> None:
        await self._write(lambda _: None, audit)

    async def audit(self, query: AuditQuery) -> Sequence[StoredAudit]:
        return await self._file.read(lambda c: records.audit(c, query))

    async def tidy(self, *, now: int, audit_before: int) -> None:
        await self._write(lambda c: records.tidy(c, now, audit_before))

    async def _write(self, work: Callable[[Connection], T], audit: Audit = ()) -> T:
        """``work`` and its audit entries in one transaction."""

        def both(connection: Connection) -> T:
            result = work(connection)
            rows.write_audit(connection, audit)
            return result

        return await self._file.write(both)
