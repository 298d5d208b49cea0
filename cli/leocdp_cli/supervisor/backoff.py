"""How long to wait before a dead service is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Doubles from ``first`` to ``most`` (seconds); a run of ``healthy_after`` seconds starts over at ``first``."""

    first: float = 0.5
    most: float = 30.0
    healthy_after: float = 10.0
    failures: int = 0
    """Deaths in a row, none of which lived ``healthy_after``."""

    def delay_after(self, uptime: float) -> float:
        """The pause after a death that came ``uptime`` seconds after the start."""
        if uptime >= self.healthy_after:
            self.failures = 0
        delay = min(self.first * 2.0**self.failures, self.most)
        self.failures += 1
        return delay
