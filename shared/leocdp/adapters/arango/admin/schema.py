"""The collections of admin's store and their indexes. A step is never changed once released; add another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from leocdp.adapters.arango.migrations import Collection, Schema, Step, persistent
from leocdp.adapters.arango.turns import Ledger, head_document

COLLECTION: Final = "admin_ledger"


@dataclass(slots=True)
class Head:
    """The last numbers given out."""

    audit: int = 0
    outbox: int = 0
    attempts: int = 0
    recent: list[str] = field(default_factory=list)


_FIRST: Final = Step(
    (
        Collection(COLLECTION),
        Collection("admin_users", persistent("admin_users_email", "email")),
        Collection(
            "admin_links", persistent("admin_links_user", "user_id"), persistent("admin_links_end", "expires_at")
        ),
        Collection(
            "admin_sessions",
            persistent("admin_sessions_user", "user_id"),
            persistent("admin_sessions_end", "expires_at"),
        ),
        Collection(
            "admin_attempts",
            persistent("admin_attempts_account", "account_hash", "at"),
            persistent("admin_attempts_at", "at"),
        ),
        Collection("admin_keys", persistent("admin_keys_secret", "secret_hash")),
        Collection("admin_config", persistent("admin_config_kind", "kind", "deleted")),
        Collection("admin_config_outbox"),
        Collection("admin_commands", persistent("admin_commands_at", "at")),
        Collection("admin_privacy", persistent("admin_privacy_newest", "created_at", "place")),
        Collection(
            "admin_audit",
            persistent("admin_audit_at", "at"),
            persistent("admin_audit_actor", "actor", "sequence"),
            persistent("admin_audit_target", "target", "sequence"),
        ),
    ),
    documents=((COLLECTION, head_document(Head())),),
)

SCHEMA: Final = Schema("admin store", COLLECTION, (_FIRST,), oldest=1)
# People, keys and configuration are nothing that a log could bring back: every commit is on the disk when it returns.
LEDGER: Final = Ledger(COLLECTION, Head, SCHEMA.collection_names, sync=True)
