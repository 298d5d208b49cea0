"""Users, sessions, links and attempts to log in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leocdp.adapters.arango.admin import aql
from leocdp.adapters.arango.admin.documents import (
    link_document,
    optional,
    row,
    session_document,
    user_document,
)
from leocdp.adapters.arango.admin.schema import Head
from leocdp.adapters.arango.database import Documents, Transaction
from leocdp.adapters.arango.keys import hashed, number_key
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


def users(database: Documents) -> Sequence[UserRow]:
    found = [row(UserRow, stored) for stored in database.query(aql.USERS)]
    return sorted(found, key=lambda user: (user.created_at, user.id))


def user(database: Documents, user_id: str) -> UserRow | None:
    return optional(UserRow, database.first(aql.USER, key=hashed(user_id)))


def user_by_email(database: Documents, email: str) -> UserRow | None:
    return optional(UserRow, database.first(aql.USER_BY_EMAIL, email=email))


def has_owner(database: Documents) -> bool:
    return database.first(aql.OWNERS) is not None


def add_user(transaction: Transaction, added: UserRow, link: LinkRow | None) -> None:
    if user_by_email(transaction, added.email) is not None or user(transaction, added.id) is not None:
        raise AlreadyExists("email")
    transaction.insert("admin_users", [user_document(added)])
    if link is not None:
        add_link(transaction, link)


def save_user(transaction: Transaction, changed: UserRow) -> UserRow:
    stored = user(transaction, changed.id)
    if stored is None:
        raise Unknown("no such user")
    if stored.version != changed.version:
        raise VersionMismatch(stored.version)
    other = user_by_email(transaction, changed.email)
    if other is not None and other.id != changed.id:
        raise AlreadyExists("email")
    saved = replace(changed, version=changed.version + 1)
    had_owner = has_owner(transaction)
    transaction.insert("admin_users", [user_document(saved)], "replace")
    _check_owner(transaction, had_owner)
    return saved


def delete_user(transaction: Transaction, user_id: str) -> None:
    if user(transaction, user_id) is None:
        raise Unknown("no such user")
    had_owner = has_owner(transaction)
    transaction.remove("admin_users", [hashed(user_id)])
    _check_owner(transaction, had_owner)
    links = transaction.query(aql.LINKS_OF_USER, user_id=user_id)
    transaction.remove("admin_links", [link["key"] for link in links])
    end_sessions(transaction, user_id, "")


def _check_owner(transaction: Transaction, had_owner: bool) -> None:
    """What the transaction has written is seen here; a refusal undoes it."""
    if had_owner and not has_owner(transaction):
        raise LastOwner("nobody could administer any more")


def add_link(transaction: Transaction, added: LinkRow) -> None:
    unused = [
        link["key"]
        for link in transaction.query(aql.LINKS_OF_USER, user_id=added.user_id)
        if link["kind"] == added.kind and link["used_at"] is None
    ]
    transaction.remove("admin_links", unused)
    transaction.insert("admin_links", [link_document(added)])


def link(database: Documents, token_hash: str) -> LinkRow | None:
    return optional(LinkRow, database.first(aql.LINK, key=hashed(token_hash)))


def redeem_first_owner(transaction: Transaction, token_hash: str, owner: UserRow, now: int) -> None:
    _use_link(transaction, token_hash, ("first_owner",), now)
    if has_owner(transaction):
        raise LinkRefused("there is an owner already")
    add_user(transaction, owner, None)


def redeem_password(transaction: Transaction, token_hash: str, password_hash: str, now: int) -> UserRow:
    used = _use_link(transaction, token_hash, ("invitation", "password"), now)
    stored = user(transaction, used.user_id)
    if stored is None or stored.status != "active":
        raise LinkRefused("the user is gone or disabled")
    saved = save_user(transaction, replace(stored, password_hash=password_hash))
    end_sessions(transaction, saved.id, "")
    return saved


def _use_link(transaction: Transaction, token_hash: str, kinds: tuple[str, ...], now: int) -> LinkRow:
    found = link(transaction, token_hash)
    if found is None or found.kind not in kinds or found.used_at is not None or found.expires_at <= now:
        raise LinkRefused("unknown, used or expired")
    transaction.patch("admin_links", [{"_key": hashed(token_hash), "used_at": now}], check_rev=False)
    return found


def add_session(transaction: Transaction, added: SessionRow) -> None:
    transaction.insert("admin_sessions", [session_document(added)])
    if user(transaction, added.user_id) is not None:
        noted = {"_key": hashed(added.user_id), "last_login_at": added.created_at}
        transaction.patch("admin_users", [noted], check_rev=False)


def session(database: Documents, token_hash: str) -> tuple[SessionRow, UserRow] | None:
    found = database.first(aql.SESSION, key=hashed(token_hash))
    return None if found is None else (row(SessionRow, found["session"]), row(UserRow, found["user"]))


def touch_session(transaction: Transaction, token_hash: str, now: int) -> None:
    found = session(transaction, token_hash)
    if found is not None and found[0].last_seen_at < now:
        transaction.patch("admin_sessions", [{"_key": hashed(token_hash), "last_seen_at": now}], check_rev=False)


def end_session(transaction: Transaction, token_hash: str) -> None:
    transaction.remove("admin_sessions", [hashed(token_hash)])


def end_sessions(transaction: Transaction, user_id: str, except_: str) -> int:
    kept = hashed(except_)
    keys = [key for key in transaction.query(aql.SESSIONS_OF_USER, user_id=user_id) if key != kept]
    transaction.remove("admin_sessions", keys)
    return len(keys)


def begin_attempt(
    transaction: Transaction, head: Head, account_hash: str, now: int, since: int, limit: int
) -> int | None:
    failed = transaction.first(aql.FAILED_ATTEMPTS, account_hash=account_hash, since=since, limit=limit)
    if failed >= limit:
        return None
    head.attempts += 1
    attempt = {"_key": number_key(head.attempts), "account_hash": account_hash, "at": now}
    transaction.insert("admin_attempts", [attempt])
    return head.attempts


def attempt_succeeded(transaction: Transaction, attempt: int) -> None:
    transaction.remove("admin_attempts", [number_key(attempt)])
