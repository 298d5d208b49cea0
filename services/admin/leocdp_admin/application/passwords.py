"""Passwords: Argon2id, and the same work whether or not there is such an account."""

from __future__ import annotations

import asyncio
from secrets import token_urlsafe

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1_000


class Passwords:
    """Hashing takes tens of milliseconds of a core, so it runs in a thread, a few at a time."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._free = asyncio.Semaphore(2)
        self._decoy = ""

    async def hash(self, password: str) -> str:
        async with self._free:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str, password: str) -> bool:
        """False for an empty hash (unknown account, no password yet) after as much work as for a wrong password."""
        async with self._free:
            return await asyncio.to_thread(self._verify, password_hash, password[:LONGEST_PASSWORD])

    def outdated(self, password_hash: str) -> bool:
        """It was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        self._decoy = self._decoy or self._hasher.hash(token_urlsafe(16))
        try:
            return self._hasher.verify(password_hash or self._decoy, password) and bool(password_hash)
        except (VerificationError, InvalidHashError):
            return False
