"""The format of a store: which version of its schema it has, and which one this build knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreFormat:
    name: str
    """``log``, ``profiles`` or ``admin``."""
    place: str
    """Path of the file, or address of the database."""
    version: int | None
    """None: there is no store yet, or nothing in it."""
    known: int
    problem: str = ""
    """Why the version could not be read."""

    @property
    def current(self) -> bool:
        """What a newer build has made still serves this one, or it would be a problem."""
        return not self.problem and self.version is not None and self.version >= self.known
