"""``leocdp create-database``: what an ArangoDB needs before the stores can be made in it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from leocdp_cli import databases
from leocdp_cli.commands.options import AsJson
from leocdp_cli.output import show_rows
from leocdp_cli.waiting import Wait, patiently

COLUMNS = {"WHAT": "kind", "NAME": "name", "NEW": "new"}


def register(app: typer.Typer) -> None:
    app.command("create-database")(create_database)


def create_database(wait: Wait = 0, as_json: AsJson = False) -> None:
    """Make the databases and users that LEOCDP_STORE_URL and LEOCDP_ADMIN_URL name, with the passwords of the settings.

    Needs the password of a user who may, in LEOCDP_STORE_ROOT_PASSWORD; the services never do. Each user may write to
    its own database, and admin's may read the profiles. What is there stays; passwords are set again.
    """
    settings = databases.DatabaseSettings()
    made = patiently(lambda: databases.create(settings), wait)
    show_rows([asdict(each) for each in made], COLUMNS, as_json=as_json, empty="")
