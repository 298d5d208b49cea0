"""Writes the locks in ``requirements``: exact versions with hashes, for every platform.

``run.txt`` is for everything on one machine, ``dev.txt`` has the tools of developers besides; the others are parts of
these for one image each (``deploy/images``), and ``image-build.txt`` is what the images are built with.

``python scripts/lock.py [--upgrade]`` (``make lock``). Versions that are locked already stay unless ``--upgrade``.
No address of a package index gets into the files: everybody installs from the index that their pip is set up for.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "requirements"
PYTHON = "3.11"
IMAGES = {
    "observer": ("services/observer", {"kafka"}),
    "processor": ("services/processor", {"kafka", "arango"}),
    "admin": ("services/admin", {"kafka", "arango"}),
    "gateway": ("services/api-gateway", set[str]()),
    "tools": ("cli", {"kafka", "arango"}),
}
"""Image → the folder of its package, and the drivers that it needs: extras of the shared package."""


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
        project = project_of(path.parent)
        for group in (project["dependencies"], *project.get("optional-dependencies", {}).values()):
            yield from (each for each in group if not each.startswith("leocdp"))


def image_dependencies(folder: str, drivers: set[str]) -> Iterator[str]:
    """What one package and the shared one ask for, with these drivers."""
    own = project_of(ROOT / folder)["dependencies"]
    shared = project_of(ROOT / "shared")
    extras = set(drivers)
    for each in own:
        if each.startswith("leocdp"):
            extras |= set(re.findall(r"[a-z]+", each.removeprefix("leocdp")))
        else:
            yield each
    yield from shared["dependencies"]
    for extra in sorted(extras):
        yield from shared["optional-dependencies"][extra]


def project_of(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def compile_lock(output: Path, inputs: list[Path], *, upgrade: bool, constraint: Path | None = None) -> Path:
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url"]
    command += ["--python-version", PYTHON, "--custom-compile-command", "make lock", "--no-annotate"]
    command += ["--output-file", str(output), *(["--upgrade"] if upgrade else [])]
    command += ["--constraints", str(constraint)] if constraint else []
    subprocess.run([sys.executable, "-m", *command, *map(str, inputs)], cwd=ROOT, check=True)
    return output


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    upgrade = parser.parse_args().upgrade
    with tempfile.TemporaryDirectory() as folder:
        written = list(locks(Path(folder), upgrade=upgrade))
    for path in written:
        count = path.read_text(encoding="utf-8").count("==")
        print(f"{path.relative_to(ROOT)}: {count} packages")
    return 0


def locks(scratch: Path, *, upgrade: bool) -> Iterator[Path]:
    """Compile all of them, one after the other: those that come later take the versions of those before."""
    run, dev = FOLDER / "run.txt", FOLDER / "dev.txt"
    ours, build = write(scratch / "ours.in", dependencies()), FOLDER / "build.in"
    yield compile_lock(run, [ours, build], upgrade=upgrade)
    yield compile_lock(dev, [ours, build, FOLDER / "dev.in"], upgrade=upgrade, constraint=run)
    yield compile_lock(FOLDER / "image-build.txt", [FOLDER / "image-build.in"], upgrade=upgrade, constraint=dev)
    for image, (folder, drivers) in IMAGES.items():
        wanted = write(scratch / f"{image}.in", image_dependencies(folder, drivers))
        yield compile_lock(FOLDER / f"{image}.txt", [wanted], upgrade=upgrade, constraint=run)


def write(path: Path, requirements: Iterator[str]) -> Path:
    path.write_text("\n".join(sorted(set(requirements))) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())
