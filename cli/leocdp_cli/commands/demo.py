"""``leocdp demo``: plays a small Vietnamese web shop against a running system, and removes it again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Any

import httpx
import typer
from pydantic import Field
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from leocdp.kit.settings import ServiceSettings
from leocdp_cli.commands.options import AsJson, Yes, api, confirm
from leocdp_cli.connection import Api, ConnectionSettings
from leocdp_cli.demo.player import NotAccepted, play
from leocdp_cli.demo.story import Call, story
from leocdp_cli.failure import CommandFailed
from leocdp_cli.output import show_one
from leocdp_cli.supervisor.readiness import base_url

SOURCE = "Demo shop"
WAIT_SECONDS = 120.0


class DemoSettings(ServiceSettings):
    observer_url: str = Field(
        default="", description="Address of the observer for `leocdp demo`; default this machine."
    )
    observer_port: int = Field(default=8080, ge=1, le=65535, description="Port of the observer on this machine.")


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    visitors: Annotated[int, typer.Option(min=1, max=20_000, help="How many visitors the shop has.")] = 300,
    days: Annotated[int, typer.Option(min=1, max=365, help="Over how many days, ending now.")] = 14,
    speed: Annotated[float, typer.Option(min=1, help="Events per second.")] = 500,
    seed: Annotated[int, typer.Option(min=0, max=99, help="Another number, other visitors.")] = 7,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the demo's source and all that it brought.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Play a web shop: visitors browse, sign up, buy and return on other devices. Playing it again adds nothing."""
    client = api(context)
    if remove:
        _remove(client, yes=yes, as_json=as_json)
        return
    source = _source(client)
    calls = story(visitors, seed, days)
    accepted = asyncio.run(_play(calls, source["write_key"], speed, quiet=as_json))
    counts = _settled(client)
    told = {"source": source["id"], "accepted": accepted, "people": counts["people"], "events": counts["events"]}
    show_one(told, as_json=as_json, said=_said(told))


def _said(told: dict[str, Any]) -> str:
    return (
        f"{told['accepted']:,} events were accepted; "
        f"there are {told['people']:,} people and {told['events']:,} events now.\n"
        f"Look at {ConnectionSettings().gateway_url}/profiles: search for a name such as `nguyen` and open a person.\n"
        "`leocdp demo --remove` takes all of it away again."
    )


async def _play(calls: Sequence[Call], write_key: str, speed: float, *, quiet: bool) -> int:
    settings = DemoSettings()
    url = settings.observer_url or base_url(settings.host, settings.observer_port)
    columns = (TextColumn("Playing the shop"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    accepted = 0
    with Progress(*columns, disable=quiet) as progress:
        task = progress.add_task("play", total=len(calls))
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            now = time.time_ns() // 1_000_000
            try:
                async for accepted in play(calls, url=url, write_key=write_key, speed=speed, now=now, client=client):
                    progress.update(task, completed=accepted)
            except NotAccepted as error:
                raise CommandFailed(str(error)) from error
    return accepted


def _source(client: Api) -> dict[str, Any]:
    """The demo's source, made on first use. Its user ids are in a space of their own, so they meet nobody's."""
    found = _find(client)
    if found is None:
        body = {"name": SOURCE, "kind": "browser", "id_space": "demo", "origins": ["*"]}
        made: dict[str, Any] = client.post("/sources", body)
        return made
    return found


def _find(client: Api) -> dict[str, Any] | None:
    return next((one for one in client.every("/sources") if one["name"] == SOURCE and one["id_space"] == "demo"), None)


def _settled(client: Api) -> dict[str, Any]:
    """The counts once everything that was accepted is processed."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        status = client.get("/status")
        if status["lag"] == 0:
            counts: dict[str, Any] = status["counts"]
            return counts
        if time.monotonic() > deadline:
            raise CommandFailed("The events were accepted, but processing them takes long: see `leocdp status`.")
        time.sleep(0.3)


def _remove(client: Api, *, yes: bool, as_json: bool) -> None:
    source = _find(client)
    if source is None:
        show_one({"removed": False}, as_json=as_json, said="There is no demo to remove.")
        return
    confirm("The demo's visitors, their events and its source will be gone. Go on?", yes=yes)
    result = _outcome(client, client.post(f"/sources/{source['id']}/remove-data"))
    client.delete(f"/sources/{source['id']}")
    said = f"Removed {result['profiles']:,} profiles and {result['events']:,} events, and the source."
    if result["kept"]:
        said += f" {result['kept']:,} profiles stay, because other sources know them too."
    show_one({"removed": True, **result}, as_json=as_json, said=said)


def _outcome(client: Api, answer: dict[str, Any]) -> dict[str, Any]:
    """The result of a command, waited for when it takes longer than one request."""
    deadline = time.monotonic() + WAIT_SECONDS
    while "command_id" in answer and "profiles" not in answer:
        outcome = client.get(f"/commands/{answer['command_id']}")
        if outcome["state"] == "applied":
            answer = outcome["result"]
        elif outcome["state"] == "refused":
            raise CommandFailed(f"It was refused: {outcome['reason']}")
        elif time.monotonic() > deadline:
            raise CommandFailed(f"It still runs: see `/commands/{answer['command_id']}`, then run this again.")
        else:
            time.sleep(0.3)
    return answer
