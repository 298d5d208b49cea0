"""Looks at the installation every few seconds and keeps what it saw for as long as the alert rules look back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.kit.logs import get_logger
from leocdp.ports.clock import Clock
from leocdp.ports.event_log import EventLog, LogError
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import StoreError
from leocdp_admin.application.health import thresholds
from leocdp_admin.application.health.findings import Area, Finding, State, worst
from leocdp_admin.application.health.judge import accepted_per_minute, judge
from leocdp_admin.application.health.patience import Patience
from leocdp_admin.application.health.readings import READ_TOPICS, Disk, Reading, Stored, Target, lag_of

logger = get_logger(__name__)

EVERY = 10.0
"""Seconds between two looks while nobody asks."""
FRESH_MS = 3_000
"""A reading that is not older answers whoever asks."""
WAIT = 0.7
"""Seconds that any part has for its answer: a page is drawn within one."""
PROGRAM_WAIT = 3.0
"""The same for programs, which would rather know than be quick."""
KEEP_LATE_MS = 30_000
"""A busy instance that answers late is taken as it was before, for so long."""

Bounds = tuple[Mapping[tuple[str, int], int], Mapping[tuple[str, int], int]]


class Instances(Protocol):
    async def read(self, seconds: float) -> Sequence[Target]:
        """Every instance of the other services as it is now; one that has not answered by then is not reachable."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is told."""

    now: Reading
    findings: Mapping[Area, Sequence[Finding]]
    per_minute: float | None
    """Events that observers accept; None while it is not known."""
    waiting: int | None
    """Deliveries of events that are not processed yet."""

    @property
    def state(self) -> State:
        return worst(finding.state for found in self.findings.values() for finding in found)

    def area_state(self, area: Area) -> State:
        return worst(finding.state for finding in self.findings[area])


class Watch:
    def __init__(
        self,
        log: EventLog,
        reader: ProfileReader,
        instances: Instances,
        clock: Clock,
        *,
        version: str,
        disk: Callable[[], Disk | None],
    ) -> None:
        self._log = log
        self._reader = reader
        self._instances = instances
        self._clock = clock
        self._version = version
        self._disk = disk
        self._bounds: Patience[Bounds] = Patience(self._read_bounds, seconds=WAIT)
        self._stored: Patience[Stored] = Patience(self._read_stored, seconds=WAIT)
        self._history: deque[Reading] = deque()
        self._looking: asyncio.Task[None] | None = None
        self._patient: Patience[None] = Patience(self._look_patiently, seconds=3 * PROGRAM_WAIT)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._look_once()
            except Exception:
                logger.exception("looking at the installation failed")
            await asyncio.sleep(EVERY)

    async def close(self) -> None:
        for asked in (self._patient, self._bounds, self._stored):
            await asked.close()

    async def health(self) -> Health:
        """As it is now, or was at most three seconds ago."""
        if not self._history or self._clock.now() - self._history[-1].at > FRESH_MS:
            await self._look_once()
        return self._judged()

    async def health_now(self) -> Health:
        """What was in the log and in the store before this was asked is in the answer. Takes longer than a page may
        where a part does not answer."""
        try:
            await self._patient.ask(anew=True)
        except TimeoutError:
            # Only where this process itself is too busy: each part has less time than that.
            return await self.health()
        return self._judged()

    def _judged(self) -> Health:
        history = tuple(self._history)
        return Health(
            now=history[-1],
            findings=judge(history, self._version),
            per_minute=accepted_per_minute(history),
            waiting=lag_of(history[-1], EVENTS_ACCEPTED),
        )

    async def _look_once(self) -> None:
        """All who ask at once get the same look."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(WAIT))
        await asyncio.shield(self._looking)

    async def _look_patiently(self) -> None:
        await self._look(PROGRAM_WAIT, anew=True)

    async def _look(self, seconds: float, *, anew: bool = False) -> None:
        targets, bounds, stored, disk = await asyncio.gather(
            self._instances.read(seconds),
            self._try_bounds(seconds, anew),
            self._try_stored(seconds, anew),
            asyncio.to_thread(self._try_disk),
        )
        begins, ends, log_problem = bounds
        reading = Reading(
            at=self._clock.now(),
            targets=targets if anew else self._kept(targets),
            begins=begins,
            ends=ends,
            stored=stored[0],
            log_problem=log_problem,
            store_problem=stored[1],
            disk=disk,
        )
        if len(self._history) > 1 and self._history[-1].at - self._history[-2].at < FRESH_MS:
            # Programs may ask many times a second; what is judged has to stay small.
            self._history.pop()
        self._history.append(reading)
        while self._history[0].at < reading.at - thresholds.KEPT * 1000 - 60_000:
            self._history.popleft()

    def _kept(self, targets: Sequence[Target]) -> Sequence[Target]:
        before = {target.address: target for target in self._history[-1].targets} if self._history else {}
        return [_as_before(target, before.get(target.address)) for target in targets]

    async def _try_bounds(
        self, seconds: float, anew: bool
    ) -> tuple[Mapping[tuple[str, int], int] | None, Mapping[tuple[str, int], int] | None, str]:
        try:
            begins, ends = await self._bounds.ask(seconds, anew=anew)
        except LogError as error:
            return None, None, str(error)
        except TimeoutError:
            return None, None, "It does not answer in time."
        return begins, ends, ""

    async def _try_stored(self, seconds: float, anew: bool) -> tuple[Stored | None, str]:
        try:
            return await self._stored.ask(seconds, anew=anew), ""
        except StoreError as error:
            return None, str(error)
        except TimeoutError:
            return None, "It does not answer in time."

    def _try_disk(self) -> Disk | None:
        try:
            return self._disk()
        except OSError as error:
            logger.warning("the disk cannot be looked at", reason=str(error))
            return None

    async def _read_bounds(self) -> Bounds:
        found = {topic: await self._log.bounds(topic) for topic in READ_TOPICS}
        begins = {(topic, part): bound.begin for topic, bounds in found.items() for part, bound in bounds.items()}
        ends = {(topic, part): bound.end for topic, bounds in found.items() for part, bound in bounds.items()}
        return begins, ends

    async def _read_stored(self) -> Stored:
        """Counts after positions: where nothing waits, they have everything that was accepted."""
        positions = await self._reader.positions()
        return Stored(positions, await self._reader.counts())


def _as_before(target: Target, before: Target | None) -> Target:
    late = target.late and before is not None and before.reachable and target.at - before.at < KEEP_LATE_MS
    return replace(before) if late and before is not None else target
