"""``leocdp doctor``: what is wrong with the installation on this machine, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from leocdp_cli.commands.options import AsJson
from leocdp_cli.diagnosis.certificates import certificates
from leocdp_cli.diagnosis.connections import connections
from leocdp_cli.diagnosis.finding import Check
from leocdp_cli.diagnosis.formats import formats
from leocdp_cli.diagnosis.machine import machine
from leocdp_cli.diagnosis.secrets import secrets
from leocdp_cli.diagnosis.services import services
from leocdp_cli.kubernetes.diagnosis import kubernetes
from leocdp_cli.output import show_json, table

CHECKS: Final[tuple[Check, ...]] = (machine, secrets, connections, certificates, formats, services)
"""In the order of the report: what others rest on comes first. A check is a function in ``leocdp_cli.diagnosis``."""


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    in_cluster: Annotated[
        bool, typer.Option("--kubernetes", help="Look at a cluster instead, by kubectl, which only reads.")
    ] = False,
    namespace: Annotated[str, typer.Option(help="With --kubernetes: where the installation is.")] = "leocdp",
    context: Annotated[str, typer.Option(help="With --kubernetes: which cluster; kubectl's current one.")] = "",
    overlay: Annotated[
        str,
        typer.Option(
            help="With --kubernetes: tier-5, tier-10, or the folder of an overlay: also before it is applied."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Look at this machine: Python, data folder, disk, secrets and settings, whether log and stores let us in, how long
    certificates are good, formats, services. Exit status 1 when something is wrong."""
    if in_cluster:
        findings = list(kubernetes(namespace, context, overlay))
    else:
        findings = [finding for check in CHECKS for finding in check()]
    if as_json:
        show_json([asdict(each) for each in findings])
    else:
        rows = [["ok" if each.good else "WRONG", each.what, each.say] for each in findings]
        typer.echo(table(["", "WHAT", ""], rows))
    if not all(each.good for each in findings):
        raise typer.Exit(1)
