"""API keys: asked of admin, remembered for a while, by their hash only."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from time import monotonic
from typing import Final

from leocdp.ports.clock import Clock
from leocdp_gateway.admin import Admin, ApiKey
from leocdp_gateway.headers import RawHeaders, one

NO_SECONDS: Final = 5.0
MOST_KEYS: Final = 10_000
LONGEST_KEY: Final = 512


class Unset:
    """Nothing is remembered about a key."""


UNSET: Final = Unset()


class Keys:
    def __init__(self, admin: Admin, clock: Clock, *, seconds: float, timer: Callable[[], float] = monotonic) -> None:
        """``seconds``: how long a right key is believed without asking again; a wrong one five at the most."""
        self._admin = admin
        self._clock = clock
        self._seconds = seconds
        self._timer = timer
        self._answers: OrderedDict[bytes, tuple[ApiKey | None, float]] = OrderedDict()
        """Hash → the answer and until when it holds."""
        self._asking: dict[bytes, asyncio.Task[ApiKey | None]] = {}

    def remembered(self, key: str) -> ApiKey | Unset | None:
        """The last answer while it holds: the key, None for a wrong one, UNSET when admin must be asked."""
        found = self._answers.get(_hash(key))
        if found is None or self._timer() >= found[1]:
            return UNSET
        return self._unless_expired(found[0])

    def being_asked(self, key: str) -> bool:
        return _hash(key) in self._asking

    async def ask(self, key: str) -> ApiKey | None:
        """Ask admin, once for all who wait for the same key. Raises AdminUnavailable."""
        hashed = _hash(key)
        task = self._asking.get(hashed)
        if task is None:
            task = self._asking[hashed] = asyncio.create_task(self._ask(key, hashed))
            task.add_done_callback(lambda done: self._asked(hashed, done))
        return self._unless_expired(await asyncio.shield(task))

    def _asked(self, hashed: bytes, task: asyncio.Task[ApiKey | None]) -> None:
        self._asking.pop(hashed, None)
        if not task.cancelled():
            task.exception()  # Whoever asked may have gone meanwhile; then nobody else looks at it.

    async def _ask(self, key: str, hashed: bytes) -> ApiKey | None:
        found = await self._admin.authenticate(key)
        until = self._timer() + (min(NO_SECONDS, self._seconds) if found is None else self._seconds)
        self._answers[hashed] = (found, until)
        self._answers.move_to_end(hashed)
        if len(self._answers) > MOST_KEYS:
            self._answers.popitem(last=False)
        return found

    def _unless_expired(self, key: ApiKey | None) -> ApiKey | None:
        if key is None or key.expires_at is None:
            return key
        expires = datetime.fromisoformat(key.expires_at).timestamp() * 1000
        return key if self._clock.now() < expires else None


def bearer_key(headers: RawHeaders) -> str | None:
    """The API key of ``Authorization: Bearer …``; None without such a header. Empty for one that cannot be a key."""
    scheme, _, key = (one(headers, b"authorization") or b"").partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    text = key.strip().decode("latin-1")
    return text if text.isascii() and len(text) <= LONGEST_KEY else ""


def has_cookie(headers: RawHeaders, name: str) -> bool:
    wanted = name.encode() + b"="
    cookies = (part.strip() for each, value in headers if each == b"cookie" for part in value.split(b";"))
    return any(cookie.startswith(wanted) for cookie in cookies)


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()
