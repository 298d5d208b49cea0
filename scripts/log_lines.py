"""Every line that the product can log, found in its code: event, levels, fields, and which parts say it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = {
    "observer": "services/observer/leocdp_observer",
    "processor": "services/processor/leocdp_processor",
    "admin": "services/admin/leocdp_admin",
    "gateway": "services/api-gateway/leocdp_gateway",
    "command line": "cli/leocdp_cli",
    "all": "shared/leocdp",
}
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}


@dataclass
class Line:
    event: str
    levels: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)


def lines() -> list[Line]:
    """Sorted by event. Raises SystemExit for a call whose event is no plain text: nobody could look for it."""
    found: dict[str, Line] = {}
    for part, folder in PARTS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
                _note(call, part, path, found)
    return sorted(found.values(), key=lambda line: line.event.lower())


def _calls(module: ast.Module) -> Iterator[ast.Call]:
    names = {
        target.id
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _name(node.value.func) == "get_logger"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _name(node.func.value) in names:
            yield node


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _note(call: ast.Call, part: str, path: Path, found: dict[str, Line]) -> None:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    event = call.args[0] if call.args else None
    plain = isinstance(event, ast.Constant) and isinstance(event.value, str)
    if method not in LEVELS or not plain or any(keyword.arg is None for keyword in call.keywords):
        raise SystemExit(f"{path}:{call.lineno}: a log line is a level, a text as it is, and fields by name.")
    assert isinstance(event, ast.Constant)
    line = found.setdefault(str(event.value), Line(str(event.value)))
    line.levels.add(LEVELS[method])
    line.fields |= {str(keyword.arg) for keyword in call.keywords if keyword.arg != "exc_info"}
    if method == "exception" or any(keyword.arg == "exc_info" for keyword in call.keywords):
        line.fields.add("exception")
    line.parts.add(part)
