"""Starting what a service rests on, with patience: what cannot be reached is tried again, and readiness says why.

A service that ended instead would be started again by whoever watches over it, more and more rarely, and could not say
at ``/readyz`` what is wrong: a password that was changed on one side only, a certificate that has run out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from leocdp.kit.errors import LeoError
from leocdp.kit.logs import get_logger

RETRY_FIRST: Final = 0.2
RETRY_MOST: Final = 5.0
"""Seconds between tries: doubled from the first to the most."""
STARTING: Final = "starting"

logger = get_logger(__name__)

Step = Callable[[AsyncExitStack], Awaitable[None]]
"""Starts one thing and pushes what ends it. It may be called again after it has raised; what it pushed is undone."""


class Opening:
    """Takes ``steps`` one after the other, and ends them in the reverse order."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._problem = STARTING
        self._met_trouble = asyncio.Event()

    @property
    def reason(self) -> str:
        """Why not everything is open yet; empty when it is."""
        return self._problem

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Goes on when everything is open, or at the first thing that cannot be reached now: that is waited for beside
        what goes on. Raises what no waiting mends, as long as nothing has had to be waited for."""
        async with AsyncExitStack() as stack:
            opening = asyncio.create_task(self._open(stack))
            trouble = asyncio.create_task(self._met_trouble.wait())
            try:
                await asyncio.wait({opening, trouble}, return_when=asyncio.FIRST_COMPLETED)
                if opening.done():
                    opening.result()
                yield
            finally:
                opening.cancel()
                trouble.cancel()
                await asyncio.gather(opening, trouble, return_exceptions=True)

    async def _open(self, stack: AsyncExitStack) -> None:
        for step in self._steps:
            await self._take(step, stack)
        if self._met_trouble.is_set():
            logger.info("everything can be reached now")
        self._problem = ""

    async def _take(self, step: Step, stack: AsyncExitStack) -> None:
        delay = RETRY_FIRST
        while True:
            try:
                async with AsyncExitStack() as own:
                    await step(own)
                    stack.push_async_exit(own.pop_all())
                return
            except LeoError as error:
                if not error.retryable and not self._met_trouble.is_set():
                    raise
                self._note(str(error))
            await asyncio.sleep(delay)
            delay = min(delay * 2, RETRY_MOST)

    def _note(self, reason: str) -> None:
        if reason != self._problem:
            logger.warning("starting waits", reason=reason)
        self._problem = reason
        self._met_trouble.set()
