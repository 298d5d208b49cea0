"""``leocdp``: one command line for operators. A module per group of commands, all named in ``GROUPS``."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from leocdp_cli.commands import (
    backup,
    barrier,
    capacity,
    create_database,
    demo,
    digest,
    doctor,
    erase,
    key,
    migrate,
    rebuild,
    replay,
    run,
    source,
    status,
    topics,
    user,
)
from leocdp_cli.commands.options import Access
from leocdp_cli.failure import CommandFailed

GROUPS = (
    run,
    demo,
    status,
    doctor,
    source,
    key,
    user,
    replay,
    erase,
    rebuild,
    backup,
    barrier,
    digest,
    create_database,
    topics,
    migrate,
    capacity,
)
"""Each module has ``register(app)``; the order is the order of ``leocdp --help``."""

app = typer.Typer(name="leocdp", no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
for group in GROUPS:
    group.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("leocdp-cli"))
        raise typer.Exit


@app.callback()
def leocdp(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="LEOCDP_URL", help="Address of the gateway.")] = "",
    api_key: Annotated[
        str, typer.Option(help="API key; better in LEOCDP_API_KEY. Without one: admin on this machine is asked.")
    ] = "",
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run and operate LEO CDP."""
    context.obj = Access(url, api_key)


def main() -> None:
    try:
        app(prog_name="leocdp")
    except CommandFailed as failed:
        typer.echo(str(failed), err=True)
        sys.exit(failed.status)
