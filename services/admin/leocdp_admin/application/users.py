"""People who use the admin: invited by an owner, the first one by a link that works once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from re import compile
from secrets import token_hex
from typing import Final, Literal

from leocdp.domain.errors import Problem
from leocdp.ports.admin_store import (
    AdminStore,
    AlreadyExists,
    LastOwner,
    LinkRefused,
    LinkRow,
    Unknown,
    UserRow,
    VersionMismatch,
)
from leocdp.ports.clock import Clock
from leocdp_admin.application.actor import SYSTEM, Actor
from leocdp_admin.application.errors import Changed, Conflict, NotFound, Unacceptable, Unauthenticated
from leocdp_admin.application.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, Passwords
from leocdp_admin.application.sessions import HOUR_MS, new_token, normalised_email, token_hash
from leocdp_admin.application.shapes.administration import InvitedUser, UserAsked, UserChange, UserShape
from leocdp_admin.application.shapes.base import moment, moment_or_none

FIRST_OWNER_MS = 30 * 60_000
INVITATION_MS = 7 * 24 * HOUR_MS
WELCOME_PATH: Final = "/welcome"
"""Where links lead: ``/welcome?token=…``, for the first owner, invitations and new passwords alike."""
_EMAIL: Final = compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)*")


@dataclass(frozen=True, slots=True)
class Welcome:
    """A link that is good: what its page asks for."""

    kind: Literal["first_owner", "invitation", "password"]
    email: str
    """Empty for the first owner, who chooses one."""
    name: str


class Users:
    """Raises NotFound (``user_not_found``), Conflict (``user_exists``, ``last_owner``), Changed, Unacceptable."""

    def __init__(self, store: AdminStore, passwords: Passwords, clock: Clock, *, public_url: str) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    async def list(self, actor: Actor) -> list[UserShape]:
        actor.require("admin")
        return [user_shape(row) for row in await self._store.users()]

    async def get(self, actor: Actor, user_id: str) -> UserShape:
        actor.require("admin")
        return user_shape(await self._row(user_id))

    async def create(self, actor: Actor, asked: UserAsked) -> InvitedUser:
        """With a password, or with an invitation whose address is in this answer only."""
        actor.require("admin")
        now = self._clock.now()
        row = await self._new_row(asked, now)
        token = new_token()
        link = None if row.password_hash else _link(token, "invitation", now, INVITATION_MS, row.id)
        try:
            await self._store.add_user(row, link=link, audit=[actor.did("user.create", row.id, at=now, role=row.role)])
        except AlreadyExists as error:
            raise Conflict("user_exists", "Somebody with this e-mail address is here already.") from error
        invitation = self._address(token) if link else None
        return InvitedUser(**user_shape(row).model_dump(), invitation=invitation)

    async def update(self, actor: Actor, user_id: str, asked: UserChange, *, expected: int | None = None) -> UserShape:
        """What is left out stays. Disabling, or another role, ends the person's sessions."""
        actor.require("admin")
        row = await self._row(user_id)
        if expected is not None and expected != row.version:
            raise Changed(row.version)
        given = {name: value for name, value in asked.model_dump(exclude_none=True).items() if value != "invited"}
        now = self._clock.now()
        changed = replace(row, **given)
        saved = await self._save(changed, actor, "user.update", now)
        if saved.status != "active" or saved.role != row.role:
            await self._store.end_sessions(user_id)
        return user_shape(saved)

    async def invite_again(self, actor: Actor, user_id: str) -> InvitedUser:
        """A new link for somebody who has no password yet or forgot it; older ones stop working."""
        actor.require("admin")
        row, now, token = await self._row(user_id), self._clock.now(), new_token()
        kind: Literal["invitation", "password"] = "password" if row.password_hash else "invitation"
        await self._store.add_link(
            _link(token, kind, now, INVITATION_MS, row.id), audit=[actor.did("user.invite", row.id, at=now)]
        )
        return InvitedUser(**user_shape(row).model_dump(), invitation=self._address(token))

    async def delete(self, actor: Actor, user_id: str) -> None:
        """Sessions end at once; what the person did stays in the audit log."""
        actor.require("admin")
        try:
            await self._store.delete_user(user_id, audit=[actor.did("user.delete", user_id, at=self._clock.now())])
        except Unknown as error:
            raise _not_found() from error
        except LastOwner as error:
            raise _last_owner() from error

    # By the person

    async def set_language(self, user: UserRow, language: str) -> None:
        """Remembered with the account, wherever the person logs in."""
        if language != user.language:
            row = await self._store.user(user.id)
            if row is not None:
                await self._store.save_user(replace(row, language=language))

    async def change_password(self, actor: Actor, current: str, password: str, *, keep_session: str = "") -> None:
        """Other sessions end. Raises Unauthenticated (``wrong_credentials``), Unacceptable."""
        row = await self._row(actor.id)
        if not await self._passwords.verify(row.password_hash, current):
            raise Unauthenticated("The current password is wrong.", "wrong_credentials")
        check_password(password)
        hashed = await self._passwords.hash(password)
        await self._save(replace(row, password_hash=hashed), actor, "user.password", self._clock.now())
        await self._store.end_sessions(row.id, except_=token_hash(keep_session) if keep_session else "")

    # Links that work once

    async def has_owner(self) -> bool:
        """Whether anybody can log in and administer; until then the only way in is the first owner's link."""
        return await self._store.has_owner()

    async def first_owner_link(self) -> str | None:
        """A new address for the first owner, good for 30 minutes; None when there is an owner."""
        if await self._store.has_owner():
            return None
        now, token = self._clock.now(), new_token()
        await self._store.add_link(_link(token, "first_owner", now, FIRST_OWNER_MS))
        return self._address(token)

    async def welcome(self, token: str) -> Welcome | None:
        """What a link is for; None when it is not good (any more)."""
        link = await self._store.link(token_hash(token))
        if link is None or link.used_at is not None or link.expires_at <= self._clock.now():
            return None
        if link.kind == "first_owner":
            return None if await self._store.has_owner() else Welcome("first_owner", "", "")
        user = await self._store.user(link.user_id)
        return Welcome(link.kind, user.email, user.name) if user and user.status == "active" else None

    async def accept(self, token: str, *, email: str = "", name: str = "", password: str) -> UserRow:
        """Use a link: create the first owner, or set the password of the invited person.

        Raises Unacceptable, Conflict (``link_refused``: used, too old, or there is an owner already).
        """
        welcome, now = await self.welcome(token), self._clock.now()
        if welcome is None:
            raise _refused()
        if welcome.kind == "first_owner":
            asked = UserAsked(email=email[:254] or "-@-", name=name[:100], role="owner", password=password)
            row = await self._new_row(asked, now)
            audit = [SYSTEM.did("user.first_owner", row.id, at=now)]
            try:
                await self._store.redeem_first_owner(token_hash(token), row, now=now, audit=audit)
            except (LinkRefused, AlreadyExists) as error:
                raise _refused() from error
            return row
        check_password(password)
        hashed = await self._passwords.hash(password)
        try:
            return await self._store.redeem_password(token_hash(token), hashed, now=now)
        except LinkRefused as error:
            raise _refused() from error

    async def _new_row(self, asked: UserAsked, now: int) -> UserRow:
        email = normalised_email(asked.email)
        if not _EMAIL.fullmatch(email) or email == "-@-":
            raise Unacceptable([Problem("email", "must be an e-mail address")])
        hashed = ""
        if asked.password is not None:
            check_password(asked.password)
            hashed = await self._passwords.hash(asked.password)
        return UserRow(
            id=f"usr_{token_hex(8)}",
            email=email,
            name=asked.name.strip(),
            role=asked.role,
            language=asked.language,
            password_hash=hashed,
            created_at=now,
        )

    async def _row(self, user_id: str) -> UserRow:
        row = await self._store.user(user_id)
        if row is None:
            raise _not_found()
        return row

    async def _save(self, row: UserRow, actor: Actor, action: str, now: int) -> UserRow:
        try:
            return await self._store.save_user(row, audit=[actor.did(action, row.id, at=now, role=row.role)])
        except VersionMismatch as error:
            raise Changed(error.current) from error
        except Unknown as error:
            raise _not_found() from error
        except LastOwner as error:
            raise _last_owner() from error

    def _address(self, token: str) -> str:
        return f"{self._public_url}{WELCOME_PATH}?token={token}"


def check_password(password: str) -> None:
    """Raises Unacceptable. Length is what counts; no rules on what it must be made of."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Unacceptable([Problem("password", f"needs {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")])


def user_shape(row: UserRow) -> UserShape:
    return UserShape(
        id=row.id,
        email=row.email,
        name=row.name,
        role=row.role,
        status="disabled" if row.status == "disabled" else "active" if row.password_hash else "invited",
        language=row.language,
        created_at=moment(row.created_at),
        last_login_at=moment_or_none(row.last_login_at),
        version=row.version,
    )


def _link(
    token: str, kind: Literal["first_owner", "invitation", "password"], now: int, lasts: int, user_id: str = ""
) -> LinkRow:
    return LinkRow(token_hash=token_hash(token), kind=kind, created_at=now, expires_at=now + lasts, user_id=user_id)


def _not_found() -> NotFound:
    return NotFound("user_not_found", "There is no user with this id.")


def _last_owner() -> Conflict:
    return Conflict("last_owner", "This is the last owner: make somebody else one first.")


def _refused() -> Conflict:
    return Conflict("link_refused", "This link was used, is too old, or is not needed any more. Ask for a new one.")
