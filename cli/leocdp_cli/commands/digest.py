"""``leocdp digest``: one number for all people, to compare two stores by."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import typer

from leocdp_cli import stores
from leocdp_cli.commands.options import AsJson
from leocdp_cli.output import show_json


def register(app: typer.Typer) -> None:
    app.command("digest")(digest)


def digest(as_json: AsJson = False) -> None:
    """Digest and counts of the profile store that this machine's settings name.

    Two stores with the same digest know the same people: identifiers, traits, counters, consents and events, whatever
    their ids and history. Reads the whole store, also beside running services.
    """
    found, counts = asyncio.run(stores.digest(stores.StoresSettings()))
    if as_json:
        show_json({"digest": found, "counts": asdict(counts)})
    else:
        typer.echo(found)
        typer.echo(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in asdict(counts).items()))
