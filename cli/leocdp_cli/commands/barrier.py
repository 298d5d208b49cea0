"""``leocdp barrier``: hold all processors while ArangoDB is dumped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any, Final, TypeVar
from uuid import uuid4

import typer

from leocdp.adapters.engines import EngineUnknown, open_barrier
from leocdp.contracts.times import iso
from leocdp.kit.errors import LeoError
from leocdp.ports.barrier import Barrier, BarrierControl
from leocdp_cli import stores
from leocdp_cli.commands.options import AsJson
from leocdp_cli.failure import CommandFailed
from leocdp_cli.output import show_one

MARGIN_MS: Final = 10_000
"""So much before its end a barrier does not count as held any more: clocks of machines differ."""
SETTLE: Final = 1.0
"""Seconds after setting in which processors finish what needs no turn: removing what they have just published."""

T = TypeVar("T")

group = typer.Typer(
    no_args_is_help=True,
    help="Hold all processors while ArangoDB is dumped: the dump is one moment then. The backup of "
    "deploy/k8s/components/backup does this by itself.",
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="barrier")


@group.command("set")
def set_(
    minutes: Annotated[int, typer.Option(min=1, max=24 * 60, help="After so long it ends by itself.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Set the barrier and print its id: from now on nothing is committed until it is lifted or has expired.

    Observers go on; what they take waits in the log. Refused while another barrier stands.
    """
    now = _now()
    barrier = Barrier(f"bar_{uuid4().hex[:16]}", now, now + minutes * 60_000, version("leocdp-cli"))
    _run(lambda control: control.set(barrier))
    time.sleep(SETTLE)
    show_one(_shape(barrier), as_json=as_json, said=barrier.id)


@group.command("check")
def check(barrier: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Exit status 0 when this barrier has stood without a gap until now: what was dumped under it is one moment."""
    found = _run(lambda control: control.current())
    if found is None or found.id != barrier:
        instead = f"{found.id} is" if found else "none is"
        raise CommandFailed(f"The barrier {barrier} does not stand any more; {instead} set. Discard the dump.")
    if found.until - _now() < MARGIN_MS:
        raise CommandFailed(f"The barrier {barrier} ended at {iso(found.until)}. Discard the dump; allow more minutes.")
    typer.echo(f"{barrier} has stood since {iso(found.since)}.")


@group.command("lift")
def lift(
    barrier: Annotated[str, typer.Argument(metavar="[ID]", help="Only this one; without it, whichever is set.")] = "",
) -> None:
    """Let processors go on, within a second. Nothing happens when no barrier is set."""
    lifted = _run(lambda control: control.lift(barrier))
    typer.echo("Lifted." if lifted else "No barrier was set.")


@group.command("show")
def show(as_json: AsJson = False) -> None:
    """The barrier that is set, if any. In a database that was restored: the one that its dump was made under."""
    found = _run(lambda control: control.current())
    if found is None:
        show_one({}, as_json=as_json, said="No barrier is set.")
        return
    state = "stands until" if found.until > _now() else "expired at"
    show_one(_shape(found), as_json=as_json, said=f"{found.id}, set at {iso(found.since)}, {state} {iso(found.until)}.")


def _shape(barrier: Barrier) -> dict[str, Any]:
    return {**asdict(barrier), "since": iso(barrier.since), "until": iso(barrier.until)}


def _now() -> int:
    return int(time.time() * 1000)


def _run(work: Callable[[BarrierControl], Awaitable[T]]) -> T:
    async def done() -> T:
        control = open_barrier(stores.StoresSettings())
        await control.start()
        try:
            return await work(control)
        finally:
            await control.close()

    try:
        return asyncio.run(done())
    except EngineUnknown as error:
        raise CommandFailed(str(error), 2) from error
    except LeoError as error:
        raise stores.failed(error) from error
