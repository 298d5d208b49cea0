"""The barrier of a shared profile store: while it stands nothing is committed, so that a dump is one moment.

Processors wait at it and go on by themselves when it is lifted or has expired; what is accepted meanwhile waits in the
log. It is a part of the store, so a dump that was made under it holds it: its mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from leocdp.ports.profile_store import StoreError


@dataclass(frozen=True, slots=True)
class Barrier:
    """Times in ms UTC."""

    id: str
    since: int
    """When it was asked for."""
    until: int
    """When it expires, so that a backup that died does not stop processing for ever."""
    version: str
    """Of the program that set it."""


class BarrierRefused(StoreError):
    """Another one stands, or the one that was asked for does not; the message says which."""

    code = "barrier_refused"


class BarrierControl(Protocol):
    """All raise StoreUnavailable as a store does."""

    async def start(self) -> None:
        """Connects nowhere. Idempotent."""

    async def close(self) -> None:
        """Idempotent."""

    async def set(self, barrier: Barrier) -> None:
        """From the return on nothing is committed, also nothing that was under way. Raises BarrierRefused when another
        one stands at ``barrier.since``."""

    async def lift(self, barrier_id: str = "") -> bool:
        """Whether there was something to lift, expired or not. Raises BarrierRefused when another one than that of the
        id is there."""

    async def current(self) -> Barrier | None:
        """The one that was set last and not lifted. An expired one is there until something is committed."""
