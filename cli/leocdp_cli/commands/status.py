"""``leocdp status``: how the system is."""

from __future__ import annotations

from typing import Any

import typer

from leocdp_cli.commands.options import AsJson, api
from leocdp_cli.output import show_json, table, text


def register(app: typer.Typer) -> None:
    app.command("status")(status)


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Services, lag, counts, and what is wrong with what to do. Exit status 1 when a service is not ready."""
    told = api(context).get("/status")
    if as_json:
        show_json(told)
    else:
        typer.echo(describe(told))
    if not all(service["ready"] for service in told["services"]):
        raise typer.Exit(1)


def describe(told: dict[str, Any]) -> str:
    services = [
        [service["name"], "ready" if service["ready"] else "NOT READY", text(" ".join(service["reasons"]))]
        for service in told["services"]
    ]
    counts = [[name.replace("_", " "), f"{value:,}"] for name, value in (told["counts"] or {}).items()]
    lag = "not known" if told["lag"] is None else f"{told['lag']:,} records accepted and not processed yet"
    return "\n".join(
        [
            f"LEO CDP {told['version']}, log: {told['engine']['log']}, store: {told['engine']['store']}",
            "",
            table(["SERVICE", "STATE", "REASONS"], services),
            "",
            f"Lag: {lag}",
            "",
            table(["COUNT", ""], counts) if counts else "Counts are not known: the profile store does not answer.",
            *_checks(told),
        ]
    )


def _checks(told: dict[str, Any]) -> list[str]:
    """Each line of the status page, and below it what to do. An admin of an earlier version tells none."""
    rows: list[list[str]] = []
    for check in told.get("checks", []):
        rows.append([check["state"], check["title"], check["message"]])
        help_ = " ".join(part for part in (check["advice"], check["runbook"] and f"({check['runbook']})") if part)
        if help_:
            rows.append(["", "", help_])
    return ["", table(["STATE", "CHECK", "MEANS"], rows)] if rows else []
