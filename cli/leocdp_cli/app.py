"""``leocdp``: one command line for operators. A module per group of commands, all named in ``GROUPS``."""

from __future__ import annotations

import typer

from leocdp_cli.commands import run

GROUPS = (run,)
"""Each module has ``register(app)``; the order is the order of ``leocdp --help``."""

app = typer.Typer(
    name="leocdp",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
for group in GROUPS:
    group.register(app)


@app.callback()
def leocdp() -> None:
    """Runs and operates LEO CDP."""


def main() -> None:
    app(prog_name="leocdp")
