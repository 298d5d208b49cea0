"""What commands print: columns for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer


def show_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool, empty: str) -> None:
    """``columns``: heading → field. ``empty`` is the sentence for no rows."""
    if as_json:
        show_json(list(rows))
    elif not rows:
        typer.echo(empty)
    else:
        typer.echo(table(list(columns), [[text(row.get(field)) for field in columns.values()] for row in rows]))


def show_one(value: Mapping[str, Any], *, as_json: bool, said: str) -> None:
    """The value for programs, ``said`` for people."""
    if as_json:
        show_json(value)
    else:
        typer.echo(said)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def text(value: Any) -> str:
    """One cell: lists with commas, nothing as a dash."""
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
