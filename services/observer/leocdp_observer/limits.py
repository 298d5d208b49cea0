"""How often one write key may call: a token bucket per source."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic


class RateLimit:
    """``rate`` requests per second and key, with a burst of one second's worth; 0 is no limit."""

    def __init__(self, rate: int, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, list[float]] = {}

    def take(self, key: str) -> int:
        """Take a token. 0 when there was one, else the whole seconds to wait."""
        if not self._rate:
            return 0
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = [float(self._rate), now]
        tokens = min(float(self._rate), bucket[0] + (now - bucket[1]) * self._rate)
        bucket[1] = now
        if tokens >= 1.0:
            bucket[0] = tokens - 1.0
            return 0
        bucket[0] = tokens
        return max(1, math.ceil((1.0 - tokens) / self._rate))
