"""What stops an observer from starting is told in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def start(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
    environment |= {"LEOCDP_DATA_DIR": str(folder), "LEOCDP_LOG_FORMAT": "json", **settings}
    command = [sys.executable, "-m", "leocdp_observer"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEOCDP_OBSERVER_PORT", "abc"),
        ("LEOCDP_OBSERVER_RATE_LIMIT", "-1"),
        ("LEOCDP_OBSERVER_TRUSTED_PROXIES", "nowhere"),
        ("LEOCDP_LOG_URL", "ftp://host"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    result = start(tmp_path, **{name: value})
    assert result.returncode == 1
    assert name in result.stderr
    assert "Traceback" not in result.stderr


def test_a_log_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_text("my shopping list, which is long enough to be looked at")
    result = start(tmp_path, LEOCDP_OBSERVER_PORT="0")
    assert result.returncode != 0
    assert str(tmp_path / "log.db") in result.stderr
    assert "Traceback" not in result.stderr
