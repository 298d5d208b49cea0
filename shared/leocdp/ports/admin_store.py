"""What the admin service owns: users, sessions, API keys, configuration with its outbox, and the audit log.

Contract, for each adapter (``tests/contract/admin_store.py``):

* Every writing method is one durable transaction, the given audit entries included: after it returns, a crash
  loses nothing; when it raises, nothing of it is written.
* Secrets never come in: tokens and keys arrive as SHA-256 hex digests, passwords as Argon2 hashes.
* ``put_entry`` gives every key of the configuration strictly rising versions and queues the entry for publication
  in the same transaction. Deleting is a version too.
* Several processes of one machine may share the store (a command line beside the service).

Times are ms UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.kit.errors import LeoError

Role = Literal["owner", "marketer", "viewer"]
UserStatus = Literal["active", "disabled"]
LinkKind = Literal["first_owner", "invitation", "password"]
PrivacyKind = Literal["access", "erasure", "objection"]
PrivacyState = Literal["pending", "done", "refused"]


class AdminStoreError(LeoError):
    """Base of all that an admin store raises.

    AdminStoreError
    ├── AdminStoreUnavailable   retryable: locked, full disk, timed out
    ├── AdminStoreCorrupt       permanent: damaged, not ours or written by a newer version; the message says what to do
    ├── AlreadyExists           permanent: another row has this id, address or secret; ``field`` names which
    ├── Unknown                 permanent: no such row
    ├── VersionMismatch         permanent: the expected version is not the current one
    ├── LastOwner               permanent: it would leave nobody who may administer
    └── LinkRefused             permanent: used, expired, unknown, or an owner exists already
    """

    code = "admin_store_error"


class AdminStoreUnavailable(AdminStoreError):
    code = "admin_store_unavailable"
    retryable = True


class AdminStoreCorrupt(AdminStoreError):
    code = "admin_store_corrupt"


class AlreadyExists(AdminStoreError):
    code = "already_exists"

    def __init__(self, field: str) -> None:
        super().__init__(f"Another one has this {field}.")
        self.field = field


class Unknown(AdminStoreError):
    code = "unknown"


class VersionMismatch(AdminStoreError):
    code = "version_mismatch"

    def __init__(self, current: int) -> None:
        super().__init__(f"The current version is {current}.")
        self.current = current


class LastOwner(AdminStoreError):
    code = "last_owner"


class LinkRefused(AdminStoreError):
    code = "link_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    id: str
    email: str
    """Normalised; unique."""
    name: str
    role: Role
    status: UserStatus = "active"
    language: str = ""
    """``en``, ``vi``, or empty: the workspace's."""
    password_hash: str = ""
    """Argon2id in its own text form; empty until the person has chosen one."""
    created_at: int
    last_login_at: int | None = None
    version: int = 1
    """Grows with every change; ``save_user`` expects the one that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    token_hash: str
    user_id: str
    created_at: int
    last_seen_at: int
    expires_at: int
    """The absolute end; the idle end follows from ``last_seen_at``."""
    client: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A link that works once."""

    token_hash: str
    kind: LinkKind
    created_at: int
    expires_at: int
    user_id: str = ""
    """Whom an invitation or a new password is for; empty for the first owner."""
    used_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    id: str
    name: str
    secret_hash: str
    """SHA-256 of the whole key as it is sent; unique."""
    scopes: tuple[str, ...]
    created_at: int
    created_by: str
    expires_at: int | None = None
    last_used_at: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to whose data. Never a value of a trait or a contact."""

    at: int
    actor: str
    """User id, ``key:<id>``, ``cli`` or ``system``."""
    actor_name: str
    """The name at that time, because users are deleted and entries stay."""
    action: str
    """``profile.read``, ``profile.merge``, ``source.update`` …"""
    target: str = ""
    """Id of what it was done to: a profile, source, key, user …"""
    client: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredAudit:
    sequence: int
    entry: AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    actor: str = ""
    action: str = ""
    """Exact, or a prefix that ends in a dot: ``profile.``."""
    target: str = ""
    from_: int | None = None
    to: int | None = None
    before: int | None = None
    """Only entries with a lower sequence: the keyset cursor."""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCommand:
    """A command that this service appended to the log; its outcome is in the profile store."""

    id: str
    kind: str
    actor: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRow:
    """A request of a person about their data. Nothing in it names the person but a profile id."""

    id: str
    kind: PrivacyKind
    state: PrivacyState
    profile_id: str
    actor: str
    created_at: int
    issued_at: int
    """When the latest command for it was issued."""
    command_id: str = ""
    """The latest command for it: an erasure is issued again after a restore."""
    done_at: int | None = None
    reason: str = ""
    """Why it was refused."""
    receipt: Mapping[str, Any] = field(default_factory=dict)
    """What was done, as JSON."""
    ledger: Mapping[str, Any] = field(default_factory=dict)
    """Of an erasure: ``hashes``, ``key`` and ``at``, as in the command (contracts.commands)."""


Audit = Sequence[AuditEntry]


class AdminStore(Protocol):
    async def start(self) -> None:
        """Open, create and migrate. Raises AdminStoreUnavailable, AdminStoreCorrupt."""

    def doubt(self) -> str:
        """Why the latest write failed, if that was less than ten seconds ago: a full disk lets everybody read."""

    async def close(self) -> None:
        """Finish what is running. Idempotent."""

    # Users

    async def users(self) -> Sequence[UserRow]:
        """Everyone, oldest first."""

    async def user(self, user_id: str) -> UserRow | None: ...

    async def user_by_email(self, email: str) -> UserRow | None: ...

    async def has_owner(self) -> bool:
        """Whether somebody with the role owner can log in: active, with a password."""

    async def add_user(self, user: UserRow, *, link: LinkRow | None = None, audit: Audit = ()) -> None:
        """With the link that invites the person, if any. Raises AlreadyExists (``email``)."""

    async def save_user(self, user: UserRow, *, audit: Audit = ()) -> UserRow:
        """Replace the row whose version is ``user.version``; returns it with the next version.

        Raises Unknown, VersionMismatch, AlreadyExists, LastOwner.
        """

    async def delete_user(self, user_id: str, *, audit: Audit = ()) -> None:
        """With all sessions and links. Raises Unknown, LastOwner."""

    async def add_link(self, link: LinkRow, *, audit: Audit = ()) -> None:
        """Older unused links of the same kind for the same user stop working."""

    async def link(self, token_hash: str) -> LinkRow | None: ...

    async def redeem_first_owner(self, token_hash: str, user: UserRow, *, now: int, audit: Audit = ()) -> None:
        """Use the link and create the owner, once. Raises LinkRefused (also when there is an owner), AlreadyExists."""

    async def redeem_password(self, token_hash: str, password_hash: str, *, now: int, audit: Audit = ()) -> UserRow:
        """Use an invitation or password link: set the hash, end the user's sessions. Raises LinkRefused."""

    # Sessions and attempts to log in

    async def add_session(self, session: SessionRow, *, audit: Audit = ()) -> None:
        """Also notes the time as the user's last login."""

    async def session(self, token_hash: str) -> tuple[SessionRow, UserRow] | None:
        """The session and its user, whatever their state: the caller judges."""

    async def touch_session(self, token_hash: str, now: int) -> None: ...

    async def end_session(self, token_hash: str, *, audit: Audit = ()) -> None: ...

    async def end_sessions(self, user_id: str, *, except_: str = "", audit: Audit = ()) -> int:
        """All of a user, but perhaps one; returns how many."""

    async def begin_attempt(self, account_hash: str, *, now: int, since: int, limit: int) -> int | None:
        """Count an attempt as failed before it is tried, so that attempts side by side cannot pass the limit.

        Returns its number for :meth:`attempt_succeeded`, or None when ``limit`` attempts failed after ``since``.
        """

    async def attempt_succeeded(self, attempt: int) -> None: ...

    # API keys

    async def keys(self) -> Sequence[KeyRow]:
        """Newest first, revoked ones included."""

    async def key(self, key_id: str) -> KeyRow | None: ...

    async def key_by_hash(self, secret_hash: str) -> KeyRow | None: ...

    async def add_key(self, key: KeyRow, *, audit: Audit = ()) -> None:
        """Raises AlreadyExists."""

    async def revoke_key(self, key_id: str, *, now: int, audit: Audit = ()) -> None:
        """Raises Unknown; a key that is revoked already stays as it is."""

    async def mark_keys_used(self, used: Mapping[str, int]) -> None:
        """Id → time of the last use; an older time changes nothing, an unknown id neither."""

    # Configuration

    async def entries(self, kind: str) -> Sequence[ConfigEntry]:
        """Those that are not deleted, by id."""

    async def all_entries(self) -> Sequence[ConfigEntry]:
        """Everything, deleted ones included."""

    async def entry(self, kind: str, entry_id: str) -> ConfigEntry | None:
        """None when there is none, or it is deleted."""

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
        """Write the next version and queue it for publication.

        ``expected`` is the version that was read (0: it must not exist); None overwrites. ``unique`` names a field of
        ``data`` whose value no other entry of the kind may have. Raises VersionMismatch, AlreadyExists, Unknown (a
        deletion of what does not exist).
        """

    async def recover_entry(self, entry: ConfigEntry, *, audit: Audit = ()) -> None:
        """Take over an entry exactly as the log has it, because the log knows a later change than this store."""

    async def republish(self, keys: Mapping[str, int], *, now: int) -> None:
        """Queue entries again (key → version that must be passed); a version is raised above it where needed."""

    async def pending_entries(self, limit: int) -> Sequence[tuple[int, ConfigEntry]]:
        """(queue number, entry), oldest first."""

    async def mark_published(self, numbers: Sequence[int]) -> None: ...

    # Commands and audit

    async def add_command(self, command: IssuedCommand, *, audit: Audit = ()) -> None: ...

    async def command(self, command_id: str) -> IssuedCommand | None: ...

    async def forget_command(self, command_id: str) -> None:
        """The log did not take it."""

    # Privacy requests: kept for ever, because they are the ledger of erasures too

    async def put_privacy_request(self, request: PrivacyRow, *, audit: Audit = ()) -> None:
        """Add it, or replace the one with this id."""

    async def privacy_request(self, request_id: str) -> PrivacyRow | None: ...

    async def privacy_requests(
        self, *, kind: str = "", limit: int = 50, before: tuple[int, str] | None = None
    ) -> Sequence[PrivacyRow]:
        """Newest first by (``created_at``, ``id``); ``before``: only those that come after this place."""

    async def record(self, audit: Audit) -> None: ...

    async def audit(self, query: AuditQuery) -> Sequence[StoredAudit]:
        """Newest first."""

    async def tidy(self, *, now: int, audit_before: int) -> None:
        """Drop ended sessions, old attempts and links, commands of 30 days ago, audit entries older than the limit."""
