"""Databases, collections, indexes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.arangodb.storage.collections import Collection, Database, next_id
from tests.doubles.arangodb.storage.indexes import Index, define
from tests.doubles.arangodb.storage.versions import ABSENT
from tests.doubles.arangodb.web.message import Request, Response, answer
from tests.doubles.arangodb.web.router import route
from tests.doubles.arangodb.web.work import Server

_CREATE: Final = ("name", "type", "waitForSync", "isSystem", "keyOptions", "numberOfShards", "replicationFactor")
_CREATE_MORE: Final = ("distributeShardsLike", "writeConcern", "schema", "cacheEnabled", "shardingStrategy")
_INDEX: Final = ("type", "fields", "name", "unique", "sparse", "deduplicate", "estimates", "storedValues")
_INDEX_MORE: Final = ("cacheEnabled", "inBackground", "expireAfter")


@route("database.list", "GET", "/_api/database")
def databases(server: Server, request: Request) -> Response:
    return answer({"result": sorted(server.databases)})


@route("database.list", "GET", "/_api/database/user")
def databases_of_user(server: Server, request: Request) -> Response:
    user = server.users.find(request.user)
    return answer({"result": sorted(each for each in server.databases if user.grant(each) != "none")})


@route("database.read", "GET", "/_api/database/current")
def current(server: Server, request: Request) -> Response:
    name = server.database(request).name
    return answer({"result": {"name": name, "id": name, "isSystem": name == "_system"}})


@route("database.create", "POST", "/_api/database")
def create_database(server: Server, request: Request) -> Response:
    wanted = request.object(("name", "options", "users"))
    if request.database != "_system":
        raise ArangoProblem(11, "operation only allowed in the system database")
    server.users.require_database(request.user, "_system", "rw")
    name = str(wanted["name"])
    if name in server.databases:
        raise ArangoProblem(1207, name)
    if wanted.get("users"):
        raise Unknown("users in the creation of a database")
    server.databases[name] = Database(name)
    return answer({"result": True}, 201)


@route("database.drop", "DELETE", "/_api/database/{name}")
def drop_database(server: Server, request: Request, name: str) -> Response:
    server.users.require_database(request.user, "_system", "rw")
    if server.databases.pop(name, None) is None:
        raise ArangoProblem(1228, name)
    return answer({"result": True})


@route("collection.list", "GET", "/_api/collection")
def collections(server: Server, request: Request) -> Response:
    request.options("excludeSystem")
    return answer({"result": [_info(each) for each in server.database(request).collections.values()]})


@route("collection.create", "POST", "/_api/collection")
def create_collection(server: Server, request: Request) -> Response:
    server.no_transaction(request)
    request.options("waitForSyncReplication", "enforceReplicationFactor")
    wanted = request.object((*_CREATE, *_CREATE_MORE))
    server.users.require_database(request.user, request.database, "rw")
    database = server.database(request)
    _check_sharding(wanted, database)
    properties = {"type": 2, "waitForSync": False, "numberOfShards": 1, **wanted}
    made = Collection(str(wanted.get("name", "")), properties)
    if made.name in database.collections:
        raise ArangoProblem(1207, made.name)
    database.collections[made.name] = made
    return answer({**_info(made), **_properties(made)})


def _check_sharding(wanted: Mapping[str, Any], database: Database) -> None:
    if wanted.get("numberOfShards", 1) != 1 or wanted.get("isSystem"):
        raise Unknown("collections of several shards, and system collections")
    if not (wanted.get("keyOptions") or {}).get("allowUserKeys", True):
        raise Unknown("collections that choose all their keys")
    prototype = wanted.get("distributeShardsLike")
    if prototype is not None:
        database.collection(prototype)


@route("collection.read", "GET", "/_api/collection/{name}")
def collection(server: Server, request: Request, name: str) -> Response:
    return answer(_info(server.collection(request, name)))


@route("collection.properties", "GET", "/_api/collection/{name}/properties")
def properties(server: Server, request: Request, name: str) -> Response:
    found = server.collection(request, name)
    return answer({**_info(found), **_properties(found)})


@route("collection.configure", "PUT", "/_api/collection/{name}/properties")
def configure(server: Server, request: Request, name: str) -> Response:
    wanted = request.object(("waitForSync", "schema", "cacheEnabled", "replicationFactor", "writeConcern"))
    found = server.collection(request, name)
    found.properties = {**found.properties, **wanted}
    return answer({**_info(found), **_properties(found)})


@route("collection.count", "GET", "/_api/collection/{name}/count")
def count(server: Server, request: Request, name: str) -> Response:
    with server.transaction(request, {name: "read"}) as transaction:
        found = server.collection(request, name)
        return answer({**_info(found), "count": sum(1 for _ in transaction.rows(found.documents))})


@route("collection.truncate", "PUT", "/_api/collection/{name}/truncate")
def truncate(server: Server, request: Request, name: str) -> Response:
    request.options("waitForSync", "compact")
    with server.transaction(request, {name: "write"}) as transaction:
        found = server.collection(request, name)
        for document in [*transaction.rows(found.documents)]:
            transaction.lock(found.documents, document["_key"])
            transaction.write(found.documents, document["_key"], ABSENT)
            for index in (each for each in found.indexes if each.unique):
                for values in index.values_of(document):
                    transaction.lock(index.entries, values)
                    transaction.write(index.entries, values, ABSENT)
    return answer(_info(found))


@route("collection.drop", "DELETE", "/_api/collection/{name}")
def drop(server: Server, request: Request, name: str) -> Response:
    server.no_transaction(request)
    request.options("isSystem")
    server.users.require_database(request.user, request.database, "rw")
    database = server.database(request)
    found = database.collection(name)
    if any(each.properties.get("distributeShardsLike") == name for each in database.collections.values()):
        raise ArangoProblem(1485, name)
    del database.collections[name]
    return answer({"id": str(found.id)})


def _info(found: Collection) -> dict[str, Any]:
    kind = found.properties.get("type", 2)
    shown = {"id": str(found.id), "name": found.name, "status": 3, "type": kind, "isSystem": False}
    return {**shown, "globallyUniqueId": f"h{found.id}/{found.name}"}


def _properties(found: Collection) -> dict[str, Any]:
    own = {each: value for each, value in found.properties.items() if each not in ("name", "type", "isSystem")}
    return {"keyOptions": {"type": "traditional", "allowUserKeys": True}, **own}


@route("index.list", "GET", "/_api/index")
def indexes(server: Server, request: Request) -> Response:
    given = request.options("collection", "withStats", "withHidden")
    found = server.collection(request, given.text("collection")).all_indexes()
    return answer({"indexes": found, "identifiers": {each["id"]: each for each in found}})


@route("index.create", "POST", "/_api/index")
def create_index(server: Server, request: Request) -> Response:
    server.no_transaction(request)
    found = server.collection(request, request.options("collection").text("collection"))
    server.users.require_collection(request.user, request.database, found.name, "write")
    index = define(request.object((*_INDEX, *_INDEX_MORE)), next_id())
    for other in found.indexes:
        if other.same_as(index):
            return answer({**_shown(found, other), "isNewlyCreated": False})
        if other.name == index.name or (other.kind == index.kind == "ttl"):
            raise ArangoProblem(1206 if other.name == index.name else 10, index.name)
    if index.unique:
        _fill(server, found, index)
    found.indexes.append(index)
    return answer({**_shown(found, index), "isNewlyCreated": True}, 201)


def _fill(server: Server, collection: Collection, index: Index) -> None:
    transaction = server.engine.begin()
    for document in [*transaction.rows(collection.documents)]:
        for values in index.values_of(document):
            if transaction.read(index.entries, values) is not ABSENT:
                server.engine.abort(transaction)
                raise ArangoProblem(1210, f"while creating index {index.name}", status=400)
            transaction.write(index.entries, values, document["_key"])
    server.engine.commit(transaction)


def _shown(collection: Collection, index: Index) -> dict[str, Any]:
    return {**index.body(), "id": f"{collection.name}/{index.id}"}


@route("index.read", "GET", "/_api/index/{collection}/{index}")
def read_index(server: Server, request: Request, collection: str, index: str) -> Response:
    found = server.collection(request, collection)
    return answer(_shown(found, _index(found, index)))


@route("index.drop", "DELETE", "/_api/index/{collection}/{index}")
def drop_index(server: Server, request: Request, collection: str, index: str) -> Response:
    server.no_transaction(request)
    found = server.collection(request, collection)
    gone = _index(found, index)
    found.indexes.remove(gone)
    return answer({"id": f"{collection}/{gone.id}"})


def _index(collection: Collection, name: str) -> Index:
    found = collection.index_called(name)
    if found is None:
        raise ArangoProblem(1212, name)
    return found
