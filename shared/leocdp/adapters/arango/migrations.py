"""Versioned steps that make collections and indexes. Each can be repeated, by several processes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.failures import Failure, Kind

VERSION_KEY: Final = "schema"


@dataclass(frozen=True)
class Collection:
    name: str
    indexes: tuple[Mapping[str, Any], ...]

    def __init__(self, name: str, *indexes: Mapping[str, Any]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "indexes", indexes)


@dataclass(frozen=True)
class Step:
    """What leads from one version to the next. Collections that an earlier step has made may get more indexes."""

    collections: tuple[Collection, ...]
    documents: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(collection, document) that are there from the beginning; one that is there already stays as it is."""
    work: Callable[[Database], None] | None = None
    """What existing documents need. It may be cut short and begun again, and run in several processes at once."""


@dataclass(frozen=True)
class Schema:
    """``collection`` is the first one, beside which all others lie; it holds the version of the schema."""

    name: str
    collection: str
    steps: tuple[Step, ...]
    oldest: int
    """The oldest version of this program that can work with what these steps make: both run during a roll-out."""

    @property
    def version(self) -> int:
        return len(self.steps)

    @property
    def collection_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(collection.name for step in self.steps for collection in step.collections))


class TooNew(Exception):
    """The database was brought to a version that this program cannot work with."""


def persistent(
    name: str, *fields: str, unique: bool = False, stored: tuple[str, ...] = (), sparse: bool = False
) -> Mapping[str, Any]:
    """A persistent index. Its name makes a repeated creation the same one."""
    definition: dict[str, Any] = {"type": "persistent", "name": name, "fields": list(fields), "unique": unique}
    if stored:
        definition["storedValues"] = list(stored)
    return {**definition, "sparse": sparse, "inBackground": True}


def stored_version(database: Database, schema: Schema) -> int:
    """0 when nothing is there. Raises TooNew, Failure."""
    try:
        document = database.document(schema.collection, VERSION_KEY)
    except Failure as error:
        if error.kind is Kind.NOT_THERE and error.number != DATABASE_NOT_FOUND:
            return 0
        raise
    if document is None:
        return 0
    if int(document["oldest"]) > schema.version:
        raise TooNew(
            f"The {schema.name} was brought to version {document['version']}, with which this program (version "
            f"{schema.version}) cannot work. Upgrade it, or restore a backup made before the upgrade."
        )
    return int(document["version"])


DATABASE_NOT_FOUND: Final = 1228


def migrate(database: Database, schema: Schema) -> None:
    """Make what is missing. Raises TooNew, Failure."""
    version = stored_version(database, schema)
    if version >= schema.version:
        return
    for step in schema.steps[version:]:
        _take(database, schema, step)
    document = {"_key": VERSION_KEY, "version": schema.version, "oldest": schema.oldest}
    database.insert(schema.collection, [document], "replace")


def _take(database: Database, schema: Schema, step: Step) -> None:
    for collection in step.collections:
        like = None if collection.name == schema.collection else schema.collection
        database.create_collection(collection.name, like)
        for index in collection.indexes:
            database.create_index(collection.name, index)
    for collection_name, document in step.documents:
        database.insert(collection_name, [dict(document)], "ignore")
    if step.work is not None:
        step.work(database)
