"""Writes ``requirements/run.txt`` and ``requirements/dev.txt``: exact versions with hashes, for every platform.

``python scripts/lock.py [--upgrade]`` (``make lock``). Versions that are locked already stay unless ``--upgrade``.
No address of a package index gets into the files: everybody installs from the index that their pip is set up for.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "requirements"
PYTHON = "3.11"


def packages() -> list[Path]:
    """The project files of our own packages."""
    return [
        ROOT / "shared/pyproject.toml",
        *sorted(ROOT.glob("services/*/pyproject.toml")),
        ROOT / "cli/pyproject.toml",
    ]


def dependencies() -> Iterator[str]:
    """What our packages ask for, all extras included, except each other."""
    for path in packages():
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        for group in (project["dependencies"], *project.get("optional-dependencies", {}).values()):
            yield from (each for each in group if not each.startswith("leocdp"))


def compile_lock(output: Path, inputs: list[Path], *, upgrade: bool, constraint: Path | None = None) -> None:
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url"]
    command += ["--python-version", PYTHON, "--custom-compile-command", "make lock", "--no-annotate"]
    command += ["--output-file", str(output), *(["--upgrade"] if upgrade else [])]
    command += ["--constraints", str(constraint)] if constraint else []
    subprocess.run([sys.executable, "-m", *command, *map(str, inputs)], cwd=ROOT, check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    upgrade = parser.parse_args().upgrade
    run, dev = FOLDER / "run.txt", FOLDER / "dev.txt"
    with tempfile.TemporaryDirectory() as folder:
        ours = Path(folder) / "ours.in"
        ours.write_text("\n".join(sorted(set(dependencies()))) + "\n", encoding="utf-8")
        build = FOLDER / "build.in"
        compile_lock(run, [ours, build], upgrade=upgrade)
        compile_lock(dev, [ours, build, FOLDER / "dev.in"], upgrade=upgrade, constraint=run)
    for path in (run, dev):
        count = path.read_text(encoding="utf-8").count("==")
        print(f"{path.relative_to(ROOT)}: {count} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
