"""``leocdp migrate``: formats of the stores."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from leocdp.adapters.formats import StoreFormat
from leocdp_cli import stores
from leocdp_cli.commands.options import AsJson
from leocdp_cli.diagnosis.formats import work_left
from leocdp_cli.output import show_rows
from leocdp_cli.waiting import Wait, patiently

COLUMNS = {"STORE": "name", "FORMAT": "version", "NEWEST": "known", "PLACE": "place", "PROBLEM": "problem"}


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate)


def migrate(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit status 1 when there is work.")] = False,
    wait: Wait = 0,
    as_json: AsJson = False,
) -> None:
    """Bring the stores to the format of this version, and make what is missing: files in the data folder, collections
    and indexes in ArangoDB, topics in Kafka.

    The services do the same when they start; this does it beforehand. The processor of an embedded store has to be
    stopped meanwhile; services on ArangoDB of this and the last version may go on.
    """
    settings = stores.StoresSettings()
    if not check:
        patiently(lambda: asyncio.run(stores.migrate(settings)), wait)
    found = stores.formats(settings)
    show_rows([_row(each) for each in found], COLUMNS, as_json=as_json, empty="")
    left = [sentence for sentence in map(work_left, found) if sentence]
    for sentence in left:
        typer.echo(sentence, err=True)
    if left:
        raise typer.Exit(1)


def _row(each: StoreFormat) -> dict[str, object]:
    return {
        "name": each.name,
        "version": each.version,
        "known": each.known,
        "place": each.place,
        "problem": each.problem,
    }
