"""``leocdp key``: API keys of other systems."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from leocdp_cli.commands.options import AsJson, Yes, api, confirm
from leocdp_cli.output import show_one, show_rows

group = typer.Typer(no_args_is_help=True, help="API keys: what other systems and this command line ask with.")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="key")


@group.command("list")
def list_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """All keys, newest first. Secrets are not kept, so they are not shown."""
    columns = {"ID": "id", "NAME": "name", "STATE": "state", "SCOPES": "scopes", "LAST USED": "last_used_at"}
    show_rows(api(context).every("/keys"), columns, as_json=as_json, empty="No key yet: leocdp key create NAME.")


@group.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="What it may do, such as profiles:read; repeat for more.")
    ],
    expires: Annotated[
        datetime | None, typer.Option(help="When it stops working (UTC); without it: when it is revoked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown this once."""
    body: dict[str, Any] = {"name": name, "scopes": scope}
    body |= {"expires_at": f"{expires.isoformat()}Z"} if expires else {}
    made = api(context).post("/keys", body)
    show_one(made, as_json=as_json, said=f"Key {made['id']}, shown this once:\n{made['secret']}")


@group.command()
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, see `leocdp key list`.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End a key; the gateway refuses it within 30 seconds."""
    confirm(f"Whoever uses key {key_id} will be refused. Go on?", yes=yes)
    api(context).delete(f"/keys/{key_id}")
    show_one({"id": key_id, "revoked": True}, as_json=as_json, said=f"Key {key_id} is revoked.")
