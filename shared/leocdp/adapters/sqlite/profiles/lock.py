"""One processor at a time on an embedded store: an advisory lock that the system releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from leocdp.ports.profile_store import StoreInUse, StoreUnavailable


class StoreLock:
    """``flock`` on ``<file>.lock``. The file stays; only the lock on it counts."""

    def __init__(self, store: Path, make_folder: bool) -> None:
        self._store = store
        self._make_folder = make_folder
        self._path = store.with_name(store.name + ".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Raises StoreInUse when another process has it, StoreUnavailable when the folder cannot be written."""
        try:
            if self._make_folder:
                self._store.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(
                f"Cannot make {self._path} ({error.strerror}): check that the folder exists and that this user may "
                "write to it, or set LEOCDP_DATA_DIR."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise StoreInUse(
                f"Another processor is at work on {self._store}: an embedded store has one at a time. Stop the other "
                "one, or use the distributed engine (LEOCDP_STORE_URL=arangodb://…) for several."
            ) from error
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
