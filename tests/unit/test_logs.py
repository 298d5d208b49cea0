"""Logs never hold an identifier or a trait in clear, not even when something breaks."""

from __future__ import annotations

import subprocess
import sys

import pytest

BREAKS = """
import sys
from leocdp.ports.event_log import LogUnavailable
from leocdp.kit.logs import configure_logging, get_logger

configure_logging("breaking", format=sys.argv[1])

def applied(item):
    raise KeyError(item["email"])

try:
    applied({"email": "lan" + "@example.vn"})
except LookupError as error:
    try:
        raise LogUnavailable("The log is away.") from error
    except LogUnavailable:
        get_logger("test").exception("it broke", address="events/3/7")
"""


@pytest.mark.parametrize("format", ["console", "json"])
def test_a_traceback_shows_where_and_no_values(format: str) -> None:
    shown = subprocess.run([sys.executable, "-c", BREAKS, format], capture_output=True, text=True, check=True).stderr
    assert "it broke" in shown
    assert "events/3/7" in shown
    assert "KeyError" in shown
    assert "LogUnavailable: The log is away." in shown
    assert "in applied" in shown
    assert "lan@example.vn" not in shown
