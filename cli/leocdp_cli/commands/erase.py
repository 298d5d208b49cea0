"""``leocdp erase``: forget a person."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from leocdp_cli.commands.options import AsJson, Yes, api, confirm
from leocdp_cli.connection import Api
from leocdp_cli.failure import CommandFailed
from leocdp_cli.output import show_one


def register(app: typer.Typer) -> None:
    app.command("erase")(erase)


def erase(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help="Profile id, or kind:value: email:lan@example.vn.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Forget a person: events, profile, identifiers, history. There is no way back.

    Prints the receipt. What arrived before stays away, also after a replay or a restore; the person may come back as
    somebody new.
    """
    client = api(context)
    if not yes:
        confirm(_question(client, ref), yes=False)
    request = client.post("/privacy/requests", {"kind": "erasure", "ref": ref})
    if request["state"] == "refused":
        raise CommandFailed(f"Nobody was erased: {request['reason']}.")
    show_one(request, as_json=as_json, said=_said(request))


def _question(client: Api, ref: str) -> str:
    found = (
        client.post("/profiles/lookup", _parts(ref)) if not ref.startswith("prf_") else client.get(f"/profiles/{ref}")
    )
    total = found["events"]["total"]
    return f"{found['id']} ({found['status']}) and {total} events will be gone for ever. Go on?"


def _parts(ref: str) -> dict[str, Any]:
    """``kind[@space]:value`` in parts, so that no contact stands in an address that somebody logs."""
    kind, _, value = ref.partition(":")
    if kind == "social":
        provider, _, value = value.partition(":")
        kind = f"social:{provider}"
    kind, _, space = kind.partition("@")
    return {"kind": kind, "value": value, **({"id_space": space} if space else {})}


def _said(request: dict[str, Any]) -> str:
    if request["state"] == "pending":
        return f"Request {request['id']} waits for the processor; it will be carried out."
    receipt = request["receipt"]
    counted = ", ".join(
        f"{receipt[name]} {name}" for name in ("profiles", "events", "identifiers", "history", "problems")
    )
    return (
        f"Erased ({request['id']}): {counted}. The last copy in log and backups is gone after "
        f"{receipt['copies_until']}."
    )
