"""Rows of the port as documents, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from leocdp.adapters.arango.database import Document
from leocdp.adapters.arango.keys import hashed, number_key
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.admin_store import AuditEntry, KeyRow, LinkRow, PrivacyRow, SessionRow, StoredAudit, UserRow

R = TypeVar("R")


def row(kind: type[R], stored: Mapping[str, Any]) -> R:
    """A row of the port. Raises msgspec.ValidationError."""
    return msgspec.convert(stored, kind)


def optional(kind: type[R], stored: Mapping[str, Any] | None) -> R | None:
    return None if stored is None else row(kind, stored)


def user_document(user: UserRow) -> Document:
    return {**msgspec.to_builtins(user), "_key": hashed(user.id)}


def link_document(link: LinkRow) -> Document:
    return {**msgspec.to_builtins(link), "_key": hashed(link.token_hash)}


def session_document(session: SessionRow) -> Document:
    own = {"_key": hashed(session.token_hash), "user_key": hashed(session.user_id)}
    return {**msgspec.to_builtins(session), **own}


def key_document(key: KeyRow) -> Document:
    return {**msgspec.to_builtins(key), "_key": hashed(key.id)}


def entry_key(kind: str, entry_id: str) -> str:
    return hashed(kind, entry_id)


def entry_document(entry: ConfigEntry) -> Document:
    return {**msgspec.to_builtins(entry), "_key": entry_key(entry.kind, entry.id)}


def privacy_document(request: PrivacyRow) -> Document:
    own = {"_key": hashed(request.id), "place": privacy_place(request.id)}
    return {**msgspec.to_builtins(request), **own}


def privacy_place(request_id: str) -> str:
    return request_id.encode("utf-8", "surrogatepass").hex()


def audit_document(entry: AuditEntry, sequence: int) -> Document:
    return {**msgspec.to_builtins(entry), "_key": number_key(sequence), "sequence": sequence}


def stored_audit(stored: Mapping[str, Any]) -> StoredAudit:
    return StoredAudit(stored["sequence"], row(AuditEntry, stored))
