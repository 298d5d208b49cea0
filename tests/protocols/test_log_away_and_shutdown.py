"""The log is away, comes back, or the observer is stopped: nothing that was answered 200 is missing, nothing twice."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.protocols.observer_process import ObserverProcess, by_message_id, observer_process
from tests.protocols.running_edge import Edge, running_edge, until

ITEM = {"type": "track", "event": "A", "userId": "u"}


async def test_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    url = f"sqlite:///{folder / 'log.db'}"
    async with running_edge(tmp_path, publish=False, log_url=url) as edge:
        answer = await edge.post("/v1/track", ITEM)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        ready = await edge.client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["reasons"][0].startswith("log: ")
        assert (await edge.client.get("/healthz")).status_code == 200
        folder.mkdir()

        async def is_ready() -> bool:
            return (await edge.client.get("/readyz")).status_code == 200

        await until(is_ready)


async def test_a_log_that_goes_away_and_comes_back(edge: Edge) -> None:
    assert (await edge.post("/v1/track", {**ITEM, "messageId": "before"})).status_code == 200
    folder = edge.environment.settings.data_dir
    moved = folder.with_name("moved")
    folder.rename(moved)

    async def refused() -> bool:
        answer = await edge.post("/v1/track", {**ITEM, "messageId": "during"}, headers={"origin": "https://a.example"})
        if answer.status_code == 200:
            return False
        assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        return True

    await until(refused)
    assert (await edge.client.get("/readyz")).status_code == 503
    moved.rename(folder)

    async def accepted() -> bool:
        return (await edge.post("/v1/track", {**ITEM, "messageId": "after"})).status_code == 200

    await until(accepted)
    assert (await edge.client.get("/readyz")).status_code == 200
    ids = [one.body["messageId"] for one in await edge.stored()]
    assert ids.count("before") == 1
    assert ids.count("after") == 1


async def test_more_than_may_wait_is_asked_to_come_again(tmp_path: Path) -> None:
    async with running_edge(tmp_path, observer_max_waiting_bytes=1_048_576) as edge:
        items = [{**ITEM, "messageId": str(number), "properties": {"x": "y" * 20_000}} for number in range(20)]
        answers = await asyncio.gather(*[edge.post("/v1/batch", {"batch": items}) for _ in range(30)])
        assert {answer.status_code for answer in answers} == {200, 503}
        late = [answer for answer in answers if answer.status_code == 503]
        assert {answer.json()["code"] for answer in late} == {"overloaded"}
        assert len(await edge.stored()) == 20 * (30 - len(late))
        assert edge.environment.ingest.waiting_bytes == 0


async def test_large_requests_become_records_of_bounded_size(edge: Edge) -> None:
    items = [{**ITEM, "messageId": str(number), "properties": {"x": "y" * 30_000}} for number in range(16)]
    assert (await edge.post("/v1/batch", {"batch": items})).json()["accepted"] == 16
    found = await edge.stored()
    assert [one.body["messageId"] for one in found] == [str(number) for number in range(16)]
    bounds = await edge.environment.log.bounds("leocdp.events.accepted.v1")
    assert sum(bound.end for bound in bounds.values()) == 2


@pytest.fixture
def observer(tmp_path: Path):  # type: ignore[no-untyped-def]
    with observer_process(tmp_path, observer_rate_limit=0) as running:
        yield running


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_stopping_under_load_loses_nothing_that_was_answered(
    observer: ObserverProcess, how: signal.Signals
) -> None:
    answered: set[str] = set()
    sent = 0
    stopping = False

    async def client(name: str) -> None:
        nonlocal sent
        async with httpx.AsyncClient(base_url=observer.url, auth=("wk_test", ""), timeout=60) as http:
            number = 0
            while not stopping or number < 5:
                number += 1
                ids = [f"{name}-{number}-{place}" for place in range(3)]
                batch = [{**ITEM, "messageId": one} for one in ids]
                try:
                    sent += 3
                    answer = await http.post("/v1/batch", content=json.dumps({"batch": batch}))
                except httpx.HTTPError:
                    return
                if answer.status_code != 200:
                    assert answer.status_code == 503
                    return
                answered.update(ids)

    clients = [asyncio.create_task(client(str(number))) for number in range(20)]
    await until(lambda: len(answered) > 300)
    observer.process.send_signal(how)
    stopping = True
    await asyncio.gather(*clients)
    status = await asyncio.to_thread(observer.process.wait, 20)
    assert status in {signal.SIGTERM: (0, -signal.SIGTERM), signal.SIGKILL: (-signal.SIGKILL,)}[how]
    stored = by_message_id(await observer.stored())
    assert answered <= stored.keys()
    assert len(stored) <= sent
    if how == signal.SIGTERM:
        assert stored.keys() == answered, "a drained observer has answered all that it stored"
