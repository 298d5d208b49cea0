"""Reading the log again into a store that is empty, or older than what was processed before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from leocdp.contracts.topics import COMMANDS, PROCESSOR_GROUP
from leocdp.ports.event_log import EventLog, Record, TopicPartition
from leocdp.ports.profile_store import ProfileStore


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to read in the order of time before going on as usual."""

    ends: Mapping[TopicPartition, int]
    """Of all partitions when the replay was planned."""
    seen: Mapping[TopicPartition, int]
    """What stands before was processed once already: destinations get nothing of it."""

    def runs(self, records: Sequence[Record]) -> Iterator[tuple[bool, Sequence[Record]]]:
        """(whether they were processed before, records that follow each other)."""
        begin = 0
        for end in range(1, len(records) + 1):
            if end == len(records) or self._was_seen(records[end]) != self._was_seen(records[begin]):
                yield self._was_seen(records[begin]), records[begin:end]
                begin = end

    def _was_seen(self, record: Record) -> bool:
        return record.offset < self.seen.get(record.topic_partition, 0)


async def replay_plan(
    log: EventLog, store: ProfileStore, topics: Sequence[str], *, everything: bool
) -> ReplayPlan | None:
    """None when the store stands where processing stopped last.

    The log tells how far processors have come before (the positions of their group), the store how far its contents
    go. A store that is behind was emptied, lost or restored. An empty store reads the log in order too when people's
    actions are in it: they are about people that the events before them make. ``everything``: all that is in the log
    counts as processed before.
    """
    # The store last: what processors make visible while this is read is in the store already.
    visible = None if everything else await log.group_positions(PROCESSOR_GROUP)
    bounds = {
        TopicPartition(topic, partition): found
        for topic in topics
        for partition, found in (await log.bounds(topic)).items()
    }
    stored = await store.positions(log.log_id)
    ends = {key: found.end for key, found in bounds.items()}
    seen = ends if visible is None else {key: min(visible.get(key, 0), end) for key, end in ends.items()}
    behind = any(position > stored.get(key, 0) for key, position in seen.items())
    actions = any(found.end > found.begin for key, found in bounds.items() if key.topic == COMMANDS)
    return ReplayPlan(ends, seen) if behind or (not stored and actions) else None
