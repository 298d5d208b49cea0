"""A circuit breaker: leaves a server alone that has just failed several times in a row."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

LIMIT: Final = 5
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 10.0


class Breaker:
    """Shared by all threads of a store.

    After ``limit`` failures in a row it is *open*: nobody may ask until a pause is over, then one may. If that one
    fails too, the pause doubles; its first success closes the breaker.
    """

    def __init__(
        self,
        limit: int = LIMIT,
        first_pause: float = FIRST_PAUSE,
        longest_pause: float = LONGEST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = first_pause
        self._until = 0.0
        self.reason = ""
        """What the last failure was."""

    def wait(self) -> float:
        """Seconds until somebody may ask again; 0 is a permission, which when open is given to one at a time."""
        with self._lock:
            if self._failures < self._limit:
                return 0.0
            now = self._clock()
            if now < self._until:
                return self._until - now
            self._until = now + self._pause
            return 0.0

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0
            self._pause = self._first_pause

    def failed(self, reason: str) -> None:
        with self._lock:
            self.reason = reason
            self._failures += 1
            if self._failures == self._limit:
                self._until = self._clock() + self._pause
            elif self._failures > self._limit:
                self._pause = min(2 * self._pause, self._longest_pause)
                self._until = self._clock() + self._pause
