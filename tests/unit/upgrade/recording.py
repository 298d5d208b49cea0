"""Recording what this version writes, and reading recordings of any version with this one.

A recording is a folder ``tests/fixtures/released/<version>``:

| file | what |
|---|---|
| ``records.json`` | every record of the log: topic, key, value as text or base64, and what it means |
| ``log.sql``, ``profiles.sql``, ``admin.sql`` | the files of the embedded engine as SQL |
| ``profiles.arango.json``, ``admin.arango.json`` | the documents of ArangoDB by collection, and the schema's version |
| ``meaning.json`` | what the readers of each store say |
| ``fields.json`` | the fields of every structure |
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
from arango.client import ArangoClient

from leocdp.adapters.arango.admin.schema import SCHEMA as ADMIN_SCHEMA
from leocdp.adapters.arango.admin_store import ArangoAdminStore
from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.migrations import VERSION_KEY, Schema, migrate
from leocdp.adapters.arango.profiles.schema import SCHEMA as PROFILES_SCHEMA
from leocdp.adapters.sqlite.admin_store import SQLiteAdminStore
from leocdp.contracts.commands import decode_command
from leocdp.contracts.config_entries import decode_entry
from leocdp.contracts.log_records import DeadLetter, decode_accepted, decode_rejected
from leocdp.contracts.topics import COMMANDS, CONFIG, EVENTS_ACCEPTED, EVENTS_DEAD_LETTER, EVENTS_REJECTED
from leocdp.ports.event_log import Record
from tests.contract.arango_backend import PASSWORD, double_database
from tests.unit.upgrade import admin_story, story
from tests.unit.upgrade.inventory import inventory
from tests.unit.upgrade.sql_text import dump

_BINARY: Final = frozenset({EVENTS_ACCEPTED, EVENTS_REJECTED, EVENTS_DEAD_LETTER})


ROOT: Final = Path(__file__).resolve().parents[2] / "fixtures" / "released"
RELEASES: Final = sorted(path.name for path in ROOT.iterdir() if (path / "fields.json").exists())


def read(release: str, name: str) -> Any:
    """A file of a recording, JSON as what it stands for."""
    text = (ROOT / release / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else text


async def record(folder: Path) -> None:
    """Make a recording of this version."""
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {}
    with TemporaryDirectory() as place:
        told["profiles.sql"], records = await story.play(Path(place))
        store = SQLiteAdminStore(Path(place) / "admin.db")
        await store.start()
        await admin_story.play(store)
        told["admin.sql"] = await admin_story.meaning(store)
        await store.close()
        for name in ("log", "profiles", "admin"):
            (folder / f"{name}.sql").write_text(dump(Path(place) / f"{name}.db"), encoding="utf-8")
    _write(folder / "records.json", [shown(one) for one in records])
    for name, (documents, meaning) in (await arango()).items():
        _write(folder / name, documents)
        told[name] = meaning
    _write(folder / "meaning.json", told)
    _write(folder / "fields.json", inventory())


async def arango() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """File name → (documents, meaning), played on the double."""
    with double_database() as (_, where), TemporaryDirectory() as place:
        host = where.hosts[0].removeprefix("http://")
        url = f"arangodb://{where.user}@{host}/{where.database}"
        profiles, _ = await story.play(Path(place), store_url=url, store_password=PASSWORD)
        stored = documents(where, PROFILES_SCHEMA)
    with double_database() as (_, where):
        store = ArangoAdminStore(where)
        await store.start()
        await admin_story.play(store)
        admin = await admin_story.meaning(store)
        await store.close()
        own = documents(where, ADMIN_SCHEMA)
    return {"profiles.arango.json": (stored, profiles), "admin.arango.json": (own, admin)}


def documents(where: Connection, schema: Schema) -> dict[str, Any]:
    client = ArangoClient(hosts=where.hosts[0])
    database = client.db(where.database, where.user, PASSWORD)
    found = {name: list(database.collection(name).all()) for name in schema.collection_names}  # type: ignore[arg-type]
    client.close()
    own = {name: sorted(map(_without_rev, rows), key=lambda one: str(one["_key"])) for name, rows in found.items()}
    version = next(one for one in own[schema.collection] if one["_key"] == VERSION_KEY)["version"]
    return {"version": version, "collections": own}


def restore(where: Connection, schema: Schema, recorded: Mapping[str, Any]) -> None:
    """Make the collections as the recorded version did, its steps being never changed, and put the documents in."""
    database = Database(where, Breaker(), where.hosts[0])
    migrate(database, replace(schema, steps=schema.steps[: recorded["version"]]))
    for name, rows in recorded["collections"].items():
        database.insert(name, rows, "replace")
    database.close()


def _without_rev(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("_id", "_rev")}


def shown(one: Record) -> dict[str, Any]:
    assert one.value is not None
    binary = one.topic in _BINARY
    value = b64encode(one.value).decode() if binary else one.value.decode()
    key = None if one.key is None else one.key.decode()
    form = {"base64" if binary else "text": value, "means": means(one.topic, one.value)}
    return {"topic": one.topic, "partition": one.partition, "offset": one.offset, "key": key, **form}


def value_of(recorded: Mapping[str, Any]) -> bytes:
    return b64decode(recorded["base64"]) if "base64" in recorded else str(recorded["text"]).encode()


def means(topic: str, value: bytes) -> Any:
    """What the reader of a topic makes of a record."""
    match topic:
        case _ if topic == EVENTS_ACCEPTED:
            return story.plain(decode_accepted(value))
        case _ if topic == EVENTS_REJECTED:
            return story.plain(decode_rejected(value))
        case _ if topic == EVENTS_DEAD_LETTER:
            return story.plain(msgspec.msgpack.decode(value, type=DeadLetter))
        case _ if topic == COMMANDS:
            return story.plain(decode_command(value))
        case _ if topic == CONFIG:
            return story.plain(decode_entry(value))
    return json.loads(value)


def missing(expected: Any, found: Any, place: str = "") -> list[str]:
    """Where what was recorded is not in what is read now; what has come since is no difference."""
    if isinstance(expected, dict) and isinstance(found, dict):
        lost = [f"{place}.{name} is gone" for name in expected.keys() - found.keys()]
        both = expected.keys() & found.keys()
        return lost + [one for name in sorted(both) for one in missing(expected[name], found[name], f"{place}.{name}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs: Sequence[tuple[Any, Any]] = list(zip(expected, found, strict=True))
        return [one for number, pair in enumerate(pairs) for one in missing(*pair, f"{place}[{number}]")]
    same = type(expected) is type(found) and expected == found
    return [] if same else [f"{place} was {expected!r} and is {found!r}"]


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n", encoding="utf-8")
