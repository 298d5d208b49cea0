"""Who imports what, read from the sources."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions

from tests.architecture.project import Module, canonical, modules


def imported(module: Module, *, lazy: bool) -> Iterator[str]:
    """Dotted names a module imports; with ``lazy`` also inside functions, else only what loading it loads."""
    yield from _names(module, module.tree.body, lazy=lazy)


def _names(module: Module, body: list[ast.stmt], *, lazy: bool) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if f"{base}.{alias.name}" in modules())
        elif _is_skipped(node, lazy=lazy):
            continue
        else:
            for field in ("body", "orelse", "finalbody"):
                yield from _names(module, getattr(node, field, []), lazy=lazy)
            for handler in getattr(node, "handlers", []):
                yield from _names(module, handler.body, lazy=lazy)


def _is_skipped(node: ast.stmt, *, lazy: bool) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not lazy


@cache
def loaded_with(name: str) -> frozenset[str]:
    """Our modules that are loaded when ``name`` is imported, itself and parent packages included."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in seen or current not in modules():
            continue
        seen.add(current)
        waiting.append(current.rpartition(".")[0])
        waiting.extend(imported(modules()[current], lazy=False))
    return frozenset(seen)


def third_party(names: Iterator[str]) -> set[str]:
    """Top-level names that are neither ours nor the standard library's."""
    ours = {name.partition(".")[0] for name in modules()}
    return {top for top in (name.partition(".")[0] for name in names) if top} - ours - set(sys.stdlib_module_names)


@cache
def _providers() -> dict[str, frozenset[str]]:
    return {name: frozenset(map(canonical, dists)) for name, dists in packages_distributions().items()}


def provided_by(name: str) -> frozenset[str]:
    """Distributions that a top-level import may come from."""
    return _providers().get(name, frozenset({canonical(name)}))
