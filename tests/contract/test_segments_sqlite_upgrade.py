"""A file of a program that knew no segments is brought up when it is opened, with everything that it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.adapters.sqlite.profiles import connection as opening
from leocdp.adapters.sqlite.profiles.codec import PERSONS, STATES, pack_id
from leocdp.adapters.sqlite.profiles.connection import Tuning, open_for_reading
from leocdp.adapters.sqlite.profiles.schema import MIGRATIONS
from leocdp.domain.profiles.state import Person
from leocdp.domain.segments.audience import SHARDS, sample_of
from leocdp.ports.profile_reader import EventQuery, ProfileQuery
from leocdp.ports.profile_store import StoreUnavailable
from tests.contract.builders import DAY, T0, applied, event, merge, person, profile_id, state, together
from tests.contract.profile_backend import load, write

OLD = 2
"""Version of the schema before segments."""
OTHER_ID = "imported-7"


def old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the program of that version has left it: two people, one of two leaves, one with an id of another form."""
    monkeypatch.setattr(opening, "MIGRATIONS", MIGRATIONS[:OLD])
    monkeypatch.setattr(opening, "SCHEMA_VERSION", OLD)
    with closing(opening.open_for_writing(path, Tuning())) as connection:
        _insert(connection)
    monkeypatch.undo()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (OLD,)


def _insert(connection: sqlite3.Connection) -> None:
    ids = [profile_id(1), profile_id(2), OTHER_ID]
    folded = Person(state("email:lan@x.vn", total=2), tuple(sorted(ids[:2])), 1)
    rows: list[tuple[Any, ...]] = []
    for num, one in enumerate(ids, 1):
        root = pack_id(ids[0]) if num == 2 else None
        whole = PERSONS.encode(folded) if num == 1 else None
        own = STATES.encode(state("email:lan@x.vn" if num == 1 else f"user_id:u-{num}"))
        rows.append((num, pack_id(one), num, root, root, T0, 1, T0, T0 + num, f"name {num}", None, own, whole))
    connection.executemany(f"INSERT INTO profiles VALUES ({', '.join('?' * 13)})", rows)
    connection.executemany(
        "INSERT INTO identifiers VALUES (?, ?, NULL)",
        [("lan@x.vn\x1femail", pack_id(ids[0])), ("u-2\x1fuser_id", pack_id(ids[1])), ("u-3\x1fuser_id", OTHER_ID)],
    )
    connection.execute("INSERT INTO counters VALUES ('profiles', 3), ('people', 2), ('events', 4)")
    for seq, leaf in enumerate([*ids, ids[0]], 1):
        columns = (seq, pack_id(leaf), T0 + seq, T0 + seq, "track", "Order Completed", "src-web", "segment", f"m-{seq}")
        connection.execute(
            "INSERT INTO events (seq, leaf, timestamp, received_at, type, name, source, protocol, message_id, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*columns, b'{"properties":{"total":5}}'),
        )


async def test_people_and_events_of_an_earlier_program_are_all_there_and_people_are_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "profiles.db"
    old_file(path, monkeypatch)
    store = SQLiteProfileStore(path)
    await store.start()
    found = await load(store, profile_id(1), profile_id(2), OTHER_ID)
    ids = [profile_id(1), profile_id(2), OTHER_ID]
    assert [(one.revision, one.root, one.audience) for one in (found[each] for each in ids)] == [
        (1, profile_id(1), None),
        (2, profile_id(1), None),
        (3, OTHER_ID, None),
    ]
    assert found[profile_id(1)].leaf_ids == (profile_id(1), profile_id(2))
    assert set(await store.people_behind(range(SHARDS), 1, 10)) == {profile_id(1), OTHER_ID}
    assert list(await store.people_due(range(SHARDS), T0 + DAY, 10)) == []
    events = await store.person_events({"x": [profile_id(1), profile_id(2)]}, names={"Order Completed"}, types=set())
    assert [one.message_id for one in events["x"]] == ["m-1", "m-2", "m-4"]
    await write(store, together(person(9, "user_id:u-9"), applied(profile_id(9), event("m-9"))))
    two = await load(store, profile_id(1), profile_id(9))
    await write(store, merge(two[profile_id(1)], two[profile_id(9)], state("email:lan@x.vn", "user_id:u-9")))
    reader = SQLiteProfileReader(path)
    await reader.start()
    assert (await reader.search(ProfileQuery())).total == 2
    assert len((await reader.events([profile_id(1)], EventQuery())).data) == 2
    await reader.close()
    await store.close()


async def test_every_profile_gets_its_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "profiles.db"
    old_file(path, monkeypatch)
    store = SQLiteProfileStore(path)
    await store.start()
    await write(store, *(person(number, f"user_id:new-{number}") for number in range(20, 25)))
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        stored = dict(connection.execute("SELECT id, sample FROM profiles").fetchall())
    ids = [profile_id(number) for number in (1, 2, *range(20, 25))]
    assert stored == {pack_id(one): sample_of(one) for one in (*ids, OTHER_ID)}


async def test_an_upgrade_that_fails_leaves_the_old_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "profiles.db"
    old_file(path, monkeypatch)
    statements: Callable[[str], list[str]] = opening._statements
    monkeypatch.setattr(opening, "_statements", lambda script: [*statements(script), "SELECT * FROM nowhere;"])
    store = SQLiteProfileStore(path)
    with pytest.raises(StoreUnavailable):
        await store.start()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (OLD,)
        assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (3,)
        columns = {row[1] for row in connection.execute("PRAGMA table_info(profiles)")}
        assert "audience" not in columns
    monkeypatch.undo()
    await store.start()
    assert len(await load(store, profile_id(1), profile_id(2), OTHER_ID)) == 3
    await store.close()


def test_a_reader_waits_for_the_processor_to_bring_a_file_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "profiles.db"
    old_file(path, monkeypatch)
    with pytest.raises(StoreUnavailable, match="start the processor of this version"):
        open_for_reading(path, Tuning())
