"""What a release has written reads to the same today: records of the log, files of SQLite, documents of ArangoDB."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from leocdp.adapters.arango.admin.schema import SCHEMA as ADMIN_SCHEMA
from leocdp.adapters.arango.admin_store import ArangoAdminStore
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.profile_reader import ArangoProfileReader
from leocdp.adapters.arango.profiles.schema import SCHEMA as PROFILES_SCHEMA
from leocdp.adapters.sqlite.admin_store import SQLiteAdminStore
from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.contracts.topics import TOPICS
from leocdp.domain.identity.identifiers import parse_key
from tests.contract.arango_backend import PASSWORD, double_database
from tests.unit.processor.driving import Running, running, track
from tests.unit.upgrade import admin_story, recording, story
from tests.unit.upgrade.recording import RELEASES, missing, read
from tests.unit.upgrade.sql_text import load

LOG_ID: Final = re.compile(r"log_[0-9a-f]{24}")

pytestmark = pytest.mark.parametrize("release", RELEASES)


@pytest.fixture
def arango() -> Iterator[Connection]:
    with double_database() as (_, where):
        yield where


def test_records_of_every_topic_mean_the_same(release: str) -> None:
    recorded = read(release, "records.json")
    assert {one["topic"] for one in recorded} == {spec.name for spec in TOPICS}
    for one in recorded:
        assert missing(one["means"], recording.means(one["topic"], recording.value_of(one))) == [], one["topic"]


async def test_the_log_gives_every_record(release: str, tmp_path: Path) -> None:
    load(tmp_path / "log.db", read(release, "log.sql"))
    for_ever = [replace(spec, retention_ms=None, retention_bytes=None) for spec in TOPICS]
    log = SQLiteEventLog(tmp_path / "log.db", topics=for_ever)
    await log.start()
    found = [recording.shown(one) for one in await story.records(log)]
    await log.close()
    assert [one | {"means": ""} for one in read(release, "records.json")] == [one | {"means": ""} for one in found]


async def test_profiles_in_a_file_say_the_same(release: str, tmp_path: Path) -> None:
    path = tmp_path / "profiles.db"
    load(path, read(release, "profiles.sql"))
    store = SQLiteProfileStore(path)
    await store.start()  # Brings it to the format of today.
    await store.close()
    reader = SQLiteProfileReader(path)
    await reader.start()
    assert missing(read(release, "meaning.json")["profiles.sql"], await story.meaning(reader)) == []
    await reader.close()


async def test_profiles_in_arangodb_say_the_same(release: str, arango: Connection) -> None:
    recording.restore(arango, PROFILES_SCHEMA, read(release, "profiles.arango.json"))
    reader = ArangoProfileReader(arango)
    await reader.start()
    assert missing(read(release, "meaning.json")["profiles.arango.json"], await story.meaning(reader)) == []
    await reader.close()


async def test_admin_in_a_file_says_the_same(release: str, tmp_path: Path) -> None:
    load(tmp_path / "admin.db", read(release, "admin.sql"))
    store = SQLiteAdminStore(tmp_path / "admin.db")
    await store.start()
    assert missing(read(release, "meaning.json")["admin.sql"], await admin_story.meaning(store)) == []
    await store.close()


async def test_admin_in_arangodb_says_the_same(release: str, arango: Connection) -> None:
    recording.restore(arango, ADMIN_SCHEMA, read(release, "admin.arango.json"))
    store = ArangoAdminStore(arango)
    await store.start()
    assert missing(read(release, "meaning.json")["admin.arango.json"], await admin_story.meaning(store)) == []
    await store.close()


@pytest.mark.parametrize("engine", ["sqlite", "arangodb"])
async def test_a_processor_goes_on_where_the_release_stopped(
    release: str, engine: str, tmp_path: Path, arango: Connection
) -> None:
    async with taken_over(release, engine, tmp_path, arango) as processor:
        before = await processor.reader.counts()
        lan = await processor.reader.find(parse_key("user_id:u-lan"))
        await processor.send(track("m-new", "Order Completed", userId="u-lan"), source="src_web")
        after = await processor.counted(lambda counts: counts.events > before.events)
        assert (after.events, after.people) == (before.events + 1, before.people)
        now = await processor.reader.find(parse_key("user_id:u-lan"))
        assert lan is not None
        assert now is not None
        assert now.root == lan.root
        assert now.folded.by_name["Order Completed"] == lan.folded.by_name["Order Completed"] + 1
        assert [one for one, _ in await processor.reader.member_ids("sgm_buyers:1", after=None, limit=9)]


@asynccontextmanager
async def taken_over(release: str, engine: str, folder: Path, arango: Connection) -> AsyncIterator[Running]:
    """A processor of today on a log and profiles of the release."""
    log = str(read(release, "log.sql"))
    settings: dict[str, Any] = {"erasure_key": story.SECRET}
    if engine == "sqlite":
        load(folder / "profiles.db", read(release, "profiles.sql"))
    else:
        recorded = read(release, "profiles.arango.json")
        recording.restore(arango, PROFILES_SCHEMA, recorded)
        # The same history was played twice: it is the same log but for its id.
        log = LOG_ID.sub(LOG_ID.findall(str(recorded))[0], log)
        host = arango.hosts[0].removeprefix("http://")
        settings["store_url"] = f"arangodb://{arango.user}@{host}/{arango.database}"
        settings["store_password"] = PASSWORD
    load(folder / "log.db", log)
    async with running(folder, **settings) as processor:
        yield processor
