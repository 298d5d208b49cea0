"""Options that many commands have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from leocdp_cli.connection import Api, connect

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the API, from the options before the command."""

    url: str = ""
    api_key: str = ""


def api(context: typer.Context) -> Api:
    access = context.find_object(Access) or Access()
    return connect(access.url, access.api_key)


def confirm(question: str, *, yes: bool) -> None:
    """Ends the command unless the person agrees."""
    if not yes:
        typer.confirm(question, abort=True)
