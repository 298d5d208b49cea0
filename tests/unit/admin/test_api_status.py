"""The status over the JSON API where a part of the system does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from leocdp.ports.event_log import Bounds
from tests.unit.admin.stack import Stack


async def test_a_log_that_hangs_leaves_the_lag_unknown_and_is_waited_for_once(stack: Stack) -> None:
    """As with a Kafka of which no broker answers. Who waits for it waits for ever."""
    api, asked, hangs = stack.key(), [], asyncio.Event()

    async def bounds(topic: str) -> Mapping[int, Bounds]:
        asked.append(topic)
        await hangs.wait()
        return {}

    stack.environment.log.bounds = bounds  # type: ignore[method-assign]
    found = await asyncio.gather(*(api.get("/api/v1/status") for _ in range(10)))
    assert {status["lag"] for status in found} == {None}
    assert {tuple(status["log"]) for status in found} == {()}
    assert "event log cannot be read" in found[0]["services"][0]["reasons"][0]
    assert len(asked) == 1
    hangs.set()
