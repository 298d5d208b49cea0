"""Waking readers: what each one waits for, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from leocdp.ports.event_log import LogError

Ends = Mapping[str, Sequence[int]]
"""Topic → next offset of each partition."""
Ready = Callable[[Ends], bool]


class Watch:
    """Knows the next offsets as far as somebody has seen them, and who waits for them to grow."""

    def __init__(self, watching: Callable[[bool], None]) -> None:
        """``watching`` is told whether anybody waits."""
        self._ends: dict[str, Sequence[int]] = {}
        self._waiters: list[tuple[Ready, asyncio.Future[None]]] = []
        self._watching = watching

    def grown(self, ends: Ends) -> None:
        """Take the news, from this process's commits or from the poller (they may come late: offsets only grow)."""
        for topic, offsets in ends.items():
            known = self._ends.get(topic)
            self._ends[topic] = offsets if known is None else list(map(max, known, offsets))
        self.recheck()

    def recheck(self) -> None:
        """Wake who has something to read now, also because it has moved itself."""
        for ready, future in self._waiters:
            if not future.done() and ready(self._ends):
                future.set_result(None)

    def failed(self, error: LogError) -> None:
        for _, future in self._waiters:
            if not future.done():
                future.set_exception(type(error)(*error.args))

    async def wait(self, ready: Ready, seconds: float | None) -> None:
        """Return when there may be something to read, or after ``seconds``. Raises LogError."""
        if ready(self._ends):
            return
        waiter = (ready, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        if len(self._waiters) == 1:
            self._watching(True)
        try:
            async with asyncio.timeout(seconds):
                await waiter[1]
        except TimeoutError:
            return
        finally:
            self._waiters.remove(waiter)
            if not self._waiters:
                self._watching(False)
