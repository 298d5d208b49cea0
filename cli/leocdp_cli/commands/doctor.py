"""``leocdp doctor``: what is wrong with the installation on this machine, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import typer

from leocdp_cli.commands.options import AsJson
from leocdp_cli.diagnosis.finding import Check
from leocdp_cli.diagnosis.formats import formats
from leocdp_cli.diagnosis.machine import machine
from leocdp_cli.diagnosis.services import services
from leocdp_cli.output import show_json, table

CHECKS: Final[tuple[Check, ...]] = (machine, formats, services)
"""In the order of the report: what others rest on comes first. A check is a function in ``leocdp_cli.diagnosis``."""


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Look at this machine: Python, data folder, secrets, files, services. Exit status 1 when something is wrong."""
    findings = [finding for check in CHECKS for finding in check()]
    if as_json:
        show_json([asdict(each) for each in findings])
    else:
        rows = [["ok" if each.good else "WRONG", each.what, each.say] for each in findings]
        typer.echo(table(["", "WHAT", ""], rows))
    if not all(each.good for each in findings):
        raise typer.Exit(1)
