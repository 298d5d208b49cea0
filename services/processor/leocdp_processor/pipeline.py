"""Load → decide → commit for one batch of records: the whole of the processor's work, without its loop."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from leocdp.contracts import topics
from leocdp.domain.decisions import Changes, Command, CommandOutcome, LoadRequest, Snapshot, SnapshotIncomplete
from leocdp.domain.events import Envelope, Outcome
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.segments.audience import list_label
from leocdp.domain.segments.catalogue import Catalogue
from leocdp.kit import metric_catalogue as m
from leocdp.kit.logs import get_logger
from leocdp.kit.metrics import Metrics
from leocdp.ports.clock import Clock
from leocdp.ports.event_log import EventLog, NewRecord, Record
from leocdp.ports.profile_store import Conflict, PositionKey, PositionMove, ProfileStore
from leocdp_processor.dead_letter import Failed, StopLimit
from leocdp_processor.decide.batch import NO_SEGMENTS, decide
from leocdp_processor.decide.lists import PAGE, with_members
from leocdp_processor.erasing import Erased, Eraser
from leocdp_processor.parse import Parsed, Work

logger = get_logger(__name__)

REMOVE_STEP = 20_000
"""Stored events that one step of a removal looks at, between which other work may go on."""


class TooManyFailures(Exception):
    """The stop limit is reached: nothing of this batch was written."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are decided on together, and what stands in them."""

    records: Sequence[Record]
    parsed: Parsed
    moves: Sequence[PositionMove]
    parse_seconds: float = 0.0
    replayed: bool = False
    """All of it was processed before, by a store that is no more: destinations get nothing of it."""


class Pipeline:
    """Applies batches to the store, each exactly once.

    ``apply`` raises Conflict (decide again), StoreHeld (wait), StoreUnavailable and LogUnavailable (try again),
    TooManyFailures.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        store: ProfileStore,
        clock: Clock,
        metrics: Metrics,
        stop: StopLimit,
        eraser: Eraser,
        dead_partitions: int,
    ) -> None:
        self._log = log
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._stop = stop
        self._eraser = eraser
        self._dead_partitions = dead_partitions

    async def apply(self, batch: Batch, rules: IdentityRules, catalogue: Catalogue = NO_SEGMENTS) -> None:
        """One atomic step: effects and positions together."""
        now = self._clock.now()
        began = time.perf_counter()
        batch = await self._with_members(batch)
        removed = await self._remove(batch.parsed.work, now)
        erased = await self._erase(batch.parsed.work, rules, now)
        snapshot = await self._eraser.load(batch.parsed.work, rules)
        loaded = time.perf_counter()
        changes, failed = _decide(batch.parsed, snapshot, rules, now, catalogue)
        decided = time.perf_counter()
        self._check_stop(batch.parsed, failed)
        changes.problems.extend(batch.parsed.rejected)
        changes.problems.extend(one.outcome(now) for one in failed)
        changes.commands.extend(one for one in removed if one.id not in snapshot.commands)
        changes.commands.extend(one.outcome for one in erased)
        changes.outbox.extend(record for one in erased for record in one.outbox)
        replayed = await self._replay(batch, snapshot, changes, now)
        if batch.replayed:
            changes.outbox = [replace(record, cause="replay") for record in changes.outbox]
        await self._keep(failed, now)
        await self._store.commit(changes, batch.moves, now)
        if replayed:
            await self._store.mark_replayed(replayed, now)
        self._stop.add(len(batch.parsed.work) + len(batch.parsed.failed), len(failed))
        self._measure(batch, changes, failed, (began, loaded, decided, time.perf_counter()))

    def _check_stop(self, parsed: Parsed, failed: Sequence[Failed]) -> None:
        if failed and self._stop.would_stop(len(parsed.work) + len(parsed.failed), len(failed)):
            reasons = Counter(one.reason for one in failed).most_common(3)
            raise TooManyFailures(", ".join(f"{reason} ({count})" for reason, count in reasons))

    async def _keep(self, failed: Sequence[Failed], now: int) -> None:
        """Dead letters reach their topic before the position moves: at least once, under a stable id."""
        if failed:
            await self._log.append([one.record(now, self._dead_partitions) for one in failed])

    async def _replay(self, batch: Batch, snapshot: Snapshot, changes: Changes, now: int) -> list[str]:
        """Put dead letters back on the accepted topic. A crash before the commit puts them back again: they
        are the same messages, so the second is a duplicate. When the log itself is replayed nothing is put back:
        it is in the log already, and the ids were those of another store."""
        replayed: list[str] = []
        for command in batch.parsed.work:
            if not isinstance(command, Command) or command.kind != "replay" or command.id in snapshot.commands:
                continue
            ids = [] if batch.replayed else [str(one) for one in command.content.get("ids", [])]
            records = await self._store.dead_letters_to_replay(ids)
            partitions = await self._log.partitions(topics.EVENTS_ACCEPTED)
            fresh = [
                NewRecord(topics.EVENTS_ACCEPTED, n % partitions, value) for n, value in enumerate(records.values())
            ]
            if fresh:
                await self._log.append(fresh)
            replayed.extend(records)
            changes.commands.append(
                CommandOutcome(command.id, "replay", "applied", now, command.actor, {"replayed": len(records)})
            )
        return replayed

    async def _with_members(self, batch: Batch) -> Batch:
        """Find whom a command that drops a list is about: a page of those who are on it."""
        work = list(batch.parsed.work)
        for n, command in enumerate(work):
            if isinstance(command, Command) and command.kind == "list_drop":
                label = list_label(str(command.content.get("list", "")))
                work[n] = with_members(command, await self._store.people_labelled(label, PAGE))
        return replace(batch, parsed=replace(batch.parsed, work=work))

    async def _remove(self, work: Sequence[Work], now: int) -> list[CommandOutcome]:
        """Remove what sources have brought, step by step and before anything of this batch is loaded."""
        outcomes: list[CommandOutcome] = []
        for command in work:
            if not isinstance(command, Command) or command.kind != "remove_source":
                continue
            result = {"profiles": 0, "events": 0, "kept": 0}
            source, after, more = str(command.content.get("source", "")), None, True
            while more:
                step = await self._store.remove_source(source, after=after, limit=REMOVE_STEP)
                result["profiles"] += step.profiles
                result["events"] += step.events
                result["kept"] += step.kept
                after, more = step.next, step.next is not None
            outcomes.append(CommandOutcome(command.id, command.kind, "applied", now, command.actor, result))
        return outcomes

    async def _erase(self, work: Sequence[Work], rules: IdentityRules, now: int) -> list[Erased]:
        """Erase people, before anything of this batch is loaded."""
        commands = [one for one in work if isinstance(one, Command) and one.kind == "erase"]
        if not commands:
            return []
        answered = (await self._store.load(LoadRequest(command_ids=frozenset(one.id for one in commands)))).commands
        return [await self._eraser.carry_out(one, rules, now) for one in commands if one.id not in answered]

    def _measure(
        self, batch: Batch, changes: Changes, failed: Sequence[Failed], at: tuple[float, float, float, float]
    ) -> None:
        metrics = self._metrics
        phases = zip(("load", "decide", "commit"), at, at[1:], strict=False)
        for phase, start, end in phases:
            metrics.observe(m.PROCESSOR_PHASE_SECONDS, end - start, phase=phase)
        metrics.observe(m.PROCESSOR_PHASE_SECONDS, batch.parse_seconds, phase="parse")
        if changes.events:
            metrics.inc(m.PROCESSOR_ITEMS, len(changes.events), outcome=Outcome.APPLIED, reason="")
            oldest = min(write.envelope.received_at for write in changes.events)
            metrics.observe(m.PROCESSOR_LATENCY_SECONDS, max(0, self._clock.now() - oldest) / 1000)
        others = Counter((str(p.outcome), p.reason) for p in changes.problems if p.outcome != "rejected")
        for (outcome, reason), count in others.items():
            # Reasons of processing are a closed set; duplicates have none worth a label of their own.
            metrics.inc(m.PROCESSOR_ITEMS, count, outcome=outcome, reason=reason)
        for (kind, reason), count in changes.dropped_identifiers.items():
            metrics.inc(m.PROCESSOR_DROPPED_IDENTIFIERS, count, kind=kind, reason=reason)
        for answer in changes.commands:
            metrics.inc(m.PROCESSOR_COMMANDS, kind=answer.kind, state=answer.state)
        moves = Counter((one.kind, one.cause) for one in changes.outbox if one.segment)
        for (kind, cause), count in moves.items():
            metrics.inc(m.PROCESSOR_MEMBERSHIPS, count, change=kind.removeprefix("segment_"), cause=cause)
        metrics.observe(m.PROCESSOR_BATCH_ITEMS, len(batch.parsed.work) + len(failed))


def _decide(
    parsed: Parsed, snapshot: Snapshot, rules: IdentityRules, now: int, catalogue: Catalogue
) -> tuple[Changes, list[Failed]]:
    """Decide on everything that can be decided on; items that break the decision are set aside, one by one.

    A defect that one message triggers must neither stop everybody else nor vanish: the batch is decided without
    that message, which becomes a dead letter that names the error. A command like that is refused.
    """
    work, failed = list(parsed.work), list(parsed.failed)
    refused: list[CommandOutcome] = []
    while True:
        try:
            changes = decide(work, snapshot, rules, now, catalogue)
        except SnapshotIncomplete as error:
            raise Conflict(str(error)) from error
        except Exception as error:
            if not work:
                raise
            culprit = work.pop(_culprit(work, snapshot, rules, now, catalogue))
            logger.exception("item cannot be decided on", address=str(culprit.address))
            text = f"{type(error).__name__}: {error}"
            if isinstance(culprit, Envelope):
                failed.append(Failed(culprit.address, "processing_failed", text, *parsed.blocks[culprit.address]))
            else:
                refused.append(CommandOutcome(culprit.id, culprit.kind, "refused", now, culprit.actor, {}, text))
        else:
            changes.commands.extend(refused)
            return changes, failed


def _culprit(work: Sequence[Work], snapshot: Snapshot, rules: IdentityRules, now: int, catalogue: Catalogue) -> int:
    """Index of the first item that makes the decision on the items up to it fail: by halving, log2(n) decisions."""
    low, high = 0, len(work)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            decide(work[:middle], snapshot, rules, now, catalogue)
        except SnapshotIncomplete as error:
            raise Conflict(str(error)) from error
        except Exception:  # noqa: BLE001 - which error it is was seen already; here only where
            high = middle
        else:
            low = middle
    return low


def moves_for(records: Sequence[Record], log_id: str, stored: Mapping[tuple[str, int], int]) -> list[PositionMove]:
    """The position moves that go with records that follow the stored positions."""
    ends: dict[tuple[str, int], int] = {}
    for record in records:
        ends[record.topic, record.partition] = record.offset + 1
    return [
        PositionMove(PositionKey(log_id, topic, partition), stored.get((topic, partition)), new)
        for (topic, partition), new in ends.items()
    ]


def alone(batch: Batch) -> list[Sequence[Record]]:
    """The records of a batch in the parts that are applied one after the other.

    Commands that delete, or look up whom they are about, do so before anything of their batch is loaded, so nothing
    stands beside them: what came before them is there to be found, what comes after is not.
    """
    deleting = {
        one.address[:3]
        for one in batch.parsed.work
        if isinstance(one, Command) and one.kind in ("erase", "remove_source", "list_drop")
    }
    parts: list[Sequence[Record]] = []
    begin = 0
    for end, record in enumerate(batch.records if deleting else ()):
        if (record.topic, record.partition, record.offset) in deleting:
            parts += [batch.records[begin:end], batch.records[end : end + 1]]
            begin = end + 1
    parts.append(batch.records[begin:])
    return [part for part in parts if part]
