"""``leocdp migrate``: formats of the embedded engine's files."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from leocdp.adapters.sqlite.formats import FileFormat
from leocdp_cli import stores
from leocdp_cli.commands.options import AsJson
from leocdp_cli.output import show_rows

COLUMNS = {"FILE": "name", "FORMAT": "version", "NEWEST": "known", "PATH": "path", "PROBLEM": "problem"}


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate)


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit status 1 when there is work.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the files in the data folder to the format of this version, and make what is missing.

    The services do the same when they start; this does it beforehand, while the processor is stopped.
    """
    settings = stores.StoresSettings()
    if not check:
        asyncio.run(stores.migrate(settings))
    found = stores.formats(settings)
    show_rows([_row(each) for each in found], COLUMNS, as_json=as_json, empty="")
    if not all(each.current for each in found):
        raise typer.Exit(1)


def _row(each: FileFormat) -> dict[str, object]:
    return {
        "name": each.name,
        "version": each.version,
        "known": each.known,
        "path": str(each.path),
        "problem": each.problem,
    }
