"""Calls that wait for a partition travel together, in order, as far as they fit into one batch of the driver."""

from __future__ import annotations

import asyncio
from itertools import chain

from aiokafka.producer.message_accumulator import BatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from leocdp.adapters.kafka.append import Call, Lane, Part
from leocdp.ports.event_log import LogUnavailable, NewRecord, TopicPartition

SIZE = 2_000


def waiting(lane: Lane, loop: asyncio.AbstractEventLoop, sizes: list[int]) -> Call:
    call = Call(loop, len(sizes))
    part = Part(call, places=list(range(len(sizes))))
    part.records = [NewRecord("t", 0, b"x" * size) for size in sizes]
    call.parts, call.unsettled = [part], 1
    lane.waiting.append(part)
    return call


def deliver_all(lane: Lane) -> list[int]:
    """Send batch after batch; returns how many records each had."""
    base = 0
    counts: list[int] = []
    while True:
        batch = lane.next_batch(BatchBuilder(SIZE, 0))
        if not batch.slices:
            return counts
        count = sum(piece.length for piece in batch.slices)
        for part in batch.stored_at(base):
            part.call.part_stored()
        base += count
        counts.append(count)


@given(st.lists(st.lists(st.integers(0, 3 * SIZE), min_size=1, max_size=12), min_size=1, max_size=8))
def test_offsets_of_each_call_are_consecutive_and_calls_keep_their_order(calls: list[list[int]]) -> None:
    loop = asyncio.new_event_loop()
    lane = Lane(TopicPartition("t", 0), "t")
    made = [waiting(lane, loop, sizes) for sizes in calls]
    deliver_all(lane)
    offsets = [list(call.future.result()) for call in made]
    assert list(chain.from_iterable(offsets)) == list(range(sum(map(len, calls))))
    loop.close()


def test_small_calls_share_a_batch_and_a_large_one_takes_several() -> None:
    loop = asyncio.new_event_loop()
    lane = Lane(TopicPartition("t", 0), "t")
    for _ in range(5):
        waiting(lane, loop, [10])
    assert deliver_all(lane) == [5]
    waiting(lane, loop, [900] * 5)
    assert deliver_all(lane) == [2, 2, 1]
    loop.close()


def test_what_nobody_waits_for_any_more_is_left_out() -> None:
    loop = asyncio.new_event_loop()
    lane = Lane(TopicPartition("t", 0), "t")
    late, patient = waiting(lane, loop, [10, 10]), waiting(lane, loop, [10])
    late.fail(LogUnavailable("too late"))
    batch = lane.next_batch(BatchBuilder(SIZE, 0))
    assert batch.dropped == late.parts
    assert [piece.part.call for piece in batch.slices] == [patient]
    loop.close()
