"""Documents, one and many."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.arangodb.storage.documents import SINGLE_WAIT, Documents, OverwriteMode, WriteOptions, Written, stale
from tests.doubles.arangodb.web.message import Options, Request, Response
from tests.doubles.arangodb.web.router import route
from tests.doubles.arangodb.web.work import Server

_WRITE: Final = ("waitForSync", "returnNew", "returnOld", "silent", "overwrite", "refillIndexCaches")
_INSERT: Final = (*_WRITE, "overwriteMode", "keepNull", "mergeObjects")
_CHANGE: Final = (*_WRITE, "ignoreRevs", "keepNull", "mergeObjects")
_MODES: Final[dict[str, OverwriteMode]] = {each: each for each in get_args(OverwriteMode)}

Operation = Callable[[Documents, Any], Written]


@route("document.read", "GET", "/_api/document/{collection}/{key}")
def read(server: Server, request: Request, collection: str, key: str) -> Response:
    request.options()
    with server.transaction(request, {collection: "read"}) as transaction:
        found = Documents(transaction, server.collection(request, collection)).get(key)
    etag = {"etag": f'"{found["_rev"]}"'}
    wanted, known = request.revision("if-match"), request.revision("if-none-match")
    if wanted is not None and wanted != found["_rev"]:
        raise stale(found)
    return Response(304, None, etag) if known == found["_rev"] else Response(200, found, etag)


@route("document.head", "HEAD", "/_api/document/{collection}/{key}")
def head(server: Server, request: Request, collection: str, key: str) -> Response:
    return read(server, request, collection, key)


@route("document.insert", "POST", "/_api/document/{collection}")
def insert(server: Server, request: Request, collection: str) -> Response:
    given = request.options(*_INSERT)
    mode = given.text("overwriteMode", "conflict")
    if given.flag("overwrite") or mode not in _MODES:
        raise Unknown(f"overwrite or overwriteMode={mode}")
    if mode == "update" and "keepNull" not in given.given:
        raise Unknown("overwriteMode=update without keepNull, whose default is documented in two ways")
    options = _options(given, _MODES[mode])
    body = request.json()
    many = isinstance(body, list)

    def one(documents: Documents, item: Any) -> Written:
        return documents.insert(item, _waiting(options, request, many=many))

    return _write(server, request, collection, given, body if many else [body], one, many=many)


@route("document.update", "PATCH", "/_api/document/{collection}/{key}")
def update(server: Server, request: Request, collection: str, key: str) -> Response:
    return _change(server, request, collection, key, Documents.update)


@route("document.replace", "PUT", "/_api/document/{collection}/{key}")
def replace(server: Server, request: Request, collection: str, key: str) -> Response:
    return _change(server, request, collection, key, Documents.replace)


@route("document.update", "PATCH", "/_api/document/{collection}")
def update_many(server: Server, request: Request, collection: str) -> Response:
    return _change_many(server, request, collection, Documents.update)


@route("document.replace", "PUT", "/_api/document/{collection}")
def replace_many(server: Server, request: Request, collection: str) -> Response:
    if "onlyget" in request.query:
        return _read_many(server, request, collection)
    return _change_many(server, request, collection, Documents.replace)


@route("document.remove", "DELETE", "/_api/document/{collection}/{key}")
def remove(server: Server, request: Request, collection: str, key: str) -> Response:
    given = request.options(*_CHANGE)
    revision = request.revision("if-match")
    options = _waiting(_options(given, revision=revision), request, many=False)

    def one(documents: Documents, item: Any) -> Written:
        return documents.remove(key, revision, options)

    return _write(server, request, collection, given, [None], one, many=False, done=200)


@route("document.remove", "DELETE", "/_api/document/{collection}")
def remove_many(server: Server, request: Request, collection: str) -> Response:
    given = request.options(*_CHANGE)
    options = _options(given)

    def one(documents: Documents, item: Any) -> Written:
        revision = item.get("_rev") if isinstance(item, dict) else None
        return documents.remove(_key_of(item), revision, options)

    return _write(server, request, collection, given, _array(request), one, many=True, done=200)


def _change(server: Server, request: Request, collection: str, key: str, change: Callable[..., Written]) -> Response:
    given = request.options(*_CHANGE)
    revision = request.revision("if-match")
    options = _waiting(_options(given, revision=revision), request, many=False)

    def one(documents: Documents, item: Any) -> Written:
        wanted = {**item, "_rev": revision} if revision is not None and isinstance(item, dict) else item
        return change(documents, key, wanted, options)

    return _write(server, request, collection, given, [request.json()], one, many=False)


def _change_many(server: Server, request: Request, collection: str, change: Callable[..., Written]) -> Response:
    given = request.options(*_CHANGE)
    options = _options(given)

    def one(documents: Documents, item: Any) -> Written:
        return change(documents, _key_of(item), item, options)

    return _write(server, request, collection, given, _array(request), one, many=True)


def _read_many(server: Server, request: Request, collection: str) -> Response:
    """Documents in the order of the keys; what is missing is an error in its place."""
    request.options("onlyget", "ignoreRevs")
    found: list[dict[str, Any]] = []
    with server.transaction(request, {collection: "read"}) as transaction:
        documents = Documents(transaction, server.collection(request, collection))
        for item in _array(request):
            try:
                found.append(documents.get(_key_of(item)))
            except ArangoProblem as problem:
                found.append(problem.inline())
    return Response(200, found, _error_codes(found))


def _write(
    server: Server,
    request: Request,
    collection: str,
    given: Options,
    items: list[Any],
    operation: Operation,
    *,
    many: bool,
    done: int = 201,
) -> Response:
    """Runs the operation for each item. Of many, each stands for itself; of one, the error is the answer."""
    with server.transaction(request, {collection: "write"}) as transaction:
        found = server.collection(request, collection)
        documents = Documents(transaction, found)
        results = [_one(documents, item, operation, given, many=many) for item in items]
    status = done if given.flag("waitForSync") or found.waits_for_sync else 202
    failed = [each for each in results if each.get("error")]
    if many:
        silent: Any = failed or {}
        return Response(status, silent if given.flag("silent") else results, _error_codes(results))
    return Response(status, {} if given.flag("silent") else results[0], {"etag": f'"{results[0]["_rev"]}"'})


def _one(documents: Documents, item: Any, operation: Operation, given: Options, *, many: bool) -> dict[str, Any]:
    try:
        return _meta(operation(documents, item), given)
    except Unknown:
        raise
    except ArangoProblem as problem:
        if not many:
            raise
        return problem.inline()


def _meta(written: Written, given: Options) -> dict[str, Any]:
    """Answer for one document. What ``overwriteMode=ignore`` has found is shown without ``old``, new is null."""
    shown = written.new or written.old or {}
    meta = {each: shown[each] for each in ("_id", "_key", "_rev")}
    changed = written.old is not None and written.new is not None
    if changed and written.old:
        meta["_oldRev"] = written.old["_rev"]
    if given.flag("returnNew"):
        meta["new"] = written.new
    if given.flag("returnOld") and (changed or given.text("overwriteMode") != "ignore") and written.old:
        meta["old"] = written.old
    return meta


def _error_codes(results: list[dict[str, Any]]) -> dict[str, str]:
    counted = Counter(str(each["errorNum"]) for each in results if each.get("error"))
    return {"x-arango-error-codes": json.dumps(counted)} if counted else {}


def _options(given: Options, mode: OverwriteMode = "conflict", revision: str | None = None) -> WriteOptions:
    return WriteOptions(
        mode,
        keep_null=given.flag("keepNull", True),
        merge_objects=given.flag("mergeObjects", True),
        ignore_revs=given.flag("ignoreRevs", True) and revision is None,
    )


def _waiting(options: WriteOptions, request: Request, *, many: bool) -> WriteOptions:
    """A single document outside of a transaction waits a second for its lock; everybody else fails at once."""
    if many or request.transaction_id is not None:
        return options
    return WriteOptions(
        options.overwrite_mode, options.keep_null, options.merge_objects, options.ignore_revs, SINGLE_WAIT
    )


def _array(request: Request) -> list[Any]:
    body = request.json()
    if not isinstance(body, list):
        raise ArangoProblem(1227)
    return body


def _key_of(item: Any) -> str:
    """From a key, an id, or an object with one of them."""
    named: Mapping[str, Any] = item if isinstance(item, dict) else {"_key": item}
    key = named.get("_key") or str(named.get("_id", "")).rpartition("/")[2]
    if not isinstance(key, str):
        raise ArangoProblem(1205)
    if not key:
        raise ArangoProblem(1226)
    return key.rpartition("/")[2]
