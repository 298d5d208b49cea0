"""``leocdp rebuild``: make the profile store anew from the event log."""

from __future__ import annotations

import asyncio
import time

import typer

from leocdp_cli import stores
from leocdp_cli.commands.options import AsJson, Yes, confirm
from leocdp_cli.output import show_one


def register(app: typer.Typer) -> None:
    app.command("rebuild")(rebuild)


def rebuild(yes: Yes = False, as_json: AsJson = False) -> None:
    """Put the profile store aside, so that the processor makes it anew from the log when it starts.

    For the embedded engine, while the services are stopped. The log must have everything since its beginning. What was
    processed before counts as a replay: destinations get nothing of it. The old file stays beside the new one;
    `leocdp digest` compares them.
    """
    settings = stores.StoresSettings()
    path = settings.paths()["profiles"]
    asyncio.run(stores.whole_log(settings))
    confirm(f"{path} is put aside, and made anew from the log at the next start. Go on?", yes=yes)
    aside = asyncio.run(stores.set_aside(settings, time.strftime("before-%Y%m%d-%H%M%S")))
    said = f"The former store is {aside}. Start the services: the processor reads the log from its beginning."
    show_one({"aside": str(aside), "store": str(path)}, as_json=as_json, said=said)
