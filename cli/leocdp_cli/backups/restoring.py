"""Putting the files of a backup in their place, while nothing runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from leocdp.adapters.sqlite import copies
from leocdp.kit.serve import CannotStart
from leocdp_cli.backups.manifest import Manifest, Name, checked
from leocdp_cli.failure import CommandFailed
from leocdp_cli.supervisor.data_dir import DataDirLock

DRAFT = ".restoring"


def restore(
    backup: Path, places: Mapping[Name, Path], names: Sequence[Name], *, replace: bool, stamp: str
) -> tuple[Manifest, Sequence[Path]]:
    """Write the files ``names`` of the backup to ``places``; (the manifest, former files that were put aside).

    Everything is checked and copied beside its place before anything is moved, so that a restore which fails leaves
    things as they were. Raises CommandFailed: a backup that is not whole, services that run, files in the way without
    ``replace``.
    """
    manifest = checked(backup, names)
    wanted = {name: places[name] for name in names or manifest.files}
    with _nobody_at_work(wanted):
        there = [path for path in wanted.values() if path.exists()]
        if there and not replace:
            raise CommandFailed(
                f"{there[0]} is there already. --replace puts it aside, under another name in the same folder."
            )
        for path in there:
            _settled(path)
        _drafts(backup, wanted)
        aside = [copies.set_aside(path, stamp) for path in wanted.values() if path.exists()]
        for path in wanted.values():
            path.with_name(path.name + DRAFT).rename(path)
            copies.synced(path.parent)
    return manifest, aside


@contextmanager
def _nobody_at_work(wanted: Mapping[Name, Path]) -> Iterator[None]:
    """Holds what ``leocdp run`` takes before it starts anything, in every folder that is written to."""
    locks: list[DataDirLock] = []
    try:
        for folder in sorted({path.parent for path in wanted.values()}):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = DataDirLock(folder)
            lock.acquire()
            locks.append(lock)
        yield
    except CannotStart as error:
        # What is in the way was said when the lock was tried.
        raise CommandFailed("A restore needs the services stopped. Nothing was changed.") from error
    except OSError as error:
        raise CommandFailed(f"The backup could not be put in its place: {error}. Nothing was replaced.") from error
    finally:
        for lock in locks:
            lock.release()


def _settled(path: Path) -> None:
    try:
        copies.settle(path)
    except copies.InUse as error:
        raise CommandFailed(f"{error} Stop the services first. Nothing was changed.") from error


def _drafts(backup: Path, wanted: Mapping[Name, Path]) -> None:
    """Whole copies beside their places, on the disk. Those of a restore that was killed are overwritten."""
    for name, path in wanted.items():
        draft = path.with_name(path.name + DRAFT)
        try:
            draft.unlink(missing_ok=True)
            with (backup / f"{name}.db").open("rb") as source:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
            copies.synced(draft)
        except OSError:
            for each in wanted.values():
                each.with_name(each.name + DRAFT).unlink(missing_ok=True)
            raise
