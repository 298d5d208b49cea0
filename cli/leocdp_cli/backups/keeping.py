"""Which backups stay when a new one is whole."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from leocdp_cli.backups.manifest import Name, read
from leocdp_cli.failure import CommandFailed

STAMP: Final = "%Y%m%dT%H%M%SZ"
"""Of the moment a backup began, in UTC, in the name of its folder."""


@dataclass(frozen=True, slots=True)
class Keep:
    """So many of the newest, or those of so many days. The one that was just made stays in any case."""

    count: int | None = None
    days: int | None = None

    def too_old(self, older: Sequence[Path], now: datetime) -> Sequence[Path]:
        """Of ``older``, the backups before the new one, newest first."""
        if self.days is not None:
            limit = now - timedelta(days=self.days)
            return [path for path in older if _made_at(path) < limit]
        return older if self.count is None else older[max(0, self.count - 1) :]


def remove_old(newest: Path, prefix: str, names: Sequence[Name], keep: Keep, now: datetime) -> Sequence[Path]:
    """Remove what is too old of the same kind as ``newest``; what has no readable manifest is not ours to remove."""
    older = [path for path in newest.parent.glob(f"{prefix}*") if path.name < newest.name and _is_of(path, names)]
    gone = keep.too_old(sorted(older, key=lambda path: path.name, reverse=True), now)
    for path in gone:
        shutil.rmtree(path)
    return gone


def _is_of(path: Path, names: Sequence[Name]) -> bool:
    try:
        _made_at(path)
        return set(read(path).files) == set(names)
    except (CommandFailed, ValueError):
        return False


def _made_at(path: Path) -> datetime:
    """Raises ValueError for a folder of another name, such as one that is not whole yet."""
    return datetime.strptime(path.name.rpartition("-")[2], STAMP).replace(tzinfo=UTC)
