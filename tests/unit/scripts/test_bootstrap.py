"""``make run`` on machines that lack something: it says what, and what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NODE = "#!/bin/sh\necho v20.11.0\n"


class Machine:
    """A copy of the bootstrap in a folder of its own, and a path with nothing on it but what is put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        (folder / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "bootstrap.py", folder / "scripts")

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def link(self, name: str, target: str) -> None:
        (self.bin / name).symlink_to(target)

    def run(self, profile: str = "run", **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LEOCDP_", "PYTHON"))}
        return subprocess.run(
            [sys.executable, str(self.folder / "scripts" / "bootstrap.py"), profile],
            env={**clean, "PATH": str(self.bin), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.program("npm", "#!/bin/sh\n")
    return made


def test_no_node(machine: Machine) -> None:
    done = machine.run()
    assert done.returncode == 1
    assert "install Node.js 20 or newer" in done.stderr


def test_old_node(machine: Machine) -> None:
    machine.program("node", "#!/bin/sh\necho v18.19.0\n")
    done = machine.run()
    assert done.returncode == 1
    assert "Node v18.19.0 was found; version 20 or newer is needed." in done.stderr


def test_old_python(machine: Machine) -> None:
    machine.program("node", NODE)
    machine.program("old-python", "#!/bin/sh\necho 3 9\necho complete\n")
    done = machine.run(LEOCDP_PYTHON=str(machine.bin / "old-python"))
    assert done.returncode == 1
    assert "Only Python 3.9 was found; Python 3.11 or newer is needed." in done.stderr


def test_python_without_ensurepip(machine: Machine) -> None:
    machine.program("node", NODE)
    machine.program("bare-python", "#!/bin/sh\necho 3 12\nexit 1\n")
    done = machine.run(LEOCDP_PYTHON=str(machine.bin / "bare-python"))
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_first_python_that_can_is_taken(machine: Machine) -> None:
    """The environment is made with the first one that is new enough and complete; then packages are asked for."""
    machine.program("node", NODE)
    machine.program("python3", "#!/bin/sh\necho 3 8\necho complete\n")
    machine.program("python3.13", "#!/bin/sh\necho 3 13\nexit 1\n")
    machine.link("python3.12", sys.executable)
    (machine.folder / "requirements").mkdir()
    for name in ("run.txt", "dev.txt"):
        (machine.folder / "requirements" / name).write_text("no-such-package-of-ours==1.0 --hash=sha256:00\n")
    for name in ("shared", "cli", "services/observer", "services/processor", "services/admin", "services/api-gateway"):
        (machine.folder / name).mkdir(parents=True)
        (machine.folder / name / "pyproject.toml").write_text("")
    done = machine.run(PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0", PIP_NO_INDEX="1")
    assert "Making the environment .venv" in done.stdout
    assert "Installing 1 Python packages" in done.stdout
    assert done.returncode == 1
    assert "Is the package index reachable?" in done.stderr


def test_wrong_usage(machine: Machine) -> None:
    assert "Usage:" in machine.run("everything").stderr
