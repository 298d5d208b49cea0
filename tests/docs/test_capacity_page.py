"""docs/capacity.md shows what the command says."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from leocdp_cli.app import app
from tests.architecture.project import ROOT

PAGE = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```\n\$ leocdp (capacity [^\n]+)\n(.*?)\n```", PAGE, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(SHOWN) == 3


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_examples_are_what_it_says_today(command: str, output: str) -> None:
    assert CliRunner().invoke(app, command.split()).output.strip() == output
