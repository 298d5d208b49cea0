"""How often one API key may call, and how often one address may guess."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import ip_network
from time import monotonic
from typing import Final

from leocdp.kit.clients import parse_address

MINUTE: Final = 60.0
MOST_ADDRESSES: Final = 50_000

Clock = Callable[[], float]
"""Seconds that only grow."""


class KeyRate:
    """A token bucket per key: ``rate`` requests per second, with a burst of one second's worth; 0 is no limit."""

    def __init__(self, rate: int, clock: Clock = monotonic) -> None:
        self._rate = float(rate)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        """Key → tokens and when they were counted. There are no more of them than keys that admin knows."""

    def take(self, key: str) -> float:
        """Take a token. 0 when there was one, else the seconds until there is."""
        if not self._rate:
            return 0.0
        now = self._clock()
        tokens, counted = self._buckets.get(key, (self._rate, now))
        tokens = min(self._rate, tokens + (now - counted) * self._rate)
        if tokens < 1.0:
            self._buckets[key] = (tokens, now)
            return (1.0 - tokens) / self._rate
        self._buckets[key] = (tokens - 1.0, now)
        return 0.0


class Failures:
    """Wrong keys per address and minute. An attempt counts from its begin, so that many at once are no way around."""

    def __init__(self, limit: int, clock: Clock = monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._attempts: dict[str, deque[float]] = {}

    def wait(self, address: str) -> float:
        """Seconds until the address may try again; 0 when it may now."""
        if not self._limit:
            return 0.0
        attempts = self._recent(_network(address))
        return attempts[0] + MINUTE - self._clock() if len(attempts) >= self._limit else 0.0

    def begin(self, address: str) -> None:
        if not self._limit:
            return
        network = _network(address)
        attempts = self._recent(network)
        attempts.append(self._clock())
        self._attempts[network] = attempts
        if len(self._attempts) > MOST_ADDRESSES:
            self._forget()

    def take_back(self, address: str) -> None:
        """An attempt that was begun was no failure."""
        attempts = self._attempts.get(_network(address))
        if attempts:
            attempts.pop()

    def _recent(self, network: str) -> deque[float]:
        attempts = self._attempts.get(network) or deque()
        oldest = self._clock() - MINUTE
        while attempts and attempts[0] <= oldest:
            attempts.popleft()
        return attempts

    def _forget(self) -> None:
        """Drop who has not failed within the minute; if that is not enough, the half that failed first."""
        self._attempts = {network: recent for network in self._attempts if (recent := self._recent(network))}
        if len(self._attempts) > MOST_ADDRESSES:
            for network in list(self._attempts)[: MOST_ADDRESSES // 2]:
                del self._attempts[network]


def _network(address: str) -> str:
    """An IPv6 client has a /64 to choose addresses from, so that counts as one."""
    parsed = parse_address(address)
    if parsed is None or parsed.version == 4:
        return address
    return str(ip_network((parsed, 64), strict=False))
