"""Questions to parts of the system that may hang: whoever asks waits a while, never longer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Patience(Generic[T]):
    """One question at a time. An answer that comes too late is thrown away; until it has come nothing is asked again,
    so that a part that hangs is not asked by more and more at once."""

    def __init__(self, question: Callable[[], Awaitable[T]], *, seconds: float) -> None:
        self._question = question
        self._seconds = seconds
        self._asked: asyncio.Task[T] | None = None

    async def ask(self, seconds: float | None = None, *, anew: bool = False) -> T:
        """``anew``: an answer to what was asked before this call is not taken. ``seconds``: as at the beginning unless
        told. Raises TimeoutError, and what the question raises."""
        until = time.monotonic() + (self._seconds if seconds is None else seconds)
        before = self._asked
        if anew and before is not None and not before.done():
            await _wait(before, until)
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._put())
        task = self._asked
        await _wait(task, until)
        return task.result()

    async def close(self) -> None:
        if self._asked is not None:
            self._asked.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._asked

    async def _put(self) -> T:
        return await self._question()


async def _wait(task: asyncio.Task[T], until: float) -> None:
    """Raises TimeoutError."""
    await asyncio.wait({task}, timeout=max(0.0, until - time.monotonic()))
    if not task.done():
        task.add_done_callback(_look_at)
        raise TimeoutError


def _look_at(task: asyncio.Task[T]) -> None:
    """Its error was told as a time-out already; asyncio wants it looked at."""
    if not task.cancelled():
        task.exception()
