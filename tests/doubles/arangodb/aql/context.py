"""What a running query has at hand, and the shape of compiled parts."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.doubles.arangodb.aql.collation import ORDERS
from tests.doubles.arangodb.aql.values import comparer
from tests.doubles.arangodb.errors import ArangoProblem

Row = dict[str, Any]
"""Variables by name."""


class Data(Protocol):
    """The documents that a query reads and writes: the inside of a transaction."""

    def is_collection(self, collection: str) -> bool: ...

    def documents(self, collection: str) -> Iterator[dict[str, Any]]:
        """In no order that anybody may rely on."""

    def matching(self, collection: str, path: str, values: list[Any]) -> Iterator[dict[str, Any]]:
        """Documents among which are all that have one of these values at the path, in no order either."""

    def document(self, collection: str, key: str) -> dict[str, Any] | None: ...

    def has_index(self, collection: str, name: str) -> bool: ...

    def modify(
        self, kind: str, collection: str, subject: Any, patch: Any, options: Mapping[str, Any]
    ) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """One INSERT, UPDATE, REPLACE or REMOVE. Returns (OLD, NEW)."""


@dataclass(slots=True)
class Context:
    data: Data
    bind_vars: Mapping[str, Any]
    now: Callable[[], int]
    """ms UTC."""
    language: str = "en_US"
    warnings: list[tuple[int, str]] = field(default_factory=list)
    writes: int = 0
    ignored: int = 0
    scanned: int = 0
    sets: dict[int, tuple[list[Any], set[Hashable]]] = field(default_factory=dict)
    """Long arrays that IN has looked into, by identity, with what is in them."""
    random: random.Random = field(default_factory=lambda: random.Random(0))
    compare: Callable[[Any, Any], int] = field(init=False)

    def __post_init__(self) -> None:
        self.compare = comparer(ORDERS[self.language])

    def warn(self, number: int, detail: str = "") -> None:
        """The query goes on, unless it was started with failOnWarning."""
        self.warnings.append((number, ArangoProblem(number, detail).message))


Value = Callable[[Context, Row], Any]
"""A compiled expression."""
Stage = Callable[[Context, Iterator[Row]], Iterator[Row]]
"""A compiled statement: rows in, rows out."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Variables that the text at hand can see while it is compiled."""

    variables: frozenset[str] = frozenset()
    outer: frozenset[str] = frozenset()
    """Those of the query around a subquery: COLLECT leaves them alone."""

    def declare(self, *names: str) -> Scope:
        for each in names:
            if each in self.variables:
                raise ArangoProblem(1511, f"variable '{each}'")
        return Scope(self.variables | set(names), self.outer)

    def inner(self) -> Scope:
        """The scope at the beginning of a subquery."""
        return Scope(self.variables, self.variables)

    def collected(self, *names: str) -> Scope:
        """After COLLECT: only outer variables and what it makes."""
        return Scope(self.outer, self.outer).declare(*names)

    @property
    def own(self) -> frozenset[str]:
        return self.variables - self.outer
