"""What a machine may lack, and how to find out. A test asks with ``need("node")`` or ``@pytest.mark.needs("node")``.

A missing capability skips the test and says why; ``--require node`` turns that skip into a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from scripts import kafka

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NODE_AT_LEAST = 20

Probe = Callable[[], str | None]
"""Returns what is missing, as a sentence; None when the capability is there."""


def _major(command: list[str], pattern: str) -> int | None:
    if shutil.which(command[0]) is None:
        return None
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(pattern, shown.stdout + shown.stderr)
    return int(found.group(1)) if found else None


def _node() -> str | None:
    major = _major(["node", "--version"], r"v(\d+)\.")
    if major is None:
        return "Node is not installed."
    if major < NODE_AT_LEAST:
        return f"Node {major} is installed, {NODE_AT_LEAST} or newer is needed."
    return None if shutil.which("npm") else "npm is not installed."


def browser_path() -> str | None:
    """The browser that tests drive: ``LEOCDP_TEST_BROWSER``, else Chromium from the path."""
    chosen = os.environ.get("LEOCDP_TEST_BROWSER")
    return chosen or next(filter(None, map(shutil.which, BROWSERS)), None)


def _browser() -> str | None:
    return None if browser_path() else "Chromium is not installed (or set LEOCDP_TEST_BROWSER to a browser)."


AXE = Path(__file__).parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"
"""The accessibility checker that the browser tests load into pages."""


def _axe() -> str | None:
    return None if AXE.exists() else "axe-core is not installed: run `npm ci` in tests/browser."


def _kafka() -> str | None:
    if os.environ.get("LEOCDP_TEST_KAFKA"):
        return None
    try:
        kafka.jars()
    except kafka.Stop as stop:
        return f"No broker, so set LEOCDP_TEST_KAFKA to one, or: {stop}"
    return None


def _arango() -> str | None:
    return None if os.environ.get("LEOCDP_TEST_ARANGO") else "No ArangoDB: set LEOCDP_TEST_ARANGO to a server."


KUBECTL_AT_LEAST = 21
"""1.21: the first whose kustomize knows components."""


def _kubectl() -> str | None:
    minor = _major(["kubectl", "version", "--client"], r"v1\.(\d+)")
    if minor is None:
        return "kubectl is not installed; it renders the manifests."
    return None if minor >= KUBECTL_AT_LEAST else f"kubectl 1.{minor} is too old to render the manifests."


def _promtool() -> str | None:
    return None if shutil.which("promtool") else "promtool is not installed (Debian: apt-get install prometheus)."


def _disk() -> str | None:
    """A small file system, which becomes full at a known size."""
    if shutil.which("mount") is None:
        return "There is no program `mount`."
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "leocdp-test", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"This user cannot mount a small file system: {done.stderr.strip()}"
        subprocess.run(["umount", "-l", folder], check=True)
    return None


PROBES: dict[str, Probe] = {
    "node": _node,
    "browser": _browser,
    "axe": _axe,
    "kafka": _kafka,
    "arango": _arango,
    "kubectl": _kubectl,
    "promtool": _promtool,
    "disk": _disk,
}


@cache
def missing(capability: str) -> str | None:
    """Why ``capability`` cannot be used here; None when it can. Raises KeyError for an unknown one."""
    return PROBES[capability]()


def required(config: pytest.Config) -> set[str]:
    """What ``--require`` names."""
    return {name.strip() for name in str(config.getoption("--require")).split(",") if name.strip()}


def give_up(config: pytest.Config, capability: str, reason: str) -> NoReturn:
    """Skips the test with the reason, or fails it where the capability is required."""
    if capability in required(config):
        pytest.fail(f"{capability} is required: {reason}", pytrace=False)
    pytest.skip(f"{capability}: {reason}")
