"""How long an append to the log waits for more requests to share it.

Half of the clients that send one event after the other are answered by an append while the other half waits for the
next one, so that appends stay half as large as they could be; and their cost is per append and partition, not per
request. So an append waits a moment for those who were answered just now, if that is short beside the append itself
and there are enough of them. Databases do the same for commits (PostgreSQL: ``commit_delay``, ``commit_siblings``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 64
"""Requests that share an append are worth waiting for up to here; beyond, another one makes it little cheaper."""
CROWD: Final = 16
"""With fewer requests under way than this nobody waits: one client alone is answered at once."""
LONGEST: Final = 0.002
FINEST: Final = 0.001
"""Seconds; timers of the event loop are no finer."""


@dataclass(slots=True)
class Pace:
    wanted: int = 0
    """Requests that were under way at the end of the last append: as many may come again."""
    took: float = 0.0
    """Seconds that an append takes, smoothed over about eight."""

    def appended(self, stored: int, waiting: int, seconds: float) -> None:
        """``stored`` requests shared an append of ``seconds``; ``waiting`` came meanwhile."""
        self.wanted = min(ENOUGH, stored + waiting)
        self.took += (seconds - self.took) / 8

    def wait(self, waiting: int) -> float:
        """Seconds to wait for up to ``wanted`` requests when ``waiting`` are there; 0: append now."""
        if self.wanted < CROWD or waiting >= self.wanted:
            return 0.0
        seconds = min(LONGEST, self.took / 2)
        return seconds if seconds >= FINEST else 0.0
