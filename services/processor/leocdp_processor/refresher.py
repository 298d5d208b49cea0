"""The refresh of people beside the path of events: timers that run out, and definitions that have changed.

Each processor looks after the people of its own shards, a small page at a time, so that events do not wait. What it
decides is guarded by revisions like everything else: a timer whose person has been changed meanwhile is taken again.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.domain.decisions import Changes, LoadRequest
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import SHARDS
from leocdp.domain.segments.catalogue import Catalogue
from leocdp.domain.segments.refresh import Reading, Refreshed, is_wanted, refresh, set_aside, wanted
from leocdp.domain.segments.subject import EventFact
from leocdp.kit import metric_catalogue as m
from leocdp.kit.logs import get_logger
from leocdp.kit.metrics import Metrics
from leocdp.ports.clock import Clock
from leocdp.ports.event_log import Consumer, LogUnavailable
from leocdp.ports.profile_store import Conflict, ProfileStore, StoreHeld, StoreUnavailable
from leocdp_processor.catalogue import LiveCatalogue
from leocdp_processor.decide.membership import membership_records

logger = get_logger(__name__)

STEP_SECONDS: Final = 0.1
"""About how long a page may take, while which no event is decided on."""
FIRST_PAGE: Final = 50
MOST_IN_A_PAGE: Final = 2_000
MOST_EVENTS: Final = 200_000
"""Events that the people of a page have together, as they may all be read; somebody with more is a page alone."""
POLL: Final = 1.0
"""Seconds between looks for people whose time has come."""
QUIET: Final = 2.0
"""Seconds without a change of a definition before people are brought up to it: a burst of changes is one pass."""
MAX_BACKOFF: Final = 15.0


@dataclass(frozen=True, slots=True)
class _Page:
    """People to refresh, and how many of them are behind the definitions."""

    ids: Sequence[str]
    behind: int
    full: bool


class Refresher:
    """``lock`` keeps steps apart from batches: in one processor they never conflict. ``committed`` is called when there
    is something to publish."""

    def __init__(
        self,
        *,
        store: ProfileStore,
        catalogue: LiveCatalogue,
        metrics: Metrics,
        clock: Clock,
        lock: asyncio.Lock,
        committed: Callable[[], None],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._committed = committed
        self._metrics = metrics
        self._clock = clock
        self._lock = lock
        self._page = FIRST_PAGE
        self._seen_changes = -1
        self._quiet_from = 0.0

    async def run(self, consumer: Consumer, partitions: int) -> None:
        """Until cancelled; ``partitions``: how many the accepted topic has.

        Whatever goes wrong, nothing is lost: who was not refreshed is still due or behind.
        """
        failures = 0
        held = False
        while True:
            try:
                held = held and await self._store.held_until() is not None
                shards = [] if held else await shards_of(consumer, partitions)
                more = await self.step(shards, bring_up=self._may_bring_up())
                failures = 0
            except StoreHeld as error:
                more, held = False, True
                logger.info("people are not refreshed", reason=str(error))
            except Conflict:
                # Another worker has decided on somebody of the page; smaller pages meet fewer of them.
                self._metrics.inc(m.PROCESSOR_CONFLICTS)
                self._page = max(1, self._page // 4)
                more = True
            except (StoreUnavailable, LogUnavailable) as error:
                failures, more = failures + 1, False
                logger.warning("people are not refreshed", reason=str(error))
            except Exception:
                failures, more = failures + 1, False
                logger.exception("refreshing failed; it is tried again")
            await asyncio.sleep(0 if more else min(MAX_BACKOFF, POLL * 2**failures))

    def _may_bring_up(self) -> bool:
        """Whether definitions have not changed for a while."""
        if self._catalogue.changes != self._seen_changes:
            self._seen_changes = self._catalogue.changes
            self._quiet_from = time.monotonic() + QUIET
        return time.monotonic() >= self._quiet_from

    async def step(self, shards: Collection[int], *, bring_up: bool) -> bool:
        """One page of the people of these shards; True when there may be more to do at once.

        ``bring_up``: also those who are behind the definitions. Raises Conflict, StoreUnavailable.
        """
        catalogue = self._catalogue.current
        if not catalogue.generation or not shards:
            return False
        async with self._lock:
            began = time.perf_counter()
            page = await self._people(catalogue, shards, bring_up)
            self._metrics.set(m.PROCESSOR_SEGMENTS_BEHIND, page.behind)
            if not page.ids:
                return False
            done, left = await self._refresh(catalogue, page.ids)
            self._adapt(time.perf_counter() - began, len(page.ids))
        return (page.full or left) and done > 0

    async def _people(self, catalogue: Catalogue, shards: Collection[int], bring_up: bool) -> _Page:
        now, size = self._clock.now(), self._page
        due = list(await self._store.people_due(shards, now, size))
        behind: Sequence[str] = ()
        if bring_up and len(due) < size:
            behind = await self._store.people_behind(shards, catalogue.generation, size - len(due))
        return _Page(list(dict.fromkeys([*due, *behind])), len(behind), len(due) + len(behind) >= size)

    def _adapt(self, seconds: float, people: int) -> None:
        if people >= self._page and seconds < STEP_SECONDS / 2:
            self._page = min(MOST_IN_A_PAGE, self._page * 2)
        elif seconds > STEP_SECONDS:
            self._page = max(1, int(self._page * max(0.25, STEP_SECONDS / seconds)))

    async def _refresh(self, catalogue: Catalogue, ids: Sequence[str]) -> tuple[int, bool]:
        """Load, read what events are needed, decide, commit. How many, and whether some were left for the next page.

        Raises Conflict.
        """
        now = self._clock.now()
        snapshot = await self._store.load(LoadRequest(profile_ids=frozenset(ids)))
        there = [one for one in map(snapshot.profiles.get, ids) if one and is_wanted(catalogue, one, now)]
        readings = {root.id: wanted(catalogue, root, now) for root in there}
        roots = _readable(there, readings)
        events = await self._read(roots, readings)
        done = [self._decided(catalogue, root, readings[root.id], events.get(root.id, ()), now) for root in roots]
        if done:
            changes = Changes()
            for one in done:
                changes.audiences.append(one.audience)
                changes.members += one.members
                changes.outbox += membership_records(one.moves)
            await self._store.commit(changes, (), now)
            if changes.outbox:
                self._committed()
            self._measure(done)
        return len(done), len(roots) < len(there)

    def _decided(
        self, catalogue: Catalogue, root: Profile, reading: Reading, events: Sequence[EventFact], now: int
    ) -> Refreshed:
        """A defect that one person triggers must neither stop everybody else nor vanish."""
        try:
            return refresh(catalogue, root, reading, events, now)
        except Exception:
            logger.exception("segments of a person cannot be told; tried again in an hour", profile=root.id)
            self._metrics.inc(m.PROCESSOR_REFRESHED, why="failed")
            return set_aside(catalogue, root, now)

    async def _read(
        self, roots: Sequence[Profile], readings: Mapping[str, Reading]
    ) -> Mapping[str, Sequence[EventFact]]:
        asked = {root.id: root.leaf_ids for root in roots if readings[root.id].names or readings[root.id].types}
        if not asked:
            return {}
        names = frozenset().union(*(readings[one].names for one in asked))
        types = frozenset().union(*(readings[one].types for one in asked))
        return await self._store.person_events(asked, names=names, types=types)

    def _measure(self, done: Sequence[Refreshed]) -> None:
        metrics = self._metrics
        for one in done:
            if one.delay is not None:
                metrics.observe(m.PROCESSOR_TIMER_DELAY_SECONDS, one.delay / 1000)
        due = sum(one.delay is not None for one in done)
        metrics.inc(m.PROCESSOR_REFRESHED, due, why="due")
        metrics.inc(m.PROCESSOR_REFRESHED, len(done) - due, why="behind")
        moves = Counter(("entered" if move.entered else "left", move.why.cause) for one in done for move in one.moves)
        for (change, cause), count in moves.items():
            metrics.inc(m.PROCESSOR_MEMBERSHIPS, count, change=change, cause=cause)


def _readable(roots: Sequence[Profile], readings: Mapping[str, Reading]) -> Sequence[Profile]:
    """The first ones, whose events fit into memory together; at least one."""
    events = 0
    for number, root in enumerate(roots):
        if readings[root.id].names or readings[root.id].types:
            events += root.folded.total
        if number and events > MOST_EVENTS:
            return roots[:number]
    return roots


async def shards_of(consumer: Consumer, partitions: int) -> Collection[int]:
    """Shard s belongs to whoever has partition s of the accepted topic, counted round."""
    own = {one.partition for one in await consumer.assignment() if one.topic == EVENTS_ACCEPTED}
    return [shard for shard in range(SHARDS) if shard % partitions in own]
