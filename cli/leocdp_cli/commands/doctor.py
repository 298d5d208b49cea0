"""``leocdp doctor``: what is wrong with the installation on this machine, and what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from leocdp_cli import stores
from leocdp_cli.commands.options import AsJson
from leocdp_cli.output import show_json, table
from leocdp_cli.supervisor.readiness import base_url, wait_all
from leocdp_cli.supervisor.services import START_ORDER
from leocdp_cli.supervisor.settings import RunSettings

LEAST_FREE = 1 << 30
"""Bytes on the data folder's disk below which something will fail soon."""
FIRST_WAIT = 2.0
"""Seconds in which a service must answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    good: bool
    say: str


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Look at this machine: Python, data folder, secrets, files, services. Exit status 1 when something is wrong."""
    settings = RunSettings()
    findings = [*_machine(settings.data_dir), *_files(), *_services(settings)]
    if as_json:
        show_json([asdict(each) for each in findings])
    else:
        rows = [["ok" if each.good else "WRONG", each.what, each.say] for each in findings]
        typer.echo(table(["", "WHAT", ""], rows))
    if not all(each.good for each in findings):
        raise typer.Exit(1)


def _machine(data_dir: Path) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version)
    if not data_dir.exists():
        yield Finding("data folder", True, f"{data_dir.absolute()} is not there yet; leocdp run makes it")
        return
    writable = os.access(data_dir, os.W_OK | os.X_OK)
    yield Finding("data folder", writable, f"{data_dir.absolute()}{'' if writable else ' cannot be written to'}")
    free = shutil.disk_usage(data_dir).free
    yield Finding("disk", free >= LEAST_FREE, f"{free / (1 << 30):.1f} GiB free")
    for file in sorted((data_dir / "secrets").glob("*")):
        private = file.stat().st_mode & 0o077 == 0
        yield Finding(f"secret {file.name}", private, "private" if private else f"others can read it: chmod 600 {file}")


def _files() -> Iterator[Finding]:
    for each in stores.formats(stores.StoresSettings()):
        if each.version is None and not each.problem:
            yield Finding(f"{each.name}.db", True, "not there yet")
        elif each.current:
            yield Finding(f"{each.name}.db", True, f"format {each.version}")
        else:
            known = f"format {each.version}, this version knows {each.known}: leocdp migrate, or upgrade"
            yield Finding(f"{each.name}.db", False, each.problem or known)


def _services(settings: RunSettings) -> Iterator[Finding]:
    urls = [base_url(settings.host, settings.port(each.name)) for each in START_ORDER]
    answers = asyncio.run(wait_all(urls, FIRST_WAIT))
    for service, url, answer in zip(START_ORDER, urls, answers, strict=True):
        yield Finding(service.name, answer.ready, f"{url} {'is ready' if answer.ready else ' '.join(answer.reasons)}")
