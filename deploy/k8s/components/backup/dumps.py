"""A backup on the disk: a folder with a dump per database, and the manifest that says what has to be in it.

A folder whose name ends in ``.partial`` is not one yet. What ``arangodump`` writes is described in ArangoDB's manual:
``dump.json``, and per collection a file ``….structure.json`` and one or more ``….data.json.gz``, a document a line.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from databases import LEDGERS, Failed

FORMAT = 1
MANIFEST = "manifest.json"
PARTIAL = ".partial"
_NAME = re.compile(r"\d{8}-\d{6}")
_CHUNK = 1 << 20

Manifest = Mapping[str, Any]


class _Hashing(io.RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()
        self.bytes = 0

    def read(self, size: int = -1) -> bytes:
        found = self._stream.read(size)
        self.hash.update(found)
        self.bytes += len(found)
        return found


def examine(path: Path, pause: Callable[[], None]) -> dict[str, Any]:
    """Bytes, checksum, and of a file with documents how many. Raises Failed for one that is cut off."""
    with path.open("rb") as stream:
        hashing = _Hashing(stream)
        readable = gzip.GzipFile(fileobj=hashing) if path.name.endswith(".gz") else hashing
        lines, last = 0, b"\n"
        try:
            while chunk := readable.read(_CHUNK):
                lines += chunk.count(b"\n")
                last = chunk[-1:]
                pause()
        except (EOFError, OSError, gzip.BadGzipFile) as error:
            raise Failed(f"{path} cannot be read: {error}") from error
    found: dict[str, Any] = {"bytes": hashing.bytes, "sha256": hashing.hash.hexdigest()}
    return found if not _is_data(path) else {**found, "documents": lines + (last != b"\n")}


def _is_data(path: Path) -> bool:
    return path.name.endswith((".data.json", ".data.json.gz"))


def structures(folder: Path) -> dict[str, str]:
    """Collection → beginning of the names of its files. Raises Failed."""
    found = {}
    for path in sorted(folder.glob("*.structure.json")):
        try:
            name = json.loads(path.read_bytes())["parameters"]["name"]
        except (ValueError, KeyError, TypeError) as error:
            raise Failed(f"{path} is no description of a collection: {error}") from error
        found[str(name)] = path.name.removesuffix(".structure.json")
    return found


def contents(folder: Path, pause: Callable[[], None]) -> dict[str, Any]:
    """Of one database's dump: its files, and how many documents each collection has."""
    files = {path.name: examine(path, pause) for path in sorted(folder.iterdir()) if path.is_file()}
    beginnings = structures(folder)
    counted = dict.fromkeys(beginnings, 0)
    for name, beginning in beginnings.items():
        own = [files[path.name]["documents"] for path in data_files(folder, beginning)]
        counted[name] = sum(own)
    return {"files": files, "collections": counted}


def data_files(folder: Path, beginning: str) -> list[Path]:
    return [path for path in sorted(folder.glob(f"{beginning}.*")) if _is_data(path)]


def has_mark(folder: Path, barrier: str) -> bool:
    """Whether the barrier under which the dump was made is in the dump."""
    beginnings = structures(folder)
    for ledger in (each for each in LEDGERS if each in beginnings):
        for path in data_files(folder, beginnings[ledger]):
            if any(barrier.encode() in line for line in _lines(path)):
                return True
    return False


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from gzip.GzipFile(fileobj=stream) if path.name.endswith(".gz") else stream


def keep(partial: Path, manifest: Manifest) -> Path:
    """The folder under its own name, with its manifest: from now on it is a backup."""
    with (partial / MANIFEST).open("w", encoding="utf-8") as stream:
        json.dump(manifest, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    return partial.rename(partial.with_name(partial.name.removesuffix(PARTIAL)))


def load(folder: Path) -> Manifest:
    """Raises Failed."""
    try:
        manifest: Manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        there = ", ".join(each.name for each in backups(folder.parent)) or "none"
        raise Failed(f"{folder.name} is no backup: it has no {MANIFEST}. There are: {there}") from error
    except ValueError as error:
        raise Failed(f"{folder / MANIFEST} cannot be read: {error}") from error
    if manifest.get("format") != FORMAT:
        raise Failed(f"{folder.name} has format {manifest.get('format')}, this program reads {FORMAT}")
    if not manifest.get("barrier"):
        raise Failed(f"{folder.name} was made without a barrier: it is not one moment")
    return manifest


def verify(folder: Path, manifest: Manifest, pause: Callable[[], None]) -> None:
    """Raises Failed unless everything is there as the manifest says, and the barrier's mark with it."""
    for part, wanted in manifest["databases"].items():
        found = contents(folder / part, pause)
        for name in sorted(wanted["files"].keys() | found["files"].keys()):
            if wanted["files"].get(name) != found["files"].get(name):
                raise Failed(f"{folder.name}/{part}/{name} is not what was dumped")
        if wanted["collections"] != found["collections"]:
            raise Failed(f"{folder.name}/{part} has not the documents that were dumped")
    if not has_mark(folder / "profiles", manifest["barrier"]):
        raise Failed(f"{folder.name} does not hold the mark of its barrier: it is not one moment")


def documents(manifest: Manifest) -> int:
    return sum(sum(part["collections"].values()) for part in manifest["databases"].values())


def backups(root: Path) -> list[Path]:
    """Oldest first; only those that were verified have their name."""
    return sorted(each for each in root.iterdir() if _NAME.fullmatch(each.name) and (each / MANIFEST).exists())


def forget(root: Path, keep_newest: int) -> Iterator[str]:
    """Removes all but the newest ones, of which there is always one."""
    for each in backups(root)[: -max(keep_newest, 1)]:
        shutil.rmtree(each)
        yield each.name


def sweep(root: Path) -> None:
    """Removes what was never finished."""
    for each in root.glob(f"*{PARTIAL}"):
        shutil.rmtree(each)
