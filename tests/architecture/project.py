"""What the architecture tests look at: the project's own files and packages."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "leocdp": "shared",
    "leocdp_observer": "services/observer",
    "leocdp_processor": "services/processor",
    "leocdp_admin": "services/admin",
    "leocdp_gateway": "services/api-gateway",
    "leocdp_cli": "cli",
}
"""Import name → folder of its project."""
BINARY = {".png", ".ico", ".woff2", ".gz", ".jar", ".gif", ".jpg"}


NOT_OURS = {".git", ".venv", "node_modules", "__pycache__", "var", "build", "vendor", "assets"}
"""Folders that are ignored; only looked at where there is no git to ask."""


@cache
def own_files() -> tuple[Path, ...]:
    """Everything that is or may become part of the repository: tracked, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    else:
        listed = [str(path.relative_to(ROOT)) for path in _walk(ROOT)]
    return tuple(ROOT / line for line in sorted(set(listed)) if (ROOT / line).is_file())


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in NOT_OURS and not path.name.endswith(("_cache", ".egg-info")):
            yield from _walk(path)
        elif path.is_file():
            yield path


def texts() -> Iterator[tuple[Path, str]]:
    """(path relative to the root, content) of the text files."""
    for path in own_files():
        if path.suffix not in BINARY:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@cache
def modules() -> dict[str, Module]:
    """Dotted name → module, of all packages."""
    found = {}
    for package, folder in PACKAGES.items():
        base = ROOT / folder
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def project_file(package: str) -> dict[str, object]:
    """The table ``project`` of a package's pyproject.toml."""
    path = ROOT / PACKAGES[package] / "pyproject.toml"
    table: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    return table


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", distribution, maxsplit=1)[0]).lower()
