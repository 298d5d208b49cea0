"""Admin's store in ArangoDB, which several admin services share: every change on the disk before it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from leocdp.adapters.arango.admin import accounts, configuration, records
from leocdp.adapters.arango.admin.errors import translated
from leocdp.adapters.arango.admin.schema import LEDGER, SCHEMA, Head
from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database, Transaction
from leocdp.adapters.arango.migrations import migrate
from leocdp.adapters.arango.threads import Threads
from leocdp.adapters.arango.turns import Turns
from leocdp.adapters.doubt import Doubt
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

READERS: Final = 3

T = TypeVar("T")


class ArangoAdminStore:
    """See :class:`leocdp.ports.admin_store.AdminStore`. All that writes takes turns, over all admin services."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        breaker = Breaker()
        self._writer = Threads(connection, breaker, 1, "arango-admin-writer")
        self._readers = Threads(connection, breaker, READERS, "arango-admin-reader")
        self._turns = Turns(LEDGER, self._writer.stopping)
        self._doubt = Doubt()

    async def start(self) -> None:
        self._writer.start()
        self._readers.start()
        try:
            with translated(self._connection):
                await self._writer.repeat(lambda database: migrate(database, SCHEMA))
        except BaseException:
            await self.close()
            raise

    def doubt(self) -> str:
        return self._doubt.reason

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.close()

    # Users

    async def users(self) -> Sequence[UserRow]:
        return await self._read(accounts.users)

    async def user(self, user_id: str) -> UserRow | None:
        return await self._read(lambda d: accounts.user(d, user_id))

    async def user_by_email(self, email: str) -> UserRow | None:
        return await self._read(lambda d: accounts.user_by_email(d, email))

    async def has_owner(self) -> bool:
        return await self._read(accounts.has_owner)

    async def add_user(self, user: UserRow, *, link: LinkRow | None = None, audit: Audit = ()) -> None:
        await self._write(lambda t, _: accounts.add_user(t, user, link), audit)

    async def save_user(self, user: UserRow, *, audit: Audit = ()) -> UserRow:
        return await self._write(lambda t, _: accounts.save_user(t, user), audit)

    async def delete_user(self, user_id: str, *, audit: Audit = ()) -> None:
        await self._write(lambda t, _: accounts.delete_user(t, user_id), audit)

    async def add_link(self, link: LinkRow, *, audit: Audit = ()) -> None:
        await self._write(lambda t, _: accounts.add_link(t, link), audit)

    async def link(self, token_hash: str) -> LinkRow | None:
        return await self._read(lambda d: accounts.link(d, token_hash))

    async def redeem_first_owner(self, token_hash: str, user: UserRow, *, now: int, audit: Audit = ()) -> None:
        await self._write(lambda t, _: accounts.redeem_first_owner(t, token_hash, user, now), audit)

    async def redeem_password(self, token_hash: str, password_hash: str, *, now: int, audit: Audit = ()) -> UserRow:
        return await self._write(lambda t, _: accounts.redeem_password(t, token_hash, password_hash, now), audit)

    # Sessions and attempts to log in

    async def add_session(self, session: SessionRow, *, audit: Audit = ()) -> None:
        await self._write(lambda t, _: accounts.add_session(t, session), audit)

    async def session(self, token_hash: str) -> tuple[SessionRow, UserRow] | None:
        return await self._read(lambda d: accounts.session(d, token_hash))

    async def touch_session(self, token_hash: str, now: int) -> None:
        await self._write(lambda t, _: accounts.touch_session(t, token_hash, now))

    async def end_session(self, token_hash: str, *, audit: Audit = ()) -> None:
        await self._write(lambda t, _: accounts.end_session(t, token_hash), audit)

    async def end_sessions(self, user_id: str, *, except_: str = "", audit: Audit = ()) -> int:
        return await self._write(lambda t, _: accounts.end_sessions(t, user_id, except_), audit)

    async def begin_attempt(self, account_hash: str, *, now: int, since: int, limit: int) -> int | None:
        return await self._write(lambda t, head: accounts.begin_attempt(t, head, account_hash, now, since, limit))

    async def attempt_succeeded(self, attempt: int) -> None:
        await self._write(lambda t, _: accounts.attempt_succeeded(t, attempt))

    # API keys

    async def keys(self) -> Sequence[KeyRow]:
        return await self._read(records.keys)

    async def key(self, key_id: str) -> KeyRow | None:
        return await self._read(lambda d: records.key(d, key_id))

    async def key_by_hash(self, secret_hash: str) -> KeyRow | None:
        return await self._read(lambda d: records.key_by_hash(d, secret_hash))

    async def add_key(self, key: KeyRow, *, audit: Audit = ()) -> None:
        await self._write(lambda t, _: records.add_key(t, key), audit)

    async def revoke_key(self, key_id: str, *, now: int, audit: Audit = ()) -> None:
        await self._write(lambda t, _: records.revoke_key(t, key_id, now), audit)

    async def mark_keys_used(self, used: Mapping[str, int]) -> None:
        await self._write(lambda t, _: records.mark_keys_used(t, used))

    # Configuration

    async def entries(self, kind: str) -> Sequence[ConfigEntry]:
        return await self._read(lambda d: configuration.entries(d, kind))

    async def all_entries(self) -> Sequence[ConfigEntry]:
        return await self._read(configuration.all_entries)

    async def entry(self, kind: str, entry_id: str) -> ConfigEntry | None:
        return await self._read(lambda d: configuration.entry(d, kind, entry_id))

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
        return await self._write(
            lambda t, head: configuration.put_entry(t, head, wanted, expected=expected, unique=unique), audit
        )

    async def recover_entry(self, entry: ConfigEntry, *, audit: Audit = ()) -> None:
        await self._write(lambda t, _: configuration.recover_entry(t, entry), audit)

    async def republish(self, keys: Mapping[str, int], *, now: int) -> None:
        await self._write(lambda t, head: configuration.republish(t, head, keys, now))

    async def pending_entries(self, limit: int) -> Sequence[tuple[int, ConfigEntry]]:
        return await self._read(lambda d: configuration.pending(d, limit))

    async def mark_published(self, numbers: Sequence[int]) -> None:
        await self._write(lambda t, _: configuration.mark_published(t, numbers))

    # Commands, privacy requests and audit

    async def add_command(self, command: IssuedCommand, *, audit: Audit = ()) -> None:
        await self._write(lambda t, _: records.add_command(t, command), audit)

    async def command(self, command_id: str) -> IssuedCommand | None:
        return await self._read(lambda d: records.command(d, command_id))

    async def forget_command(self, command_id: str) -> None:
        await self._write(lambda t, _: records.forget_command(t, command_id))

    async def put_privacy_request(self, request: PrivacyRow, *, audit: Audit = ()) -> None:
        await self._write(lambda t, _: records.put_privacy_request(t, request), audit)

    async def privacy_request(self, request_id: str) -> PrivacyRow | None:
        return await self._read(lambda d: records.privacy_request(d, request_id))

    async def privacy_requests(
        self, *, kind: str = "", limit: int = 50, before: tuple[int, str] | None = None
    ) -> Sequence[PrivacyRow]:
        return await self._read(lambda d: records.privacy_requests(d, kind, limit, before))

    async def record(self, audit: Audit) -> None:
        if audit:
            await self._write(lambda _, __: None, audit)

    async def audit(self, query: AuditQuery) -> Sequence[StoredAudit]:
        return await self._read(lambda d: records.audit(d, query))

    async def tidy(self, *, now: int, audit_before: int) -> None:
        while await self._write(lambda t, _: records.tidy(t, now, audit_before)):
            continue

    async def _read(self, work: Callable[[Database], T]) -> T:
        with translated(self._connection):
            return await self._readers.repeat(work)

    async def _write(self, work: Callable[[Transaction, Head], T], audit: Audit = ()) -> T:
        """``work`` and its audit entries in one transaction."""

        def both(transaction: Transaction, head: Head) -> T:
            result = work(transaction, head)
            records.write_audit(transaction, head, audit)
            return result

        with self._doubt.writing(), translated(self._connection):
            return await self._writer.run(lambda database: self._turns.run(database, both))
