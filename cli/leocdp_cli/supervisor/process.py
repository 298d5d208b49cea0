"""One service as a child process that is kept alive."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from time import monotonic

from leocdp_cli.supervisor.backoff import Backoff
from leocdp_cli.supervisor.services import Service

Say = Callable[[str], None]


class SupervisedProcess:
    """Starts ``service`` again and again until ``stop``. ``lifeline`` is the pipe end described in ``child``."""

    def __init__(
        self, service: Service, *, lifeline: int, environment: Mapping[str, str], say: Say, backoff: Backoff
    ) -> None:
        self.service = service
        self.backoff = backoff
        self._lifeline = lifeline
        self._environment = environment
        self._say = say
        self._process: Process | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def keep_alive(self) -> None:
        """Run until ``stop`` was called and the process is gone."""
        while not self._stopping.is_set():
            started = monotonic()
            status = await self._run_once()
            if self._stopping.is_set():
                return
            delay = self.backoff.delay_after(monotonic() - started)
            self._say(f"{self.service.name} {_ended(status)}; starting it again in {delay:g} s.")
            await self._pause(delay)

    async def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL for whatever of it is left after ``grace`` seconds."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            self._say(f"{self.service.name} did not stop within {grace:g} s and was killed.")
            self.kill()
            await process.wait()

    def kill(self) -> None:
        """Kill the process and what it started, at once."""
        self._stopping.set()
        if self.pid is not None:
            os.killpg(self.pid, signal.SIGKILL)

    async def _run_once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "leocdp_cli.child", self.service.module, str(self._lifeline)),
            stdin=asyncio.subprocess.DEVNULL,
            # Services log to standard error. Their standard output is for a person in front of them: not here.
            stdout=asyncio.subprocess.DEVNULL,
            env=dict(self._environment),
            pass_fds=(self._lifeline,),
            # A group of its own: Ctrl-C reaches the supervisor alone, which then stops the services in order.
            start_new_session=True,
        )
        if self._stopping.is_set():
            self._process.terminate()
        return await self._process.wait()

    async def _pause(self, delay: float) -> None:
        try:
            async with asyncio.timeout(delay):
                await self._stopping.wait()
        except TimeoutError:
            return


def _ended(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"
