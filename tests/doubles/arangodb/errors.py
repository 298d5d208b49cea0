"""What goes wrong, in ArangoDB's own numbers, and what the double refuses because it does not know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NUMBERS: Final[Mapping[int, tuple[int, str]]] = {
    4: (500, "internal error"),
    9: (501, "not implemented"),
    10: (400, "bad parameter"),
    11: (403, "forbidden"),
    18: (500, "timeout waiting to lock"),
    28: (500, "locked"),
    29: (500, "deadlock detected"),
    30: (503, "shutdown in progress"),
    32: (500, "resource limit exceeded"),
    38: (503, "starting up"),
    400: (400, "bad parameter"),
    404: (404, "not found"),
    503: (503, "service unavailable"),
    600: (400, "invalid JSON"),
    1004: (403, "collection is read-only"),
    1200: (409, "conflict"),
    1202: (404, "document not found"),
    1203: (404, "collection or view not found"),
    1205: (400, "illegal document identifier"),
    1206: (409, "duplicate identifier"),
    1207: (409, "duplicate name"),
    1208: (400, "illegal name"),
    1210: (409, "unique constraint violated"),
    1212: (404, "index not found"),
    1221: (400, "illegal document key"),
    1226: (400, "missing document key"),
    1227: (400, "invalid document type"),
    1228: (404, "database not found"),
    1233: (400, "edge attribute missing or invalid"),
    1485: (400, "collection must not be dropped, others distribute their shards like it"),
    1501: (400, "syntax error"),
    1502: (400, "query is empty"),
    1504: (400, "number out of range"),
    1511: (400, "variable is assigned multiple times"),
    1302: (500, "try again"),
    1429: (503, "write concern not fulfilled"),
    1457: (500, "timeout in cluster operation"),
    1465: (503, "lost connection to another server"),
    1478: (503, "backend not available"),
    1495: (503, "leader has changed"),
    1500: (410, "query killed"),
    1512: (400, "unknown variable"),
    1540: (400, "usage of unknown function"),
    1541: (400, "invalid number of arguments for function"),
    1542: (400, "invalid argument type in call to function"),
    1551: (400, "no value specified for declared bind parameter"),
    1552: (400, "bind parameter was not declared in the query"),
    1553: (400, "bind parameter has an invalid value or type"),
    1561: (400, "invalid arithmetic value"),
    1562: (400, "division by zero"),
    1563: (400, "array expected"),
    1569: (400, "FAIL called"),
    1573: (400, "multi-modify query"),
    1575: (400, "query options must be readable at query compile time"),
    1577: (500, "could not use forced index hint"),
    1579: (400, "access after data-modification"),
    1600: (404, "cursor not found"),
    1652: (400, "unregistered collection used in transaction"),
    1653: (400, "disallowed operation inside transaction"),
    1654: (410, "transaction aborted"),
    1655: (404, "transaction not found"),
    1702: (409, "duplicate user"),
    1703: (404, "user not found"),
    21003: (503, "queue is full"),
    21004: (412, "time in the queue would be too long"),
}
"""Error number → HTTP status, and the beginning of the message."""


class ArangoProblem(Exception):
    """An error that the server answers with. ``extra`` are attributes that its body has besides the usual four."""

    def __init__(
        self, number: int, detail: str = "", *, status: int | None = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        usual, words = NUMBERS[number]
        self.number = number
        self.status = usual if status is None else status
        self.message = f"{words} - {detail}" if detail else words
        self.extra = dict(extra or {})
        super().__init__(f"[{self.status}][{number}] {self.message}")

    def body(self) -> dict[str, Any]:
        head = {"error": True, "code": self.status, "errorNum": self.number, "errorMessage": self.message}
        return {**head, **self.extra}

    def inline(self) -> dict[str, Any]:
        """The item in the answer to a request with several documents; it carries no ``_id``."""
        return {"error": True, "errorNum": self.number, "errorMessage": self.message}


class Unknown(ArangoProblem):
    """The double does not know this route, option, clause or function. It says so loudly: 501, and the test fails."""

    def __init__(self, what: str) -> None:
        super().__init__(9, f"the double does not know {what}")
