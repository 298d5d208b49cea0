"""What operators are told about stores: the version of a schema and the one this build knows, and what was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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


@dataclass(frozen=True, slots=True)
class Provided:
    """A database or a user that the settings name, and that is there now."""

    kind: Literal["database", "user"]
    name: str
    new: bool
