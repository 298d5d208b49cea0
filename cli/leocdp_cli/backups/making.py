"""Making a backup beside running services, and removing old ones."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from leocdp.adapters.sqlite import copies
from leocdp_cli.backups.keeping import STAMP, Keep, remove_old
from leocdp_cli.backups.manifest import MANIFEST, NAMES, FileEntry, Manifest, Name, entry_of, fits
from leocdp_cli.failure import CommandFailed

SPARE: Final = 64 << 20
"""Bytes that must stay free on the target's disk."""
PARTIAL: Final = ".partial"


def make(
    sources: Mapping[Name, Path], target: Path, *, keep: Keep, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[Path, Manifest, Sequence[Path]]:
    """Copy the files into a new folder of ``target``; (the folder, its manifest, old backups that were removed).

    The folder has its name only when every copy is on the disk and checked; then older backups of the same files may
    go. Raises CommandFailed; then nothing is left of the attempt and nothing was removed.
    """
    names: list[Name] = [name for name in NAMES if name in sources]
    _room(sources, target)
    began = now()
    kind = "" if len(names) == len(NAMES) else f"-{'-'.join(names)}"
    folder = target / f"leocdp{kind}-{began.strftime(STAMP)}"
    with _alone(target), _draft(folder) as draft:
        files: dict[Name, FileEntry] = {}
        for name in names:
            _copied(sources[name], draft / f"{name}.db")
        for name in names:
            files[name] = entry_of(name, draft / f"{name}.db")
        fits(files)
        manifest = Manifest(version=version("leocdp-cli"), began_at=_text(began), ended_at=_text(now()), files=files)
        _write(draft / MANIFEST, manifest.model_dump_json(indent=2))
        copies.synced(draft)
        draft.rename(folder)
        copies.synced(target)
        return folder, manifest, remove_old(folder, f"leocdp{kind}-", names, keep, began)


def _room(sources: Mapping[Name, Path], target: Path) -> None:
    for path in sources.values():
        if not path.exists():
            raise CommandFailed(
                f"There is no {path}. Check LEOCDP_DATA_DIR; a new installation has nothing to back up."
            )
    for home in {path.resolve().parent for path in sources.values()}:
        if target.resolve().is_relative_to(home):
            raise CommandFailed(f"{target} is in the data folder, and lost together with it. Choose another disk.")
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(target).free
    except OSError as error:
        raise CommandFailed(f"{target} cannot be used ({error.strerror}). Choose another folder.") from error
    needed = sum(_size(path) for path in sources.values()) + SPARE
    if free < needed:
        raise CommandFailed(
            f"{target} has {free >> 20:,} MiB free, and the backup needs {needed >> 20:,} MiB. Make room, or choose "
            "another folder. Nothing was written."
        )


def _size(path: Path) -> int:
    return sum(part.stat().st_size for end in ("", "-wal") if (part := path.with_name(path.name + end)).exists())


def _copied(source: Path, target: Path) -> None:
    try:
        copies.copy_online(source, target)
    except copies.CopyFailed as error:
        raise CommandFailed(f"{error} No backup was made.") from error


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """One backup into a folder at a time; the system releases the lock, also after a crash."""
    try:
        descriptor = os.open(target / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written to ({error.strerror}). Choose another folder.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise CommandFailed(f"Another backup into {target} is under way.") from error
    finally:
        os.close(descriptor)


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder that is gone when something goes wrong; those of attempts that were killed go now."""
    for left in folder.parent.glob(f"leocdp*{PARTIAL}"):
        shutil.rmtree(left)
    draft = folder.with_name(folder.name + PARTIAL)
    try:
        if folder.exists():
            raise CommandFailed(f"{folder} is there already. Wait a second and try again.")
        draft.mkdir(mode=0o700)
        yield draft
    except OSError as error:
        raise CommandFailed(f"The backup could not be written to {folder.parent}: {error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
