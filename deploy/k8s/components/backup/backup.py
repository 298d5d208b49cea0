"""A backup of ArangoDB that is one moment: ``backup.py``; with RESTORE=NAME in the environment, its restore; with
FILES=SECONDS nothing, for so long, so that the folder of the backups can be reached.

Processors are held by the barrier while the profiles are dumped, so that the positions in the dump fit everything else
in it; observers take events as always, and the lag is worked off afterwards. Admin's own database has no barrier: it is
small, and dumped again when something was written meanwhile.

BACKUPS (folder of the backups), HANDOVER (folder for ``tool.sh``), KEEP (how many), HOLD_MINUTES (how long processing
may stand still; a dump that takes longer fails). The databases are those of the settings of the services. Needs Python
alone and ``leocdp``; ArangoDB's tools run in their own image beside it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dumps
from databases import Database, Failed, databases
from restore import restore
from tools import Stop, Tool, check_held, hold, lift, say

ADMIN_TRIES = 6
THREADS = "2"
BATCH = str(8 << 20)
"""Bytes of documents that are fetched at a time, per thread: the container has little memory."""
SHRUNK = 2
"""A backup with so many times fewer documents than one that is kept replaces none."""
ROOM = 1.3
"""A backup is begun with so much more room than the last one has taken."""


class Backup:
    def __init__(self, root: Path, tool: Tool, stop: Stop, stores: Mapping[str, Database]) -> None:
        self._root = root
        self._tool = tool
        self._stop = stop
        self._stores = stores

    def make(self, minutes: int, keep_newest: int) -> None:
        dumps.sweep(self._root)
        self._check_room()
        name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        partial = self._root / f"{name}{dumps.PARTIAL}"
        partial.mkdir()
        try:
            manifest = self._fill(partial, name, minutes)
            folder = dumps.keep(partial, manifest)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._finish(folder, manifest, keep_newest)

    def _fill(self, partial: Path, name: str, minutes: int) -> dict[str, Any]:
        began = time.time()
        parts: dict[str, Any] = {}
        barrier, parts["profiles"] = self._held(partial / "profiles", minutes)
        held = time.time() - began
        if "admin" in self._stores:
            parts["admin"] = self._unchanged(partial / "admin", self._stores["admin"])
        return self._manifest(name, barrier, began, held, partial, parts)

    def _held(self, folder: Path, minutes: int) -> tuple[str, dict[str, Any]]:
        """The profiles' database under the barrier. Id of the barrier, and what the server says is in the database."""
        store = self._stores["profiles"]
        self._stop.check()
        barrier = hold(minutes)
        try:
            heads = store.heads()
            found = self._dump(folder, store, minutes * 60.0)
            if store.heads() != heads:
                raise Failed("something was committed while the barrier was set: this dump is not one moment")
            check_held(barrier)
        finally:
            self._lift(barrier)
        return barrier, found

    def _lift(self, barrier: str) -> None:
        try:
            lift(barrier)
        except Failed as error:
            # It ends by itself; whether the dump is good does not depend on it.
            say("barrier not lifted", level="warning", barrier=barrier, reason=str(error))

    def _unchanged(self, folder: Path, store: Database) -> dict[str, Any]:
        """A database that somebody may write to: dumped until nothing was committed meanwhile."""
        for _ in range(ADMIN_TRIES):
            heads = store.heads()
            found = self._dump(folder, store, 600.0)
            if store.heads() == heads:
                return found
            shutil.rmtree(folder)
        raise Failed(f"{store.name} was written to during each of {ADMIN_TRIES} dumps")

    def _dump(self, folder: Path, store: Database, seconds: float) -> dict[str, Any]:
        arguments = ["--configuration", str(store.configure(self._tool.folder / "tool.conf"))]
        arguments += [
            "--output-directory",
            str(folder),
            "--overwrite",
            "false",
            "--include-system-collections",
            "false",
        ]
        arguments += ["--compress-output", "true", "--envelope", "false", "--threads", THREADS]
        arguments += ["--initial-batch-size", BATCH, "--batch-size", BATCH]
        self._tool.run("arangodump", arguments, seconds)
        there = {name: store.count(name) for name in store.collections()}
        return {"database": store.name, "arangodb": store.version(), "there": there}

    def _manifest(
        self, name: str, barrier: str, began: float, held: float, partial: Path, parts: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Reads everything that was written. Raises Failed where it is not what the server has."""
        described = {}
        for part, found in parts.items():
            contents = dumps.contents(partial / part, self._stop.check)
            if contents["collections"] != found["there"]:
                raise Failed(f"the dump of {found['database']} is not complete: {_differences(contents, found)}")
            described[part] = {"database": found["database"], "arangodb": found["arangodb"], **contents}
        if not dumps.has_mark(partial / "profiles", barrier):
            raise Failed("the mark of the barrier is not in the dump")
        return {
            "format": dumps.FORMAT,
            "name": name,
            "product": version("leocdp-cli"),
            "barrier": barrier,
            "began": _moment(began),
            "held_seconds": round(held, 1),
            "bytes": sum(each["bytes"] for part in described.values() for each in part["files"].values()),
            "databases": described,
        }

    def _finish(self, folder: Path, manifest: Mapping[str, Any], keep_newest: int) -> None:
        documents = dumps.documents(manifest)
        before = max((dumps.documents(dumps.load(each)) for each in dumps.backups(self._root)), default=0)
        removed: list[str] = []
        if documents * SHRUNK < before:
            # Perhaps of a database that was emptied by mistake: then the old ones are what is needed.
            say("backup much smaller than one before", level="warning", documents=documents, before=before)
        else:
            removed = list(dumps.forget(self._root, keep_newest))
        say(
            "backup done",
            name=folder.name,
            bytes=manifest["bytes"],
            documents=documents,
            held_seconds=manifest["held_seconds"],
            kept=[each.name for each in dumps.backups(self._root)],
            removed=removed,
        )

    def _check_room(self) -> None:
        done = dumps.backups(self._root)
        if done and (wanted := int(dumps.load(done[-1])["bytes"] * ROOM)) > (
            free := shutil.disk_usage(self._root).free
        ):
            raise Failed(f"{free} bytes are free, a backup needs about {wanted}: enlarge the volume, or keep fewer")


def _differences(contents: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    dumped, there = contents["collections"], found["there"]
    return ", ".join(
        f"{name} {dumped.get(name)} of {there.get(name)}"
        for name in sorted(dumped.keys() | there.keys())
        if dumped.get(name) != there.get(name)
    )


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Raises Failed when another one works in the folder."""
    with (root / ".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Failed(f"another backup or restore works in {root}") from error
        yield


def stay_open(seconds: float, stop: Stop) -> None:
    """For whoever copies backups out, or brings them back."""
    say("files can be reached", seconds=seconds)
    deadline = time.monotonic() + seconds
    while not stop.wanted and time.monotonic() < deadline:
        time.sleep(0.5)


def main() -> int:
    os.umask(0o077)
    stop = Stop()
    tool = Tool(Path(os.environ["HANDOVER"]), stop)
    root = Path(os.environ["BACKUPS"])
    name = os.environ.get("RESTORE", "")
    try:
        if seconds := os.environ.get("FILES"):
            stay_open(float(seconds), stop)
            return 0
        stores = databases()
        with alone(root):
            if name:
                restore(root / name, stores, tool, stop, over=os.environ.get("RESTORE_OVER") == "true")
            else:
                minutes, keep_newest = int(os.environ["HOLD_MINUTES"]), int(os.environ["KEEP"])
                Backup(root, tool, stop, stores).make(minutes, keep_newest)
    except (Failed, OSError) as error:
        say("restore failed" if name else "backup failed", level="error", reason=str(error))
        return 1
    finally:
        tool.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
