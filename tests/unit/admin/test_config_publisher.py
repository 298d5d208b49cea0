"""Configuration reaches the topic once more after everything that can go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.engines import open_event_log
from leocdp.adapters.sqlite.admin_store import SQLiteAdminStore
from leocdp.contracts.config_entries import ConfigEntry, decode_entry, encode_entry
from leocdp.contracts.topics import CONFIG
from leocdp.ports.clock import SystemClock
from leocdp.ports.event_log import EventLog, LogUnavailable, NewRecord
from leocdp_admin.config_publisher import ConfigPublisher
from leocdp_admin.settings import AdminSettings


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EventLog]:
    opened = open_event_log(AdminSettings(data_dir=tmp_path))
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteAdminStore]:
    opened = SQLiteAdminStore(tmp_path / "admin.db")
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
def publisher(store: SQLiteAdminStore, log: EventLog) -> ConfigPublisher:
    return ConfigPublisher(store, log, SystemClock())


async def published(log: EventLog) -> list[tuple[str, int, bool, Any]]:
    records = await log.read(CONFIG, 0, 0, max_records=1000)
    entries = [decode_entry(record.value or b"") for record in records]
    return [(entry.key, entry.version, entry.deleted, entry.data.get("n")) for entry in entries]


async def put_into(log: EventLog, **fields: Any) -> None:
    entry = ConfigEntry(kind="source", **fields)
    await log.append([NewRecord(CONFIG, 0, encode_entry(entry), entry.key.encode())])


async def test_pending_entries_go_out_in_order(
    publisher: ConfigPublisher, store: SQLiteAdminStore, log: EventLog
) -> None:
    for number in range(250):
        await store.put_entry("source", f"s{number:03}", {"n": number}, now=1)
    await publisher.publish_pending()
    assert [row[3] for row in await published(log)] == list(range(250))
    assert await store.pending_entries(1) == []


async def test_nothing_to_do_publishes_nothing(
    publisher: ConfigPublisher, store: SQLiteAdminStore, log: EventLog
) -> None:
    await store.put_entry("source", "a", {"n": 1}, now=1)
    await publisher.reconcile()
    await publisher.publish_pending()
    before = await published(log)
    await publisher.reconcile()
    await publisher.publish_pending()
    assert await published(log) == before
    assert publisher.reasons() == []


async def test_an_empty_log_gets_everything_again(
    publisher: ConfigPublisher, store: SQLiteAdminStore, log: EventLog
) -> None:
    """The log was exchanged: what was published to the old one is not in the new one."""
    await store.put_entry("source", "a", {"n": 1}, now=1)
    await store.put_entry("source", "gone", {"n": 2}, now=1)
    await store.put_entry("source", "gone", {"n": 2}, now=1, deleted=True)
    await store.mark_published([number for number, _ in await store.pending_entries(10)])
    await publisher.reconcile()
    await publisher.publish_pending()
    assert await published(log) == [("source:a", 1, False, 1)]


async def test_a_store_that_is_behind_passes_the_version_of_the_log(
    publisher: ConfigPublisher, store: SQLiteAdminStore, log: EventLog
) -> None:
    """The store's change is later, but the log has a higher version: consumers must not ignore the change."""
    await put_into(log, id="a", version=5, at=1_000, data={"n": 5})
    await store.put_entry("source", "a", {"n": 1}, now=2_000)
    await publisher.reconcile()
    await publisher.publish_pending()
    assert (await published(log))[-1] == ("source:a", 6, False, 1)
    assert (await store.put_entry("source", "a", {"n": 2}, now=3_000)).version == 7


async def test_what_a_restored_store_has_lost_is_taken_over(
    publisher: ConfigPublisher, store: SQLiteAdminStore, log: EventLog
) -> None:
    await store.put_entry("source", "a", {"n": 1}, now=1_000)
    await put_into(log, id="a", version=2, at=2_000, data={"n": 2})
    await put_into(log, id="b", version=1, at=2_000, data={"n": 3})
    await put_into(log, id="c", version=4, at=2_000, deleted=True)
    await publisher.reconcile()
    assert {entry.id: entry.data["n"] for entry in await store.entries("source")} == {"a": 2, "b": 3}
    await publisher.publish_pending()
    assert (await published(log))[-1][1:] in [(1, False, 3), (4, True, None), (2, False, 2)]


async def test_a_record_that_is_no_entry_is_passed_over(
    publisher: ConfigPublisher, store: SQLiteAdminStore, log: EventLog
) -> None:
    await log.append([NewRecord(CONFIG, 0, b"not json", b"source:x"), NewRecord(CONFIG, 0, None, b"source:y")])
    await store.put_entry("source", "a", {"n": 1}, now=1)
    await publisher.reconcile()
    await publisher.publish_pending()
    records = await log.read(CONFIG, 0, 0)
    assert records[-1].key == b"source:a"


async def test_a_log_that_is_away_is_told_and_nothing_is_lost(
    publisher: ConfigPublisher, store: SQLiteAdminStore, log: EventLog
) -> None:
    assert publisher.reasons() == ["configuration is being compared with the log"]
    await store.put_entry("source", "a", {"n": 1}, now=1)
    await log.close()
    with pytest.raises(LogUnavailable):
        await publisher.publish_pending()
    assert len(await store.pending_entries(10)) == 1
