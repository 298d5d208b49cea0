"""Logging in and staying so: random tokens, of which only the hash is kept, that end by time and by will."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from secrets import token_urlsafe

from leocdp.kit import metric_catalogue as m
from leocdp.kit.metrics import Metrics
from leocdp.ports.admin_store import AdminStore, AuditEntry, SessionRow, UserRow, VersionMismatch
from leocdp.ports.clock import Clock
from leocdp_admin.application.actor import ROLE_SCOPES, Actor
from leocdp_admin.application.errors import TooManyAttempts, Unauthenticated
from leocdp_admin.application.passwords import Passwords

HOUR_MS = 3_600_000
IDLE_MS = 12 * HOUR_MS
ABSOLUTE_MS = 14 * 24 * HOUR_MS
TOUCH_EVERY_MS = 60_000

ATTEMPTS = 10
ATTEMPT_WINDOW_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class NewSession:
    token: str
    """For the cookie; it is nowhere else."""
    expires_at: int
    user: UserRow


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with a session that is good."""

    actor: Actor
    user: UserRow
    token: str


def token_hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token() -> str:
    """256 random bits."""
    return token_urlsafe(32)


def normalised_email(email: str) -> str:
    return email.strip().lower()


class Sessions:
    def __init__(self, store: AdminStore, passwords: Passwords, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._metrics = metrics

    async def login(
        self, email: str, password: str, *, client: str = "", agent: str = "", previous: str = ""
    ) -> NewSession:
        """A new session, always with a new token; ``previous``, the token of the browser before, ends.

        Raises Unauthenticated (``wrong_credentials``, the same for unknown accounts), TooManyAttempts after ten failed
        logins of one account within 15 minutes, until they age.
        """
        now, address = self._clock.now(), normalised_email(email)
        attempt = await self._store.begin_attempt(
            token_hash(address), now=now, since=now - ATTEMPT_WINDOW_MS, limit=ATTEMPTS
        )
        if attempt is None:
            self._metrics.inc(m.ADMIN_LOGINS, result="locked")
            raise TooManyAttempts(
                "Too many failed logins of this account. Wait 15 minutes, then try again.", ATTEMPT_WINDOW_MS // 1000
            )
        user = await self._store.user_by_email(address)
        good = await self._passwords.verify(user.password_hash if user else "", password)
        if user is None or not good or user.status != "active":
            await self._failed(user, now, client)
        assert user is not None
        await self._store.attempt_succeeded(attempt)
        await self._refresh_hash(user, password)
        self._metrics.inc(m.ADMIN_LOGINS, result="ok")
        return await self.open(user, client=client, agent=agent, previous=previous)

    async def open(self, user: UserRow, *, client: str = "", agent: str = "", previous: str = "") -> NewSession:
        """For somebody who has just proved who they are."""
        now, token = self._clock.now(), new_token()
        if previous:
            await self._store.end_session(token_hash(previous))
        session = SessionRow(
            token_hash=token_hash(token),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE_MS,
            client=client,
            agent=agent[:200],
        )
        await self._store.add_session(session, audit=[_did(user, "user.login", now, client)])
        return NewSession(token, session.expires_at, user)

    async def authenticate(self, token: str, *, client: str = "") -> SignedIn | None:
        """Who a session's token stands for; None when it is unknown or over, or the user was disabled."""
        if not token:
            return None
        found = await self._store.session(token_hash(token))
        if found is None:
            return None
        session, user = found
        now = self._clock.now()
        if user.status != "active" or now >= session.expires_at or now - session.last_seen_at >= IDLE_MS:
            return None
        if now - session.last_seen_at >= TOUCH_EVERY_MS:
            await self._store.touch_session(session.token_hash, now)
        return SignedIn(actor_of(user, client), user, token)

    async def logout(self, token: str) -> None:
        """Idempotent."""
        if token:
            await self._store.end_session(token_hash(token))

    async def _failed(self, user: UserRow | None, now: int, client: str) -> None:
        self._metrics.inc(m.ADMIN_LOGINS, result="failed")
        if user is not None:
            await self._store.record([_did(user, "user.login_failed", now, client)])
        raise Unauthenticated("E-mail or password is wrong.", "wrong_credentials")

    async def _refresh_hash(self, user: UserRow, password: str) -> None:
        if not self._passwords.outdated(user.password_hash):
            return
        try:
            await self._store.save_user(replace(user, password_hash=await self._passwords.hash(password)))
        except VersionMismatch:
            # Changed beside us; the next login does it.
            return


def actor_of(user: UserRow, client: str = "") -> Actor:
    return Actor(
        kind="user",
        id=user.id,
        name=user.name or user.email,
        scopes=ROLE_SCOPES[user.role],
        role=user.role,
        client=client,
        language=user.language,
    )


def _did(user: UserRow, action: str, now: int, client: str) -> AuditEntry:
    return AuditEntry(
        at=now, actor=user.id, actor_name=user.name or user.email, action=action, target=user.id, client=client
    )
