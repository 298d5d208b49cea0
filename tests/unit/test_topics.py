"""The topic table fits the disk that it is given."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from leocdp.contracts.topics import GIB, HEADROOM, TOPICS, TopicSpec, fitted


def _kept(specs: Sequence[TopicSpec]) -> int:
    return sum(spec.retention_bytes or 0 for spec in specs)


@pytest.mark.parametrize("disk", [0, 100 * GIB])
def test_topics_stay_as_they_are_where_there_is_room(disk: int) -> None:
    assert fitted(TOPICS, disk) == TOPICS


def test_topics_keep_less_on_a_small_disk_each_by_the_same_share() -> None:
    small = fitted(TOPICS, 9 * GIB)
    assert 8.9 * GIB < _kept(small) * HEADROOM <= 9 * GIB
    shares = {
        round(after.retention_bytes / before.retention_bytes, 3)
        for before, after in zip(TOPICS, small, strict=True)
        if before.retention_bytes and after.retention_bytes
    }
    assert len(shares) == 1
    assert [spec.retention_ms for spec in small] == [spec.retention_ms for spec in TOPICS]
    assert [spec.name for spec in small if spec.retention_bytes is None] == ["leocdp.config.v1"]
