"""The import contracts of pyproject.toml hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.architecture.project import ROOT, modules


def test_import_contracts_hold(tmp_path: Path) -> None:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--cache-dir", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " 0 broken" in done.stdout


def test_domain_takes_only_records_from_msgspec() -> None:
    """Structs are how its values are made; what they look like outside is for contracts and adapters to say."""
    taken = set()
    for name, module in modules().items():
        if name.startswith("leocdp.domain."):
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("msgspec"):
                    taken |= {f"{node.module}.{alias.name}" for alias in node.names}
                elif isinstance(node, ast.Import):
                    taken |= {alias.name for alias in node.names if alias.name.startswith("msgspec")}
    assert taken <= {"msgspec.Struct", "msgspec.field", "msgspec.structs.replace"}
