"""Where to start reading: the store's positions, or a sentence that says why they cannot be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leocdp.ports.event_log import EventLog, TopicPartition
from leocdp.ports.profile_store import ProfileStore


class PositionsRefused(Exception):
    """The stored positions do not fit the log. Never reset in silence: the text says how to decide."""


@dataclass(frozen=True, slots=True)
class Start:
    """(topic, partition) → what the store holds, for the compare-and-set, and where reading begins."""

    stored: Mapping[tuple[str, int], int]
    seek: Mapping[tuple[str, int], int]


async def checked_positions(
    log: EventLog, store: ProfileStore, assigned: Iterable[TopicPartition], *, accept: str
) -> Start:
    """Where to begin in every partition that is assigned.

    ``accept`` is the id of a log that an operator has agreed to read from its beginning.

    Raises:
        PositionsRefused: positions of another log only, beyond the end, or before the beginning.
    """
    stored = await store.positions(log.log_id)
    others = await store.other_logs(log.log_id)
    if not stored and others and accept != log.log_id:
        raise PositionsRefused(
            f"The profile store was filled from another event log ({others[0]}) than this one ({log.log_id}). "
            f"Restore the log that belongs to it, or set LEOCDP_PROCESSOR_ACCEPT_LOG={log.log_id} to read this one "
            "from its beginning."
        )
    seek = {}
    own = frozenset(assigned)
    for topic in sorted({key.topic for key in own}):
        for partition, bounds in (await log.bounds(topic)).items():
            if (topic, partition) not in own:
                continue
            position = stored.get((topic, partition), 0)
            if position > bounds.end:
                raise PositionsRefused(
                    f"The log ends at {bounds.end} in {topic}/{partition}, but {position} was already processed: "
                    "the log has lost records or is an older copy. Restore the newer log."
                )
            if position < bounds.begin:
                if accept != log.log_id:
                    raise PositionsRefused(
                        f"Records {position} to {bounds.begin - 1} of {topic}/{partition} were removed by retention "
                        "before they were processed. To go on without them set "
                        f"LEOCDP_PROCESSOR_ACCEPT_LOG={log.log_id}."
                    )
                position = bounds.begin
            seek[topic, partition] = position
    return Start(stored, seek)
