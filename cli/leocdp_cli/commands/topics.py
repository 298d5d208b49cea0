"""``leocdp topics``: the topics of the event log."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from leocdp_cli import stores
from leocdp_cli.commands.options import AsJson
from leocdp_cli.output import show_rows
from leocdp_cli.waiting import Wait, patiently

COLUMNS = {"TOPIC": "topic", "PARTITIONS": "partitions", "DAYS": "days", "GIB": "gib", "RECORDS": "records"}


def register(app: typer.Typer) -> None:
    app.command("topics")(topics)


def topics(
    check: Annotated[bool, typer.Option("--check", help="Make nothing; a missing topic is an error.")] = False,
    wait: Wait = 0,
    as_json: AsJson = False,
) -> None:
    """Make the topics that are missing, with partitions and retention from the topic table, and show all of them.

    Services do the same when they start, unless LEOCDP_LOG_CREATE_TOPICS is false.
    """
    settings = stores.StoresSettings()
    if check:
        settings = settings.model_copy(update={"log_create_topics": False})
    show_rows(patiently(lambda: asyncio.run(stores.topics(settings)), wait), COLUMNS, as_json=as_json, empty="")
