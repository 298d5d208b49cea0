"""The data folder: made once, with its secrets, and used by one supervisor at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from leocdp.kit.serve import CannotStart

GATEWAY_SECRET = "gateway_secret"  # noqa: S105 - the name of a file
ERASURE_KEY = "erasure_key"
QUICKSTART_KEY = "quickstart_write_key"
LOGIN_LINK = "login_link"


def prepare(data_dir: Path) -> Path:
    """Make the folder, readable by its owner only, and return it as an absolute path. Raises CannotStart."""
    folder = data_dir.expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"Cannot make the data folder {folder} ({error.strerror}). Choose another one with LEOCDP_DATA_DIR."
        ) from error
    return folder


def secret_file(data_dir: Path, name: str, prefix: str = "") -> Path:
    """The file ``secrets/<name>`` with ``prefix`` and 256 random bits, made on first use with mode 0600.

    Two processes that come at the same time get the same one: the file appears whole or not at all.
    """
    path = data_dir / "secrets" / name
    if path.exists():
        return path
    draft = path.with_name(f".{name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(prefix + secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return path
    finally:
        draft.unlink()
    return path


class DataDirLock:
    """Held while a supervisor works on a data folder; the system releases it, also after a crash."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "supervisor.lock"
        self._file: int | None = None

    def acquire(self) -> None:
        """Raises CannotStart when another supervisor has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise CannotStart(
                f"LEO CDP already runs on {self._path.parent} (process {holder or 'unknown'}). "
                "Stop it there, or choose another folder with LEOCDP_DATA_DIR."
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._file = descriptor

    def release(self) -> None:
        """Idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
