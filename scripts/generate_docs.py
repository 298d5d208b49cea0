"""Writes docs/settings.md, docs/metrics.md, docs/cli.md and the table of docs/logs.md from the code; ``--check`` only
compares.

Exit status of ``--check``: 1 when a page differs from what the code says.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import log_lines
import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from leocdp.kit.metrics import catalogue
from leocdp.kit.settings import ServiceSettings
from leocdp_cli.app import app

DOCS = Path(__file__).resolve().parents[1] / "docs"
NOTE = "<!-- Made by `make docs` from the code; edit the code. -->"
LINES_BELOW = "<!-- Below: made by `make docs` from the code; edit the code. -->"
SETTINGS = {
    "Observer": "leocdp_observer.settings",
    "Processor": "leocdp_processor.settings",
    "Admin": "leocdp_admin.settings",
    "API gateway": "leocdp_gateway.settings",
    "leocdp run": "leocdp_cli.supervisor.settings",
    "Commands over the API": "leocdp_cli.connection",
    "leocdp migrate, topics and doctor": "leocdp_cli.stores",
    "leocdp create-database": "leocdp_cli.databases",
}


def settings_class(module: ModuleType) -> type[BaseSettings]:
    """The one settings class that a module defines."""
    found = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, BaseSettings) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise SystemExit(f"{module.__name__} should define one settings class, it has {len(found)}.")
    return found[0]


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        yield f"{prefix}{name}".upper(), field


def default_text(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=False)
    if field.is_required():
        return "required"
    if isinstance(value, SecretStr) or value is None or value == "":
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def settings_table(fields: dict[str, FieldInfo]) -> list[str]:
    lines = [row(["variable", "default", "meaning"]), "|---|---|---|"]
    return lines + [row([f"`{name}`", default_text(each), each.description or ""]) for name, each in fields.items()]


def settings_page() -> str:
    shared = dict(variables(ServiceSettings))
    lines = ["# Settings", NOTE, "", "Every setting is an environment variable. An empty default means: not set.", ""]
    lines += ["## All services", "", *settings_table(shared)]
    for title, module in SETTINGS.items():
        own = dict(variables(settings_class(importlib.import_module(module))))
        lines += ["", f"## {title}", "", *settings_table({name: own[name] for name in own if name not in shared})]
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    lines = [
        "# Metrics",
        NOTE,
        "",
        "Each service answers `/metrics` on its own port, in the Prometheus text format.",
        "",
    ]
    lines += [row(["name", "kind", "labels", "meaning"]), "|---|---|---|---|"]
    for spec in catalogue():
        labels = ", ".join(f"`{label}`" for label in spec.labels)
        lines.append(row([f"`{spec.name}`", spec.kind, labels, spec.help]))
    return "\n".join(lines) + "\n"


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(full name, command), depth first in the order of the help."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


def parameter_row(parameter: Any) -> str:
    names = [parameter.metavar or parameter.name.upper()] if parameter.param_type_name == "argument" else parameter.opts
    shown = ", ".join([*names, *parameter.secondary_opts])
    marks = "required" if parameter.required else ""
    return row([f"`{shown}`", marks, getattr(parameter, "help", None) or ""])


def cli_page() -> str:
    lines = ["# Command line", NOTE, "", "Every command has `--help`; `--json` prints JSON for programs.", ""]
    lines += ["Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 the system cannot be reached."]
    for path, command in commands(typer.main.get_command(app), "leocdp"):
        lines += ["", f"## `{path}`", "", " ".join((command.help or "").split())]
        shown = [parameter_row(each) for each in command.params if each.name != "help"]
        if shown:
            lines += ["", row(["parameter", "", "meaning"]), "|---|---|---|", *shown]
    return "\n".join(lines) + "\n"


def logs_page() -> str:
    """The page as it is written by hand, and below it every line that can be logged."""
    by_hand = (DOCS / "logs.md").read_text(encoding="utf-8").partition(LINES_BELOW)[0]
    table = [row(["event", "level", "fields", "who"]), "|---|---|---|---|"]
    for line in log_lines.lines():
        fields = ", ".join(f"`{name}`" for name in sorted(line.fields))
        table.append(row([line.event, ", ".join(sorted(line.levels)), fields, ", ".join(sorted(line.parts))]))
    return "\n".join([f"{by_hand}{LINES_BELOW}", "", *table]) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "cli.md": cli_page,
    "logs.md": logs_page,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a page is out of date")
    check = parser.parse_args().check
    outdated = []
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        outdated.append(name)
        if not check:
            DOCS.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if outdated:
        print(f"{'Out of date' if check else 'Written'}: {', '.join(outdated)}." + (" Run make docs." if check else ""))
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
