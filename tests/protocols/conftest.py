"""Running observers for the protocol tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.capabilities import give_up
from tests.protocols.observer_process import ObserverProcess, observer_process
from tests.protocols.running_edge import Edge, running_edge


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    async with running_edge(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def node_modules(request: pytest.FixtureRequest, need: Callable[[str], None]) -> Path:
    """The published SDKs; a skip that says how to get them where they are not installed."""
    need("node")
    folder = Path(__file__).parent / "node" / "node_modules"
    if not folder.is_dir():
        give_up(request.config, "node", "the SDKs are not installed: run `npm ci` in tests/protocols/node")
    return folder


@pytest.fixture
def observer(tmp_path: Path) -> Iterator[ObserverProcess]:
    with observer_process(tmp_path) as running:
        yield running
