"""``leocdp run``: one process per service, kept alive, stopped in order, never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from leocdp_cli.supervisor.backoff import Backoff
from leocdp_cli.supervisor.process import SupervisedProcess
from leocdp_cli.supervisor.readiness import wait_all
from leocdp_cli.supervisor.services import Service

START_ATTEMPTS = 5
"""Deaths before the first readiness after which a service is taken to be set up wrongly."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. ``urls``: service name → where it answers ``/readyz``; times in seconds."""

    start: Sequence[Service]
    stop: Sequence[Service]
    environment: Mapping[str, str]
    urls: Mapping[str, str]
    grace: float
    start_timeout: float
    healthy_after: float = 10.0
    """A service that ran this long starts over with the shortest pause when it dies."""


class Supervisor:
    """Runs a plan until a signal comes. ``ready`` is called once, when every service can do its work."""

    def __init__(self, plan: Plan, *, say: Callable[[str], None], ready: Callable[[], None]) -> None:
        self._plan = plan
        self._say = say
        self._ready = ready
        self._signals = 0
        self._asked_to_stop = asyncio.Event()
        self._processes: dict[str, SupervisedProcess] = {}

    async def run(self) -> int:
        """Exit status: 0 after a stop that was asked for, 1 when a service cannot start."""
        reading, writing = os.pipe()
        self._listen()
        try:
            return await self._supervise(reading)
        finally:
            os.close(reading)
            os.close(writing)

    async def _supervise(self, lifeline: int) -> int:
        for service in self._plan.start:
            self._processes[service.name] = SupervisedProcess(
                service,
                lifeline=lifeline,
                environment=self._plan.environment,
                say=self._say,
                backoff=Backoff(healthy_after=self._plan.healthy_after),
            )
        async with asyncio.TaskGroup() as group:
            for process in self._processes.values():
                group.create_task(process.keep_alive())
            started = await self._start_up()
            if started:
                await self._asked_to_stop.wait()
            await self._stop_in_order()
        return 0 if started or self._signals else 1

    async def _start_up(self) -> bool:
        """False when a service keeps dying, or when we were asked to stop meanwhile."""
        announce = asyncio.create_task(self._announce())
        stop = asyncio.create_task(self._asked_to_stop.wait())
        failing = asyncio.create_task(self._failing())
        done, pending = await asyncio.wait({announce, stop, failing}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if failing in done:
            self._say(f"{failing.result()} cannot start: what it said last stands above. Stopping.")
        return announce in done

    async def _announce(self) -> None:
        names = [service.name for service in self._plan.start]
        while True:
            answers = await wait_all([self._plan.urls[name] for name in names], self._plan.start_timeout)
            waiting = {name: each for name, each in zip(names, answers, strict=True) if not each.ready}
            if not waiting:
                break
            for name, answer in waiting.items():
                self._say(f"Still waiting for {name}: {' '.join(answer.reasons)}")
        self._ready()

    async def _failing(self) -> str:
        """The name of the first service that died too often."""
        while True:
            for name, process in self._processes.items():
                if process.backoff.failures >= START_ATTEMPTS:
                    return name
            await asyncio.sleep(0.1)

    async def _stop_in_order(self) -> None:
        self._say("Stopping. Press Ctrl-C again to stop at once.")
        for service in self._plan.stop:
            await self._processes[service.name].stop(self._plan.grace)
        self._say("Stopped.")

    def _listen(self) -> None:
        for number in SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started with nohup: the end of the terminal is not the end of the work
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        self._signals += 1
        self._asked_to_stop.set()
        if self._signals > 1:
            for process in self._processes.values():
                process.kill()
