"""Pauses between tries: full jitter, growing, within a time limit, ended by a stop."""

from __future__ import annotations

import random
import time
from threading import Event
from typing import Final

FIRST: Final = 0.01
LONGEST: Final = 0.5


class Pauses:
    """The pauses of one call. For one thread."""

    def __init__(self, stopping: Event, seconds: float, tries: int = 1_000) -> None:
        self._stopping = stopping
        self._end = time.monotonic() + seconds
        self._left = tries
        self._longest = FIRST

    def another(self) -> bool:
        """Pause; False when there is to be no other try: too many, too late, or a stop was asked for."""
        self._left -= 1
        self._longest = min(2 * self._longest, LONGEST)
        pause = random.uniform(0, self._longest)  # noqa: S311 - jitter
        if self._left <= 0 or time.monotonic() + pause > self._end:
            return False
        return not self._stopping.wait(pause)
