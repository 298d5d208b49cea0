"""Users, their passwords and grants, and how a request proves who it is from."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from dataclasses import dataclass, field
from typing import Final, Literal

import jwt

from tests.doubles.arangodb.errors import ArangoProblem
from tests.doubles.arangodb.storage.transaction import Access

Grant = Literal["none", "ro", "rw"]
_SECRET: Final = "a secret of the double, long enough for HS256"


@dataclass(slots=True)
class User:
    name: str
    password: str
    active: bool = True
    grants: dict[str, Grant] = field(default_factory=dict)
    """``database`` or ``database/collection``, ``*`` for all others."""

    def grant(self, database: str, collection: str | None = None) -> Grant:
        """The most specific one; a database's is the default of its collections."""
        wanted = [f"{database}/{collection}", f"{database}/*"] if collection else []
        return next((self.grants[each] for each in [*wanted, database, "*"] if each in self.grants), "none")


class Users:
    def __init__(self, password: str, token_seconds: int = 3_600) -> None:
        self.by_name = {"root": User("root", password, grants={"*": "rw"})}
        self.token_seconds = token_seconds

    def find(self, name: str) -> User:
        if name not in self.by_name:
            raise ArangoProblem(1703, name)
        return self.by_name[name]

    def login(self, name: str, password: str) -> str:
        """A token. Raises 401 for a wrong password."""
        self._check(name, password)
        now = int(time.time())
        claims = {"preferred_username": name, "iss": "arangodb", "iat": now, "exp": now + self.token_seconds}
        return jwt.encode(claims, _SECRET, algorithm="HS256")

    def authenticate(self, header: str) -> str:
        """The user's name, from the header Authorization. Raises 401."""
        scheme, _, given = header.partition(" ")
        try:
            if scheme.lower() == "bearer":
                return self._active(str(jwt.decode(given, _SECRET, ["HS256"])["preferred_username"]))
            if scheme.lower() == "basic":
                name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
                return self._check(name, password)
        except (jwt.InvalidTokenError, binascii.Error, UnicodeDecodeError) as error:
            raise _not_authorized() from error
        raise _not_authorized()

    def _check(self, name: str, password: str) -> str:
        user = self.by_name.get(name)
        if user is None or not hmac.compare_digest(user.password.encode(), password.encode()):
            raise _not_authorized()
        return self._active(name)

    def _active(self, name: str) -> str:
        if name not in self.by_name or not self.by_name[name].active:
            raise _not_authorized()
        return name

    def require_database(self, name: str, database: str, wanted: Grant) -> None:
        """Raises 401 for a database that the user may not see, 403 for one that it may not change."""
        held = self.by_name[name].grant(database)
        if held == "none":
            raise _not_authorized()
        if wanted == "rw" and held != "rw":
            raise ArangoProblem(11)

    def require_collection(self, name: str, database: str, collection: str, access: Access) -> None:
        """Raises 11 without any grant, 1004 for a write where reading is all that is granted."""
        held = self.by_name[name].grant(database, collection)
        if held == "none":
            raise ArangoProblem(11, collection)
        if access != "read" and held != "rw":
            raise ArangoProblem(1004, collection)


def _not_authorized() -> ArangoProblem:
    return ArangoProblem(11, "not authorized to execute this request", status=401)
