"""The suite's own promise: what is missing skips with a reason, and fails where it is required."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

PROBE = """
import pytest
from tests import capabilities
capabilities.PROBES["node"] = lambda: "Node is away."

@pytest.mark.needs("node")
def test_marked():
    pass

def test_asked(need):
    need("node")
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, pytestconfig: pytest.Config) -> pytest.Pytester:
    root = pytestconfig.rootpath
    pytester.makeconftest((root / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makeini(f"[pytest]\nmarkers = needs: capabilities\nasyncio_mode = auto\npythonpath = {root}")
    pytester.makepyfile(PROBE)
    return pytester


def test_missing_capability_skips_and_says_why(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*node: Node is away.*"])


def test_required_capability_fails(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("--require", "node")
    outcomes = result.parseoutcomes()
    assert outcomes.get("skipped", 0) == 0
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 2
    result.stdout.fnmatch_lines(["*node is required: Node is away.*"])


def test_unknown_capability_is_refused(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("--require", "nodejs")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--require knows *; not nodejs*"])
