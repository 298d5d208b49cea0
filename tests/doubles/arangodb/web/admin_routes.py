"""The server itself: version, availability, users and their grants."""

from __future__ import annotations

from tests.doubles.arangodb.errors import ArangoProblem
from tests.doubles.arangodb.web.message import Request, Response, answer
from tests.doubles.arangodb.web.router import route
from tests.doubles.arangodb.web.users import Grant, User
from tests.doubles.arangodb.web.work import Server

_GRANTS: dict[str, Grant] = {"none": "none", "ro": "ro", "rw": "rw"}


@route("server.version", "GET", "/_api/version")
def version(server: Server, request: Request) -> Response:
    details: dict[str, object] = {"details": {}} if request.options("details").flag("details") else {}
    return Response(200, {"server": "arango", "license": "community", "version": server.version, **details})


@route("server.available", "GET", "/_admin/server/availability")
def availability(server: Server, request: Request) -> Response:
    return answer({"mode": "default"})


@route("server.role", "GET", "/_admin/server/role")
def role(server: Server, request: Request) -> Response:
    return answer({"role": server.role})


@route("user.login", "POST", "/_open/auth")
def login(server: Server, request: Request) -> Response:
    wanted = request.object(("username", "password"))
    return Response(200, {"jwt": server.users.login(str(wanted["username"]), str(wanted["password"]))})


@route("user.list", "GET", "/_api/user")
def users(server: Server, request: Request) -> Response:
    return answer({"result": [_shown(each) for each in server.users.by_name.values()]})


@route("user.create", "POST", "/_api/user")
def create_user(server: Server, request: Request) -> Response:
    wanted = request.object(("user", "passwd", "active", "extra"))
    server.users.require_database(request.user, "_system", "rw")
    name = str(wanted["user"])
    if name in server.users.by_name:
        raise ArangoProblem(1702, name)
    server.users.by_name[name] = User(name, str(wanted.get("passwd", "")), wanted.get("active") is not False)
    return answer(_shown(server.users.by_name[name]), 201)


@route("user.read", "GET", "/_api/user/{name}")
def read_user(server: Server, request: Request, name: str) -> Response:
    return answer(_shown(server.users.find(name)))


@route("user.update", "PATCH", "/_api/user/{name}")
def update_user(server: Server, request: Request, name: str) -> Response:
    wanted = request.object(("passwd", "active", "extra"))
    server.users.require_database(request.user, "_system", "rw")
    user = server.users.find(name)
    user.password = str(wanted.get("passwd", user.password))
    if wanted.get("active") is not None:
        user.active = bool(wanted["active"])
    return answer(_shown(user))


@route("user.grants", "GET", "/_api/user/{name}/database")
def grants(server: Server, request: Request, name: str) -> Response:
    request.options("full")
    user = server.users.find(name)
    return answer({"result": {each: user.grant(each) for each in server.databases}})


@route("user.grant", "PUT", "/_api/user/{name}/database/{database}")
def grant(server: Server, request: Request, name: str, database: str) -> Response:
    return _grant(server, request, name, database)


@route("user.grant", "PUT", "/_api/user/{name}/database/{database}/{collection}")
def grant_collection(server: Server, request: Request, name: str, database: str, collection: str) -> Response:
    return _grant(server, request, name, f"{database}/{collection}")


@route("user.granted", "GET", "/_api/user/{name}/database/{database}")
def granted(server: Server, request: Request, name: str, database: str) -> Response:
    return answer({"result": server.users.find(name).grant(database)})


def _grant(server: Server, request: Request, name: str, place: str) -> Response:
    server.users.require_database(request.user, "_system", "rw")
    wanted = request.object(("grant",))
    level = _GRANTS.get(str(wanted.get("grant")))
    if level is None:
        raise ArangoProblem(10, "grant must be none, ro or rw")
    server.users.find(name).grants[place] = level
    return answer({place: level})


def _shown(user: User) -> dict[str, object]:
    return {"user": user.name, "active": user.active, "extra": {}}
