"""Time as a dependency."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000_000
