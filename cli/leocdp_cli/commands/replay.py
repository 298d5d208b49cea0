"""``leocdp replay``: put dead letters back into the log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from leocdp_cli.commands.options import AsJson, api
from leocdp_cli.failure import CommandFailed
from leocdp_cli.output import show_one


def register(app: typer.Typer) -> None:
    app.command("replay")(replay)


def replay(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of dead letters.")] = None,
    reason: Annotated[str | None, typer.Option(help="All with this reason.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", help="All from this time on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="All before this time (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Process dead letters again: the ones named, or all of a reason and a range of time."""
    made = api(context).post("/dead-letters/replay", _wanted(ids or [], reason, since, until))
    show_one(made, as_json=as_json, said=f"Handed over as {made['command_id']}; see leocdp status for the result.")


def _wanted(ids: list[str], reason: str | None, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    chosen = {"reason": reason, "from": _utc(since), "to": _utc(until)}
    given = {name: value for name, value in chosen.items() if value is not None}
    if bool(ids) == bool(given):
        raise CommandFailed("Name ids, or a --reason, --from or --to; not both.", 2)
    return {"ids": ids} if ids else given


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat()}Z"
