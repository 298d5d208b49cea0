"""ArangoDB's own tools, ``arangodump`` and ``arangorestore`` in the container beside this one, and ours, ``leocdp``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from databases import Failed

BEAT = 60.0
"""Seconds after which a container that has shown no sign of life is gone."""


class Stop:
    """SIGTERM is a wish that is looked at between steps, so that none is cut in the middle."""

    def __init__(self) -> None:
        self.wanted = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def _hear(self, *_: object) -> None:
        self.wanted = True

    def check(self) -> None:
        if self.wanted:
            raise Failed("it was told to stop")


class Tool:
    """Asks ``tool.sh``, by files in a folder that both containers see."""

    def __init__(self, folder: Path, stop: Stop) -> None:
        self.folder = folder
        self._stop = stop
        self._began = time.time()

    def run(self, name: str, arguments: Sequence[str], seconds: float) -> None:
        """Raises Failed when it fails, takes longer, or when there is nobody to do it."""
        deadline = time.monotonic() + seconds
        status = self.folder / "status"
        status.unlink(missing_ok=True)
        request = self.folder / "request.new"
        request.write_text("\n".join([name, *arguments]) + "\n", encoding="utf-8")
        request.rename(self.folder / "request")
        while not status.exists():
            self._stop.check()
            self._check_alive()
            if time.monotonic() > deadline:
                raise Failed(f"{name} takes longer than {seconds:.0f} s")
            time.sleep(0.2)
        if code := int(status.read_text()):
            raise Failed(f"{name} failed with status {code}; its container's log says why")

    def _check_alive(self) -> None:
        try:
            seen = (self.folder / "alive").stat().st_mtime
        except FileNotFoundError:
            seen = self._began
        if time.time() - max(seen, self._began) > BEAT:
            raise Failed("the container with ArangoDB's tools does not answer")

    def end(self) -> None:
        (self.folder / "end").touch()


def leocdp(*arguments: str) -> str:
    """What the command prints. Raises Failed with what it said."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-P", "-m", "leocdp_cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        # The signal is for the one who asks: what was begun is finished.
        start_new_session=True,
    )
    if done.returncode:
        raise Failed(f"leocdp {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def hold(minutes: int) -> str:
    """Sets the barrier and returns its id: from now on nothing is committed, until it is lifted or expires."""
    return str(json.loads(leocdp("barrier", "set", "--minutes", str(minutes), "--json"))["id"])


def check_held(barrier: str) -> None:
    leocdp("barrier", "check", barrier)


def lift(barrier: str) -> None:
    leocdp("barrier", "lift", barrier)


def say(event: str, *, level: str = "info", **fields: Any) -> None:
    """A line of the log, as the services write theirs."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"timestamp": stamp, "level": level, "event": event, **fields}), flush=True)
