"""A backup on the disk: a folder named by kind and time, the copies, and ``manifest.json``, which is written last."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leocdp.adapters.sqlite import copies
from leocdp.adapters.sqlite.formats import KNOWN
from leocdp_cli.failure import CommandFailed

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
NAMES: Final = ("profiles", "log", "admin")
"""In the order of copying: the log must not be behind what the profiles have read of it, and admin's copy of the ledger
of erasures not older than theirs."""

Name = Literal["profiles", "log", "admin"]
Look = Callable[[str, Path], copies.Contents]


class FileEntry(BaseModel):
    """One copy, ``<name>.db``."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    schema_version: int
    log_id: str = ""
    offsets: Mapping[str, int] = Field(default_factory=dict)
    """``topic/partition`` → where the log ends, or how far the profiles have read it."""
    counts: Mapping[str, int] = Field(default_factory=dict)


class Manifest(BaseModel):
    model_config = ConfigDict(frozen=True)

    format: Literal[1] = FORMAT
    product: Literal["leocdp"] = "leocdp"
    version: str
    """Of the program that made the backup."""
    began_at: str
    """RFC 3339, UTC: nothing that was accepted before is missing."""
    ended_at: str
    files: Mapping[Name, FileEntry]

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.files.values())


def read(folder: Path) -> Manifest:
    """Raises CommandFailed."""
    path = folder / MANIFEST
    if not path.exists():
        inside = sorted(each.parent.name for each in folder.glob(f"*/{MANIFEST}"))
        hint = f" It holds backups: name one, for example {folder / inside[-1]}." if inside else ""
        raise CommandFailed(f"{folder} is not a whole backup: it has no {MANIFEST}.{hint}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and data.get("format") not in (None, FORMAT):
            raise CommandFailed(
                f"{path} is of format {data['format']}; this version knows {FORMAT}. Use the version that made it: "
                f"{data.get('version', 'unknown')}."
            )
        return Manifest.model_validate(data)
    except (OSError, ValueError, ValidationError) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from error


def checked(folder: Path, names: Sequence[Name] = ()) -> Manifest:
    """The manifest, after every file (or those of ``names``) was held against it. Raises CommandFailed."""
    manifest = read(folder)
    missing = [name for name in names if name not in manifest.files]
    if missing:
        raise CommandFailed(f"{folder} has no {missing[0]}.db: it was made of {', '.join(manifest.files)} only.")
    for name in names or manifest.files:
        _same(folder / f"{name}.db", name, manifest.files[name])
    fits(manifest.files)
    return manifest


def _same(path: Path, name: str, entry: FileEntry) -> None:
    if not path.exists():
        raise CommandFailed(f"{path} is missing: the backup is not whole. Use another one.")
    if (path.stat().st_size, digest(path)) != (entry.bytes, entry.sha256):
        raise CommandFailed(f"{path} is not what was written: its checksum differs. Use another backup.")
    if entry.schema_version > KNOWN[name]:
        raise CommandFailed(
            f"{path} has schema {entry.schema_version}; this version knows {KNOWN[name]}. Upgrade this installation "
            "before you restore."
        )


def entry_of(name: str, path: Path) -> FileEntry:
    """Looks the whole file through. Raises CommandFailed when it is damaged."""
    try:
        found = copies.look(name, path)
    except copies.CopyFailed as error:
        raise CommandFailed(str(error)) from error
    return FileEntry(
        bytes=path.stat().st_size,
        sha256=digest(path),
        schema_version=found.version,
        log_id=found.log_id,
        offsets=found.offsets,
        counts=found.counts,
    )


def fits(files: Mapping[Name, FileEntry]) -> None:
    """Profiles and log belong together. Raises CommandFailed."""
    belong(files.get("profiles"), files.get("log"))


def belong(profiles: FileEntry | copies.Contents | None, log: FileEntry | copies.Contents | None) -> None:
    """The profiles were filled from this log, and it is not behind them. Raises CommandFailed."""
    if profiles is None or log is None or not profiles.log_id:
        return
    if profiles.log_id != log.log_id:
        raise CommandFailed(f"The profiles were filled from another log ({profiles.log_id}) than this ({log.log_id}).")
    for place, position in profiles.offsets.items():
        if position > log.offsets.get(place, 0):
            raise CommandFailed(f"The profiles have read {place} to {position}, but the log ends before.")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
