"""How a function is written down: name in AQL, fewest and most arguments, body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.doubles.arangodb.aql.context import Context

Body = Callable[..., Any]
MANY = 1_000


@dataclass(frozen=True, slots=True)
class Function:
    """``body(ctx, *arguments)``; arguments of another type than wanted give null, mostly with warning 1542."""

    fewest: int
    most: int
    body: Body


TABLE: dict[str, Function] = {}


def function(names: str, fewest: int, most: int | None = None) -> Callable[[Body], Body]:
    """Registers the body under each of the names, which blanks separate."""

    def register(body: Body) -> Body:
        for each in names.split():
            TABLE[each] = Function(fewest, fewest if most is None else most, body)
        return body

    return register


def wrong_type(ctx: Context, name: str) -> None:
    """For bodies to return: null, with warning 1542."""
    ctx.warn(1542, f"{name}()")
