"""``leocdp barrier`` where there is nothing to hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from leocdp_cli.app import app
from leocdp_cli.failure import CommandFailed


@pytest.mark.parametrize("what", [["set"], ["check", "bar_1"], ["lift"], ["show"]], ids=" ".join)
def test_the_embedded_engine_needs_none(what: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["barrier", *what], env={"LEOCDP_DATA_DIR": str(tmp_path), "LEOCDP_STORE_URL": ""})
    assert isinstance(done.exception, CommandFailed)
    assert done.exception.status == 2
    assert "The embedded engine needs none" in str(done.exception)
