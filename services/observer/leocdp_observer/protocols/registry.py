"""Every collection route there is."""

from __future__ import annotations

from typing import Final

from leocdp_observer.protocols import pixel, segment
from leocdp_observer.protocols.wire import Route

ROUTES: Final[tuple[Route, ...]] = (*segment.ROUTES, *pixel.ROUTES)


def by_path() -> dict[str, Route]:
    """Each path has one method. Raises ValueError when two protocols claim the same path."""
    found: dict[str, Route] = {}
    for route in ROUTES:
        if route.path in found:
            raise ValueError(f"{route.path} belongs to two protocols")
        found[route.path] = route
    return found
