"""The live configuration: newest version of each key, whatever the log brings and however often it goes away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.topics import CONFIG
from leocdp.kit.metrics import Metrics
from leocdp.ports.config_view import ConfigView, publish_entry
from leocdp.ports.event_log import LogUnavailable, NewRecord, Record

DEADLINE = 60.0


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SQLiteEventLog]:
    log = SQLiteEventLog(tmp_path / "log.db")
    await log.start()
    yield log
    await log.close()


@pytest.fixture
async def view(log: SQLiteEventLog) -> AsyncIterator[ConfigView]:
    """A view that follows an empty topic."""
    view = ConfigView(log)
    await view.start()
    await asyncio.wait_for(view.wait_ready(), DEADLINE)
    yield view
    await view.close()


async def eventually(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def source(id: str = "web", version: int = 1, key: str = "wk-1", **data: Any) -> ConfigEntry:
    body = {"id": id, "name": "Web", "write_key": key, **data}
    return ConfigEntry(kind="source", id=id, version=version, at=0, data=body)


async def settled(log: SQLiteEventLog, view: ConfigView) -> None:
    """Everything published before has been seen: a later entry has arrived."""
    version = view.generation + 1_000
    await publish_entry(log, ConfigEntry(kind="mark", id="m", version=version, at=0))
    await eventually(lambda: (mark := view.entry("mark", "m")) is not None and mark.version == version)


async def test_an_empty_topic_is_ready_and_empty(view: ConfigView) -> None:
    assert view.ready
    assert view.problem == ""
    assert (view.sources(), view.entry("source", "web"), view.source_by_write_key("wk-1")) == ([], None, None)


async def test_it_is_ready_only_after_it_has_read_everything(log: SQLiteEventLog) -> None:
    for number in range(300):
        await publish_entry(log, source(f"s{number}", key=f"wk-{number}"))
    view = ConfigView(log)
    assert not view.ready
    assert view.problem
    await view.start()
    await asyncio.wait_for(view.wait_ready(), DEADLINE)
    assert len(view.sources()) == 300
    await view.close()


async def test_a_source_is_found_by_id_and_write_key(log: SQLiteEventLog, view: ConfigView) -> None:
    await publish_entry(log, source(kind="server", id_space="shop"))
    await settled(log, view)
    found = view.source_by_write_key("wk-1")
    assert found is not None
    assert (found.id, found.id_space, found.authenticated) == ("web", "shop", True)
    assert view.source("web") == found
    assert list(view.sources()) == [found]


async def test_a_rotated_key_replaces_the_one_before(log: SQLiteEventLog, view: ConfigView) -> None:
    await publish_entry(log, source())
    await publish_entry(log, source(version=2, key="wk-2"))
    await settled(log, view)
    assert view.source_by_write_key("wk-1") is None
    assert view.source_by_write_key("wk-2") == view.source("web")


async def test_lower_versions_are_ignored(log: SQLiteEventLog, view: ConfigView) -> None:
    await publish_entry(log, source(version=5, name="New"))
    await publish_entry(log, source(version=4, name="Old"))
    await settled(log, view)
    assert view.source("web").name == "New"  # type: ignore[union-attr]


async def test_a_deleted_entry_drops_out_and_an_old_version_does_not_bring_it_back(
    log: SQLiteEventLog, view: ConfigView
) -> None:
    await publish_entry(log, source(version=1))
    await publish_entry(log, ConfigEntry(kind="source", id="web", version=2, at=0, deleted=True))
    await publish_entry(log, source(version=1))
    await settled(log, view)
    assert (view.source("web"), view.source_by_write_key("wk-1"), view.entry("source", "web")) == (None, None, None)
    await publish_entry(log, source(version=3))
    await settled(log, view)
    assert view.source("web") is not None


async def test_malformed_entries_are_skipped_and_the_rest_goes_on(log: SQLiteEventLog, view: ConfigView) -> None:
    await publish_entry(log, source(name="Good"))
    await log.append([NewRecord(CONFIG, 0, value, b"source:web") for value in (b"{", b"\xff", b"[1]", None)])
    await publish_entry(log, ConfigEntry(kind="source", id="web", version=2, at=0, data={"name": 7}))
    await publish_entry(log, source("app", key="wk-app"))
    await settled(log, view)
    assert view.source("web").name == "Good"  # type: ignore[union-attr]
    assert view.source("app") is not None


async def test_listeners_hear_of_changes_only_and_one_that_fails_stops_nobody(
    log: SQLiteEventLog, view: ConfigView
) -> None:
    heard: list[tuple[str, int]] = []

    def failing(_: ConfigEntry) -> None:
        raise RuntimeError("a listener's mistake")

    view.on_change(failing)
    view.on_change(lambda entry: heard.append((entry.key, entry.version)))
    for entry in (source(version=2), source(version=2), source(version=1), source(version=3, key="wk-3")):
        await publish_entry(log, entry)
    await settled(log, view)
    assert heard[:-1] == [("source:web", 2), ("source:web", 3)]
    assert view.generation == 3


async def test_entries_of_other_kinds_are_kept_as_they_are(log: SQLiteEventLog, view: ConfigView) -> None:
    entry = ConfigEntry(kind="identity_rules", id="default", version=1, at=5, data={"limit": 3})
    await publish_entry(log, entry)
    await settled(log, view)
    assert view.entry("identity_rules", "default") == entry
    assert list(view.entries("identity_rules")) == [entry]


async def test_the_number_of_entries_is_a_metric(log: SQLiteEventLog) -> None:
    await publish_entry(log, source())
    metrics = Metrics()
    view = ConfigView(log, metrics)
    await view.start()
    await asyncio.wait_for(view.wait_ready(), DEADLINE)
    assert b'leocdp_config_entries{kind="source"} 1.0' in metrics.expose().body
    await view.close()


class InterruptedLog(SQLiteEventLog):
    """A log whose followers lose it after every record, and for a while cannot come back."""

    failures = 0

    def follow(self, topic: str, positions: Mapping[int, int] | None = None) -> AsyncIterator[Sequence[Record]]:
        return self._interrupted(super().follow(topic, positions))

    async def _interrupted(self, inner: AsyncIterator[Sequence[Record]]) -> AsyncIterator[Sequence[Record]]:
        self.failures += 1
        if self.failures % 2:
            raise LogUnavailable("The broker is away.")
        async for records in inner:
            yield records
            if records:
                raise LogUnavailable("The broker went away.")


async def test_it_survives_a_log_that_comes_and_goes(tmp_path: Path) -> None:
    log = InterruptedLog(tmp_path / "log.db")
    await log.start()
    await publish_entry(log, source())
    view = ConfigView(log)
    await view.start()
    await eventually(lambda: view.source("web"))
    await eventually(lambda: "went away" in view.problem)
    assert view.source("web") is not None, "what is known stays known"
    await asyncio.wait_for(view.wait_ready(), DEADLINE)
    await publish_entry(log, source("app", key="wk-app"))
    await eventually(lambda: view.source("app"))
    assert log.failures >= 3
    await view.close()
    await view.close()
    await log.close()
