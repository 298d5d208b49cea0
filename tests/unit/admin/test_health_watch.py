"""How admin looks at the installation: at what does not answer, at what answers late, and at many at one name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from leocdp.kit import metric_catalogue as m
from leocdp.kit.metrics import Metrics
from leocdp_admin.application.health.patience import Patience
from leocdp_admin.application.health.readings import Disk
from leocdp_admin.application.health.watch import FRESH_MS, KEEP_LATE_MS, Health, Watch
from leocdp_admin.probes import HttpProbes
from tests.unit.admin.stack import NOBODY_LISTENS, Stack, TestClock

pytestmark = pytest.mark.timeout(300)


@dataclass
class Instance:
    """A service that answers probes and metrics, or accepts and then keeps silent."""

    metrics: Metrics = field(default_factory=Metrics)
    silent: bool = False
    asked: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                continue
            self.asked += 1
            if self.silent:
                continue
            body = self.metrics.expose().body if b"/metrics" in line else self._ready()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()

    def _ready(self) -> bytes:
        return json.dumps({"ready": True, "reasons": [], "instance": "one", "version": "1.0.0"}).encode()


@asynccontextmanager
async def running(instance: Instance) -> AsyncIterator[Instance]:
    server = await asyncio.start_server(instance.serve, "127.0.0.1", 0)
    instance.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield instance
    finally:
        server.close()


def watching(stack: Stack, instance: Instance, clock: TestClock) -> Watch:
    urls = [("observer", instance.url), ("processor", NOBODY_LISTENS)]
    probes = HttpProbes(urls, clock)
    environment = stack.environment
    return Watch(environment.log, environment.reader, probes, clock, version="1.0.0", disk=lambda: Disk(50, 100))


async def test_what_answers_is_read_and_what_refuses_is_not_reachable(stack: Stack) -> None:
    async with running(Instance()) as instance:
        instance.metrics.inc(m.OBSERVER_ITEMS, 7, outcome="accepted", reason="")
        watch = watching(stack, instance, TestClock())
        health = await reached(watch)
        observer, processor = health.now.targets
        assert (observer.instance, observer.version, observer.ready) == ("one", "1.0.0", True)
        assert list(observer.figures[m.OBSERVER_ITEMS.name].values()) == [7]
        assert (processor.reachable, processor.late) == (False, False)
        states = {one.check: one.state for found in health.findings.values() for one in found}
        assert (states["observers"], states["processors"], states["store"]) == ("ok", "critical", "critical")
        assert (states["log"], states["disk"], states["lag"]) == ("ok", "ok", "unknown")


async def reached(watch: Watch) -> Health:
    """A machine that is busy may be late with the first answer."""
    async with asyncio.timeout(60):
        while not (health := await watch.health()).now.reached("observer"):
            watch._clock.ahead += FRESH_MS + 1  # type: ignore[attr-defined]
    return health


async def test_within_seconds_all_who_ask_get_one_look(stack: Stack) -> None:
    async with running(Instance()) as instance:
        clock = TestClock()
        watch = watching(stack, instance, clock)
        await reached(watch)
        clock.now = lambda: 1_000  # type: ignore[method-assign]
        asked = instance.asked
        found = await asyncio.gather(*(watch.health() for _ in range(20)))
        assert len({id(health.now) for health in found}) == 1
        assert instance.asked == asked


async def test_programs_that_ask_all_the_time_fill_no_memory(stack: Stack) -> None:
    async with running(Instance()) as instance:
        clock = TestClock()
        watch = watching(stack, instance, clock)
        for _ in range(20):
            clock.ahead += FRESH_MS // 4
            assert (await watch.health_now()).now.at == watch._history[-1].at
        moments = [reading.at for reading in watch._history]
        assert all(later - earlier >= FRESH_MS for earlier, later in pairwise(moments[:-1]))


async def test_what_is_late_counts_as_it_was_for_half_a_minute(stack: Stack) -> None:
    async with running(Instance()) as instance:
        clock = TestClock()
        watch = watching(stack, instance, clock)
        await reached(watch)
        instance.silent = True
        clock.ahead += FRESH_MS + 1
        late = await watch.health()
        assert late.now.of("observer")[0].reachable
        clock.ahead += KEEP_LATE_MS
        gone = await watch.health()
        assert not gone.now.of("observer")[0].reachable
        assert gone.now.of("observer")[0].late


async def test_a_name_that_means_nothing_is_left_out_beside_one_that_does(stack: Stack) -> None:
    async with running(Instance()) as instance:
        urls = [("observer", instance.url), ("observer", "http://scaled-away.invalid:8080")]
        found = await HttpProbes(urls, TestClock()).read(30)
        assert [target.address for target in found] == [instance.url]
        alone = await HttpProbes(urls[1:], TestClock()).read(30)
        assert [target.reachable for target in alone] == [False]


async def test_a_program_gets_no_answer_to_an_earlier_question() -> None:
    """An event that was accepted before somebody asked is in the answer."""
    accepted, begun, answers = [1], asyncio.Event(), asyncio.Event()

    async def question() -> int:
        seen = len(accepted)
        begun.set()
        await answers.wait()
        return seen

    patience: Patience[int] = Patience(question, seconds=60)
    earlier = asyncio.create_task(patience.ask())
    await begun.wait()
    accepted.append(2)
    shared = asyncio.create_task(patience.ask())
    anew = asyncio.create_task(patience.ask(anew=True))
    await asyncio.sleep(0)
    answers.set()
    assert (await earlier, await shared, await anew) == (1, 1, 2)
    await patience.close()


async def test_what_hangs_is_asked_once_and_nobody_waits_for_it() -> None:
    asked, answer = [], asyncio.Event()

    async def question() -> int:
        asked.append(1)
        await answer.wait()
        return 5

    patience: Patience[int] = Patience(question, seconds=0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await patience.ask()
    assert len(asked) == 1
    answer.set()
    async with asyncio.timeout(60):
        while len(asked) < 2:
            try:
                assert await patience.ask() == 5
            except TimeoutError:
                continue
    await patience.close()
