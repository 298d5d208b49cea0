"""Makes everything that ``make run`` and ``make test`` need, and only what is missing or has changed.

``python3 scripts/bootstrap.py run|dev``: a virtual environment in ``.venv`` with the locked packages and our own,
and the browser assets of the services (npm). Needs Python 3.11 or newer, Node 20 or newer, and nothing else.

Standard library only, and the syntax of old Pythons, so that it can say what is too old.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PYTHON_AT_LEAST = (3, 11)
NODE_AT_LEAST = 20
CANDIDATES = ("python3", "python3.13", "python3.12", "python3.11", "python3.14", "python")
PACKAGES = (
    *("shared", "services/observer", "services/processor", "services/admin", "services/api-gateway"),
    "cli",
)
ASSET_SOURCES = {".js", ".mjs", ".ts", ".css", ".svg", ".json"}
NOT_SOURCES = {"node_modules", "static", "assets", "__pycache__"}


class Stop(SystemExit):
    """Ends with a sentence that says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__("\n" + sentence)


def say(line: str) -> None:
    print("• " + line, flush=True)


def digest(*parts: str | Path) -> str:
    """Changes whenever one of the texts, or the content of one of the files, does."""
    made = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        made.update(f"{part} {len(content)}\n".encode() + content)
    return made.hexdigest()


def files(folder: Path) -> list[Path]:
    """All files of a folder but those that are installed or built."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        found += [Path(parent, name) for name in names]
    return sorted(found)


class Stamp:
    """Remembers in ``path`` for which digest a step was done."""

    def __init__(self, path: Path, wanted: str) -> None:
        self.path, self.wanted = path, wanted

    def fits(self) -> bool:
        return self.path.exists() and self.path.read_text(encoding="ascii") == self.wanted

    def set(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.wanted, encoding="ascii")


def run(command: list[str], problem: str, cwd: Path = ROOT) -> None:
    """Quietly; when it fails, its last words and ``problem``."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-20:]), file=sys.stderr)
        raise Stop(f"{problem} What went wrong stands above.")


# Python


def inspect(python: str, modules: str) -> tuple[tuple[int, int], bool] | None:
    """(version, whether it has the modules) of an interpreter; None when it does not run."""
    code = f"import sys; print(*sys.version_info[:2])\nimport {modules}\nprint('complete')"
    try:
        told = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = told.split()
    return ((int(words[0]), int(words[1])), "complete" in words) if len(words) >= 2 else None


def find_python() -> str:
    """The interpreter that the environment is made with: LEOCDP_PYTHON, else the first on the path that can."""
    chosen = os.environ.get("LEOCDP_PYTHON")
    found = {
        name: inspect(name, "ensurepip, venv") for name in ((chosen,) if chosen else (*CANDIDATES, sys.executable))
    }
    usable = {name: facts for name, facts in found.items() if facts and facts[0] >= PYTHON_AT_LEAST}
    for name, facts in usable.items():
        if facts[1]:
            return name
    if usable:
        name = next(iter(usable))
        raise Stop(
            f"{name} cannot make virtual environments: its module venv or ensurepip is missing. "
            "On Debian and Ubuntu: apt-get install python3-venv. Then run this again."
        )
    versions = sorted({".".join(map(str, facts[0])) for facts in found.values() if facts})
    here = f"Only Python {', '.join(versions)} was found" if versions else "No Python was found"
    raise Stop(f"{here}; Python 3.11 or newer is needed. Install it, or name one with LEOCDP_PYTHON=/path/to/python3.")


def make_venv() -> None:
    facts = inspect(str(PYTHON), "pip") if PYTHON.exists() else None
    if facts and facts[0] >= PYTHON_AT_LEAST and facts[1]:
        return
    python = find_python()
    version = subprocess.run([python, "-V"], capture_output=True, text=True, check=False).stdout.strip()
    say(f"Making the environment .venv with {version}")
    run([python, "-m", "venv", "--clear", str(VENV)], "The virtual environment could not be made.")


def packages_stamp(profile: str) -> Stamp:
    locks = [ROOT / "requirements" / f"{name}.txt" for name in ("run", profile)]
    projects = [ROOT / folder / "pyproject.toml" for folder in PACKAGES]
    config = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    return Stamp(VENV / ".stamps" / profile, digest(str(ROOT), config, *locks, *projects))


def install_packages(profile: str) -> None:
    """The locked packages (``requirements/<profile>.txt``) and then our own, editable. ``dev`` includes ``run``."""
    stamp = packages_stamp(profile)
    if stamp.fits() or packages_stamp("dev").fits():
        return
    lock = ROOT / "requirements" / f"{profile}.txt"
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    count = len(re.findall(r"^\S+==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    say(f"Installing {count} Python packages (requirements/{profile}.txt)")
    network = "Is the package index reachable? Behind a proxy set HTTPS_PROXY, for another index PIP_INDEX_URL."
    run([*pip, "--require-hashes", "-r", str(lock)], f"The Python packages could not be installed. {network}")
    say("Installing the packages of this project")
    editable = [word for folder in PACKAGES for word in ("-e", str(ROOT / folder))]
    run([*pip, "--no-build-isolation", *editable], "The packages of this project could not be installed.")
    stamp.set()


# Node


def check_node() -> str:
    """The major version, for stamps."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise Stop("Node or npm was not found: install Node.js 20 or newer (npm comes with it), then run this again.")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = told.strip().lstrip("v").partition(".")[0]
    if not major.isdigit() or int(major) < NODE_AT_LEAST:
        raise Stop(f"Node {told.strip()} was found; version {NODE_AT_LEAST} or newer is needed.")
    return major


def build_assets(folder: Path) -> None:
    """What a service serves to browsers: ``build_assets.py`` of its folder installs by npm and copies or builds."""
    scripts = [path for path in files(folder) if path.suffix in ASSET_SOURCES]
    scripts += [folder / "build_assets.py"]
    stamp = Stamp(folder / "node_modules" / ".stamp", digest(str(folder), check_node(), *scripts))
    if stamp.fits():
        return
    say(f"Building the browser assets of {folder.name} (npm)")
    network = "Is the npm registry reachable?"
    run([str(PYTHON), str(folder / "build_assets.py")], f"The assets of {folder.name} could not be built. {network}")
    stamp.set()


def install_node_packages(folder: Path) -> None:
    """Packages that tests use, from their lock file."""
    lock = folder / "package-lock.json"
    stamp = Stamp(folder / "node_modules" / ".stamp", digest(check_node(), lock))
    if stamp.fits():
        return
    say(f"Installing the npm packages of {folder.relative_to(ROOT)}")
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    run(command, "npm could not install them. Is the npm registry reachable?", cwd=folder)
    stamp.set()


def main() -> None:
    if sys.argv[1:] not in (["run"], ["dev"]):
        raise Stop("Usage: python3 scripts/bootstrap.py run|dev")
    profile = sys.argv[1]
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "bootstrap.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second make in another terminal waits for the first
        check_node()
        make_venv()
        install_packages(profile)
        for script in sorted((ROOT / "services").glob("*/build_assets.py")):
            build_assets(script.parent)
        if profile == "dev":
            for lock_file in files(ROOT / "tests"):
                if lock_file.name == "package-lock.json":
                    install_node_packages(lock_file.parent)


if __name__ == "__main__":
    main()
