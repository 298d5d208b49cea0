"""Several processors on one store, step by step, in an order that a test chooses: also an unlucky one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from leocdp.domain.decisions import Changes
from leocdp.domain.events import Envelope
from leocdp.domain.identity.rules import IdentityRules
from leocdp.ports.profile_store import Conflict, PositionKey, PositionMove
from leocdp_processor.decide.batch import decide, load_request
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import START


@dataclass
class Worker:
    """Reads one partition in batches. A step is a load with its decision, or the commit of that."""

    partition: int
    queue: Sequence[Envelope]
    size: int
    at: int = 0
    decided: tuple[Changes, int] | None = None

    def step(self, run: Run) -> None:
        if self.decided is None:
            self._decide(run)
        else:
            self._commit(run)

    def crash(self) -> None:
        """Between the decision and its commit, nothing of it is anywhere."""
        self.decided = None

    def _decide(self, run: Run) -> None:
        batch = self.queue[self.at : self.at + self.size]
        if batch:
            snapshot = run.store.load_now(load_request(batch, run.rules))
            self.decided = decide(batch, snapshot, run.rules, START), self.at + len(batch)

    def _commit(self, run: Run) -> None:
        assert self.decided is not None
        changes, end = self.decided
        self.decided = None
        key = PositionKey("log", "events", self.partition)
        move = PositionMove(key, self.at or None, end)
        try:
            run.store.commit_now(changes, (move,), START)
        except Conflict:
            run.conflicts += 1
            return
        run.committed.append(self.queue[self.at : end])
        self.at = end


@dataclass
class Run:
    """The workers of one store, and the batches they committed, in the order of the commits."""

    rules: IdentityRules
    workers: Sequence[Worker]
    store: MemoryStore = field(default_factory=MemoryStore)
    committed: list[Sequence[Envelope]] = field(default_factory=list)
    conflicts: int = 0

    def play(self, schedule: Sequence[tuple[int, bool]]) -> None:
        """``schedule``: (which worker, whether it crashes first). Then everybody works until all is done."""
        for which, crashes in schedule:
            worker = self.workers[which % len(self.workers)]
            if crashes:
                worker.crash()
            worker.step(self)
        while any(worker.at < len(worker.queue) for worker in self.workers):
            for worker in self.workers:
                worker.step(self)


def spread(events: Sequence[Envelope], partitions: Sequence[int], sizes: Sequence[int]) -> list[Worker]:
    """One worker per partition; ``partitions`` and ``sizes`` are repeated as often as needed."""
    queues: dict[int, list[Envelope]] = {}
    for n, event in enumerate(events):
        queues.setdefault(partitions[n % len(partitions)], []).append(event)
    return [Worker(one, queue, sizes[n % len(sizes)]) for n, (one, queue) in enumerate(sorted(queues.items()))]
