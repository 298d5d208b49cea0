"""Who asks, and what they may do. Roles of people and scopes of keys come to the same set of permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from leocdp.ports.admin_store import AuditEntry, Role
from leocdp_admin.application.errors import Forbidden

Scope = Literal[
    "profiles:read",
    "profiles:write",
    "events:read",
    "events:write",
    "segments:read",
    "segments:write",
    "sources:read",
    "sources:write",
    "privacy:read",
    "privacy:write",
    "settings:read",
    "admin",
]
"""What a key may do. ``admin``: users, keys, settings, audit. No scope includes another one."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
ROLES: Final[tuple[Role, ...]] = get_args(Role)

SCOPE_HELP: Final[Mapping[Scope, str]] = {
    "profiles:read": "Read profiles, their events and identity, and the review queue.",
    "profiles:write": "Merge and un-merge, change consents and labels, decide reviews.",
    "events:read": "Read events, the catalogue, and dead letters.",
    "events:write": "Replay dead letters.",
    "segments:read": "Read segments and their members.",
    "segments:write": "Create, change and delete segments.",
    "sources:read": "Read sources, write keys included.",
    "sources:write": "Create, change and delete sources, and rotate their keys.",
    "privacy:read": "Read privacy requests and their receipts.",
    "privacy:write": "Ask for access, erasure and objection.",
    "settings:read": "Read the settings.",
    "admin": "Users, API keys, settings and the audit log.",
}

ROLE_SCOPES: Final[Mapping[Role, frozenset[str]]] = {
    "owner": frozenset(SCOPES),
    "marketer": frozenset(SCOPES) - {"admin"},
    "viewer": frozenset({"profiles:read", "events:read", "segments:read", "settings:read"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    kind: Literal["user", "key", "cli", "system"]
    id: str
    """User id, or the id of the key; ``cli``, ``system``."""
    name: str
    scopes: frozenset[str]
    role: Role | None = None
    """Of people only."""
    client: str = ""
    """Address they come from."""
    language: str = ""

    @property
    def audit_id(self) -> str:
        """As it stands in commands and in the audit log."""
        return f"key:{self.id}" if self.kind == "key" else self.id

    @property
    def masked(self) -> bool:
        """Contacts are hidden from this actor, and there is no raw JSON, no export, no search by exact contact."""
        return self.role == "viewer"

    def may(self, *scopes: str) -> bool:
        """Whether the actor has any of the scopes."""
        return not self.scopes.isdisjoint(scopes)

    def require(self, *scopes: str) -> None:
        """Raises Forbidden unless the actor has any of the scopes."""
        if self.may(*scopes):
            return
        if self.kind == "key":
            raise Forbidden(f"This key needs the scope {' or '.join(scopes)}.", "missing_scope")
        raise Forbidden(f"Your role does not allow this ({' or '.join(scopes)}). Ask an owner.", "role_not_allowed")

    def did(self, action: str, target: str = "", *, at: int, **details: object) -> AuditEntry:
        """An audit entry of this actor. Details never hold a value of a trait or a contact."""
        return AuditEntry(
            at=at,
            actor=self.audit_id,
            actor_name=self.name,
            action=action,
            target=target,
            client=self.client,
            details={name: value for name, value in details.items() if value not in (None, "", (), [], {})},
        )


SYSTEM: Final = Actor(kind="system", id="system", name="system", scopes=frozenset(SCOPES))
CLI: Final = Actor(kind="cli", id="cli", name="command line", scopes=frozenset(SCOPES))
