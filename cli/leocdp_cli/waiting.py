"""``--wait``: commands that run as jobs beside what they need, and may come first."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from leocdp_cli.failure import Unreachable

T = TypeVar("T")

PAUSE = 1.0
"""Seconds between two tries."""
Wait = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="Try again for so long while something is away.")
]


def patiently(work: Callable[[], T], seconds: float) -> T:
    """The result of ``work``, which is tried again while it raises Unreachable; its last word after ``seconds``."""
    deadline = time.monotonic() + seconds
    said = ""
    while True:
        try:
            return work()
        except Unreachable as error:
            if time.monotonic() + PAUSE > deadline:
                raise
            if str(error) != said:
                typer.echo(f"leocdp: waiting. {error}", err=True)
                said = str(error)
        time.sleep(PAUSE)
