"""Whatever bytes come: an answer that is no error of ours, and items in the log that the processor can read."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leocdp.contracts.wire.json_values import read_json
from leocdp_observer.protocols.registry import ROUTES
from tests.protocols.running_edge import Edge, running_edge

WORDS = st.sampled_from(["track", "identify", "group", "alias", "", "u-1", "a\x00b", "\ud800", "x" * 600, "🙂", "null"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        *("type", "userId", "anonymousId", "messageId", "event", "groupId", "previousId", "writeKey", "sentAt"),
        *("context", "properties", "traits", "integrations", "timestamp", "batch"),
    ]
)
ITEM = st.dictionaries(NAMES, WORDS | JSON, max_size=8)
BATCH = st.fixed_dictionaries({"batch": st.lists(ITEM | JSON, max_size=5)}, optional={"sentAt": JSON, "context": JSON})


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8")


BODY = st.one_of(
    st.binary(max_size=200),
    ITEM.map(encoded),
    BATCH.map(encoded),
    BATCH.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.tuples(BATCH.map(encoded), st.integers(0, 300), st.binary(max_size=3)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    ),
    BATCH.map(lambda value: gzip.compress(encoded(value))),
)
HEADERS = st.dictionaries(
    st.sampled_from(["content-encoding", "authorization", "origin", "x-write-key", "x-forwarded-for", "user-agent"]),
    st.sampled_from([b"gzip", b"deflate", b"Basic d2tfdGVzdDo=", b"Basic !!", b"Bearer x", b"https://a", b"\xff", b""]),
    max_size=4,
)


class Runner:
    """An edge and its event loop, which hypothesis' plain functions can use again and again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, edge: Edge) -> None:
        self.loop = loop
        self.edge = edge

    def post(self, path: str, method: str, query: bytes, body: bytes, headers: dict[str, bytes]) -> int:
        request = self.edge.client.build_request(method, path, content=body, headers=headers)
        request.url = request.url.copy_with(query=query)

        async def send() -> int:
            async with asyncio.timeout(60):
                answer = await self.edge.client.send(request)
            if answer.status_code >= 400:
                assert answer.json()["code"]
                assert answer.json()["message"]
            return answer.status_code

        return self.loop.run_until_complete(send())


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with asyncio.Runner() as loop_runner:
        loop = loop_runner.get_loop()
        context = running_edge(Path(tmp_path_factory.mktemp("fuzz")), observer_rate_limit=0)
        edge = loop.run_until_complete(context.__aenter__())
        yield Runner(loop, edge)
        loop.run_until_complete(context.__aexit__(None, None, None))


@settings(max_examples=300)
@given(
    st.sampled_from(ROUTES), BODY, HEADERS, st.sampled_from([b"", b"writeKey=wk_test", b"data=eyJhIjoxfQ", b"%ff=%00"])
)
def test_no_input_is_our_error(
    runner: Runner, route: Any, body: bytes, headers: dict[str, bytes], query: bytes
) -> None:
    status = runner.post(route.path, route.method, query, body, headers)
    assert status < 500


@settings(max_examples=150)
@given(BATCH)
def test_items_are_stored_as_they_came_or_refused(runner: Runner, batch: dict[str, Any]) -> None:
    before = len(runner.loop.run_until_complete(runner.edge.stored()))
    body = encoded({**batch, "context": {}})
    answer = runner.loop.run_until_complete(runner.edge.post("/v1/batch", body))
    stored = runner.loop.run_until_complete(runner.edge.stored())
    accepted = answer.json().get("accepted", 0)
    assert len(stored) - before == accepted
    if answer.status_code == 200:
        assert accepted + len(answer.json()["rejected"]) == len(batch["batch"])


def test_everything_stored_can_be_read(runner: Runner) -> None:
    for one in runner.loop.run_until_complete(runner.edge.stored()):
        assert isinstance(read_json(one.raw), dict)
        assert "writeKey" not in read_json(one.raw)
