"""Requests and responses, and strict reading of what a request says."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.doubles.arangodb.errors import ArangoProblem, Unknown

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


@dataclass(slots=True)
class Request:
    method: str
    database: str
    path: str
    """Without the part that names the database."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in small letters."""
    raw: bytes = b""
    user: str = ""

    def json(self) -> Any:
        """Raises 600 for a body that is no JSON."""
        try:
            return json.loads(self.raw)
        except ValueError as error:
            raise ArangoProblem(600, str(error)) from error

    def object(self, known: Collection[str]) -> dict[str, Any]:
        """A body that is an object with no other attributes than these. Raises 10 and Unknown."""
        found = self.json()
        if not isinstance(found, dict):
            raise ArangoProblem(10, "expecting an object")
        _refuse_others(found, known, f"{self.method} {self.path}")
        return found

    def options(self, *known: str) -> Options:
        """The part after the question mark. Raises Unknown for a name that is not ``known``."""
        _refuse_others(self.query, known, f"{self.method} {self.path}")
        return Options(self.query)

    @property
    def transaction_id(self) -> str | None:
        return self.headers.get("x-arango-trx-id")

    def revision(self, header: str) -> str | None:
        """The revision in If-Match or If-None-Match, without its quotes."""
        found = self.headers.get(header)
        return None if found is None else found.strip().strip('"')


@dataclass(frozen=True, slots=True)
class Options:
    given: Mapping[str, str]

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.given.get(name)
        if value is None:
            return default
        if value.lower() not in _TRUE | _FALSE:
            raise ArangoProblem(10, f"{name}={value}")
        return value.lower() in _TRUE

    def text(self, name: str, default: str = "") -> str:
        return self.given.get(name, default)


@dataclass(slots=True)
class Response:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()


def answer(body: Mapping[str, Any], code: int = 200) -> Response:
    """The usual shape of answers that are no documents."""
    return Response(code, {"error": False, "code": code, **body})


def problem(error: ArangoProblem) -> Response:
    return Response(error.status, error.body())


def _refuse_others(given: Mapping[str, Any], known: Collection[str], where: str) -> None:
    if others := sorted(given.keys() - set(known)):
        raise Unknown(f"{', '.join(others)} in {where}")
