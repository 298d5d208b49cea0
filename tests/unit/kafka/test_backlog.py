"""What was fetched is handed out completely, in the order of each partition, and no partition starves another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from leocdp.adapters.kafka.backlog import RECORD_OVERHEAD, Backlog
from leocdp.ports.event_log import Record, TopicPartition

partitions = st.integers(0, 4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), partitions, st.lists(st.integers(0, 500), min_size=1, max_size=8)),
        st.tuples(st.just("take"), st.integers(1, 2_000), st.frozensets(partitions, max_size=3)),
        st.tuples(st.just("drop"), partitions, st.just([])),
    ),
    max_size=40,
)


def key(partition: int) -> TopicPartition:
    return TopicPartition("t", partition)


def records(partition: int, first: int, sizes: list[int]) -> list[Record]:
    return [Record("t", partition, first + n, 0, None, b"x" * size) for n, size in enumerate(sizes)]


@given(steps)
def test_order_and_completeness(script: list[tuple[str, int, object]]) -> None:
    backlog, held = Backlog(), defaultdict[int, list[Record]](list)
    ends: defaultdict[int, int] = defaultdict(int)
    for what, number, more in script:
        if what == "add":
            assert isinstance(more, list)
            new = records(number, ends[number], more)
            ends[number] += len(new)
            held[number] += new
            backlog.add({key(number): new})
        elif what == "drop":
            held[number].clear()
            backlog.drop(key(number))
        else:
            assert isinstance(more, frozenset)
            taken = backlog.take(number, frozenset(map(key, more)))
            _check_take(taken, number, more, held)
    rest = backlog.take(1 << 30, frozenset())
    for record in rest:
        assert held[record.partition].pop(0) == record
    assert not any(held.values())


def _check_take(taken: Sequence[Record], wanted: int, paused: frozenset[int], held: dict[int, list[Record]]) -> None:
    assert bool(taken) == any(queue for number, queue in held.items() if number not in paused)
    assert not {record.partition for record in taken} & paused
    size = 0
    for record in taken:
        assert size < wanted, "a record too many"
        size += len(record.value or b"") + RECORD_OVERHEAD
        assert held[record.partition].pop(0) == record


def test_a_busy_partition_takes_turns_with_a_quiet_one() -> None:
    backlog = Backlog()
    backlog.add({key(0): records(0, 0, [100] * 1_000), key(1): records(1, 0, [100])})
    assert {record.partition for record in backlog.take(2_000, frozenset())} == {0, 1}
    backlog.add({key(1): records(1, 1, [100])})
    taken = backlog.take(1, frozenset())
    taken = [*taken, *backlog.take(1, frozenset())]
    assert {record.partition for record in taken} == {0, 1}
