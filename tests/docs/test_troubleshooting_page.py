"""Every sentence that the page on troubleshooting explains is one that the code can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.architecture.project import ROOT

PAGE = ROOT / "docs" / "operations" / "troubleshooting.md"
FOLDERS = ("shared/leocdp", "services/observer", "services/processor", "services/admin", "services/api-gateway", "cli")
GAP = "\x00"
"""Stands for what is put into a text at run time."""


def rows() -> list[str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [line.split("|")[1].strip() for line in lines if line.startswith("| `")]


@cache
def said() -> str:
    """Every text of the code, with a gap for what comes at run time."""
    texts: list[str] = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                texts += _texts(ast.parse(path.read_text(encoding="utf-8")))
    return GAP.join(texts)


def _texts(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (str(one.value) if isinstance(one, ast.Constant) else GAP for one in node.values)
            yield "".join(parts)


def test_the_page_has_reasons() -> None:
    assert len(rows()) > 30


@pytest.mark.parametrize("row", rows())
def test_a_reason_is_one_that_the_code_gives(row: str) -> None:
    pieces = re.findall(r"`([^`]+)`", row)
    assert pieces
    assert [piece for piece in pieces if piece.strip() not in said()] == []
