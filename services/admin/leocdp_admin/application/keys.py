"""API keys: shown once, stored as a hash, with scopes and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex, token_urlsafe

from leocdp.domain.errors import Problem
from leocdp.ports.admin_store import AdminStore, KeyRow, Unknown
from leocdp.ports.clock import Clock
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.errors import NotFound, Unacceptable
from leocdp_admin.application.shapes.administration import KeyAsked, KeyShape, NewKeyShape
from leocdp_admin.application.shapes.base import moment, moment_or_none, to_ms

SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What the gateway needs to know of a key that is good."""

    id: str
    name: str
    scopes: tuple[str, ...]
    expires_at: int | None


def key_hash(secret: str) -> str:
    """SHA-256: keys have 256 random bits, so there is nothing to guess and nothing to slow down."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Keys:
    def __init__(self, store: AdminStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def list(self, actor: Actor) -> list[KeyShape]:
        """Newest first, expired and revoked ones included."""
        actor.require("admin")
        now = self._clock.now()
        return [_shape(row, now) for row in await self._store.keys()]

    async def create(self, actor: Actor, asked: KeyAsked) -> NewKeyShape:
        """The secret is in this answer only. An actor cannot give what it does not have."""
        actor.require("admin")
        now = self._clock.now()
        expires = None if asked.expires_at is None else to_ms(asked.expires_at)
        problems = [
            Problem(f"scopes[{place}]", "is more than you have yourself")
            for place, scope in enumerate(asked.scopes)
            if not actor.may(scope)
        ]
        if expires is not None and expires <= now:
            problems.append(Problem("expires_at", "must be in the future"))
        if problems:
            raise Unacceptable(problems)
        key_id = token_hex(6)
        secret = f"lk_{key_id}_{token_urlsafe(32)}"
        row = KeyRow(
            id=key_id,
            name=asked.name.strip() or key_id,
            secret_hash=key_hash(secret),
            scopes=tuple(dict.fromkeys(asked.scopes)),
            created_at=now,
            created_by=actor.audit_id,
            expires_at=expires,
        )
        await self._store.add_key(row, audit=[actor.did("key.create", key_id, at=now, scopes=list(row.scopes))])
        return NewKeyShape(**_shape(row, now).model_dump(), secret=secret)

    async def revoke(self, actor: Actor, key_id: str) -> None:
        """The gateway refuses it within 30 seconds. Raises NotFound (``key_not_found``)."""
        actor.require("admin")
        now = self._clock.now()
        try:
            await self._store.revoke_key(key_id, now=now, audit=[actor.did("key.revoke", key_id, at=now)])
        except Unknown as error:
            raise NotFound("key_not_found", "There is no key with this id.") from error

    async def authenticate(self, secret: str) -> KeyFacts | None:
        """For the gateway: the facts of a good key; None for any other."""
        if len(secret) < SHORTEST_KEY:
            return None
        row = await self._store.key_by_hash(key_hash(secret))
        if row is None or _state(row, self._clock.now()) != "active":
            return None
        return KeyFacts(row.id, row.name, row.scopes, row.expires_at)

    async def mark_used(self, used: Mapping[str, int]) -> None:
        """Id → time of the last use (ms); times of a clock ahead of ours count as now."""
        now = self._clock.now()
        await self._store.mark_keys_used({key_id: min(at, now) for key_id, at in used.items()})


def _state(row: KeyRow, now: int) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "active"


def _shape(row: KeyRow, now: int) -> KeyShape:
    return KeyShape.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "scopes": list(row.scopes),
            "created_at": moment(row.created_at),
            "expires_at": moment_or_none(row.expires_at),
            "last_used_at": moment_or_none(row.last_used_at),
            "state": _state(row, now),
        }
    )
