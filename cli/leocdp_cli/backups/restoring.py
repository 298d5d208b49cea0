"""Putting the files of a backup in their place, while nothing runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from leocdp.adapters.sqlite import copies
from leocdp.adapters.sqlite.profiles.lock import StoreLock
from leocdp.kit.serve import CannotStart
from leocdp.ports.profile_store import StoreInUse
from leocdp_cli.backups.manifest import FileEntry, Manifest, Name, belong, checked
from leocdp_cli.failure import CommandFailed
from leocdp_cli.supervisor.data_dir import DataDirLock

DRAFT: Final = ".restoring"
READY: Final = ".restored"
"""A whole copy that is about to take its place: where one is left, a restore was killed half-way."""
STOP: Final = "A restore needs the services stopped. Nothing was changed."


def restore(
    backup: Path, places: Mapping[Name, Path], names: Sequence[Name], *, replace: bool, stamp: str
) -> tuple[Manifest, Sequence[Path]]:
    """Write the files ``names`` of the backup to ``places``; (the manifest, former files that were put aside).

    Everything is checked and copied beside its place before anything is moved, so that a restore which fails leaves
    things as they were. One that is killed while it moves is completed by another one; until then ``unfinished`` finds
    it. Raises CommandFailed: a backup that is not whole, services that run, files in the way without ``replace``, files
    that would not go with those that stay.
    """
    manifest = checked(backup, names)
    wanted = {name: places[name] for name in names or manifest.files}
    with _nobody_at_work(wanted):
        if left := [name for name in unfinished(places) if name not in wanted]:
            raise CommandFailed(f"A restore was killed before it was done with {', '.join(left)}: restore that too.")
        there = [path for path in wanted.values() if path.exists()]
        if there and not replace:
            raise CommandFailed(
                f"{there[0]} is there already. --replace puts it aside, under another name in the same folder."
            )
        _goes_with_what_stays(manifest, wanted, places)
        for path in there:
            _settled(path)
        _drafts(backup, wanted)
        for path in wanted.values():
            _beside(path, DRAFT).rename(_beside(path, READY))
            copies.synced(path.parent)
        aside = [moved for path in wanted.values() for moved in _put(path, stamp)]
    return manifest, aside


def unfinished(places: Mapping[Name, Path]) -> list[Name]:
    """The files that a killed restore may not have put in their place."""
    return [name for name, path in places.items() if _beside(path, READY).exists()]


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _put(path: Path, stamp: str) -> Sequence[Path]:
    """The copy takes its place as soon as what was there has left it, with all that SQLite would add to the copy."""
    moved = copies.set_aside(path, stamp)
    _beside(path, READY).rename(path)
    copies.synced(path.parent)
    return moved


@contextmanager
def _nobody_at_work(wanted: Mapping[Name, Path]) -> Iterator[None]:
    """Holds what ``leocdp run`` and the processor take before they begin, in every folder that is written to."""
    locks: list[DataDirLock | StoreLock] = []
    try:
        for folder in sorted({path.parent for path in wanted.values()}):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            locks.append(supervisor := DataDirLock(folder))
            supervisor.acquire()
        if "profiles" in wanted:
            # Also finds a processor whose file was removed or damaged under it.
            locks.append(processor := StoreLock(wanted["profiles"], make_folder=False))
            processor.take()
        yield
    except CannotStart as error:
        # What is in the way was said when the lock was tried.
        raise CommandFailed(STOP) from error
    except StoreInUse as error:
        raise CommandFailed(f"{wanted['profiles']} is in use by a processor. {STOP}") from error
    except OSError as error:
        raise CommandFailed(f"The backup could not be put in its place: {error}. Nothing was replaced.") from error
    finally:
        for lock in locks:
            lock.release()


def _goes_with_what_stays(manifest: Manifest, wanted: Mapping[Name, Path], places: Mapping[Name, Path]) -> None:
    """Profiles into a folder with another log, or a log that is behind the profiles there, would be of no use."""

    def after(name: Name) -> FileEntry | copies.Contents | None:
        if name in wanted:
            return manifest.files[name]
        if name not in places or not places[name].exists():
            return None
        try:
            return copies.contents(name, places[name])
        except copies.CopyFailed as error:
            raise CommandFailed(f"{error} Restore it too.") from error

    if "profiles" in wanted or "log" in wanted:
        try:
            belong(after("profiles"), after("log"))
        except CommandFailed as failed:
            raise CommandFailed(
                f"After this restore they would not fit: {failed} Restore profiles and log from one backup."
            ) from failed


def _settled(path: Path) -> None:
    try:
        copies.settle(path)
    except copies.InUse as error:
        raise CommandFailed(f"{error} {STOP}") from error


def _drafts(backup: Path, wanted: Mapping[Name, Path]) -> None:
    """Whole copies beside their places, on the disk. Those of a restore that was killed are overwritten."""
    for name, path in wanted.items():
        draft = _beside(path, DRAFT)
        try:
            draft.unlink(missing_ok=True)
            with (backup / f"{name}.db").open("rb") as source:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
            copies.synced(draft)
        except OSError:
            for each in wanted.values():
                _beside(each, DRAFT).unlink(missing_ok=True)
            raise
