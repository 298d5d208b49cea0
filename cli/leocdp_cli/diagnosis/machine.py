"""Python, the data folder, its disk and the secrets in it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.supervisor.settings import RunSettings

LEAST_FREE: Final = 1 << 30
"""Bytes on the data folder's disk below which something will fail soon."""


def machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version)
    data_dir = RunSettings().data_dir
    if not data_dir.exists():
        yield Finding("data folder", True, f"{data_dir.absolute()} is not there yet; leocdp run makes it")
        return
    yield from _folder(data_dir)


def _folder(data_dir: Path) -> Iterator[Finding]:
    writable = os.access(data_dir, os.W_OK | os.X_OK)
    yield Finding("data folder", writable, f"{data_dir.absolute()}{'' if writable else ' cannot be written to'}")
    free = shutil.disk_usage(data_dir).free
    short = "" if free >= LEAST_FREE else ": free some space, services stop taking events when it is full"
    yield Finding("disk", not short, f"{free / (1 << 30):.1f} GiB free{short}")
    for file in sorted((data_dir / "secrets").glob("*")):
        private = file.stat().st_mode & 0o077 == 0
        yield Finding(f"secret {file.name}", private, "private" if private else f"others can read it: chmod 600 {file}")
