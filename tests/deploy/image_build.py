"""Builds a stage of the Dockerfile without a container engine: each stage is a folder, its steps are really done.

Absolute paths of the instructions are taken below the folder of the stage. The base image is the Python that is here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

from tests.deploy.dockerfile import Context, Dockerfile, Instruction

SLOW = {"UV_COMPILE_BYTECODE", "UV_LINK_MODE", "UV_NO_CACHE", "PIP_NO_CACHE_DIR"}
"""What keeps an image small but a test slow."""
OF_THE_TESTS = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
OURS = re.compile(r"(?<![\w./:])/(?=build|opt|data|tmp)")
"""Where an absolute path begins that an image has."""


def reachable(python: str) -> bool:
    """Whether every user may run it."""
    path = Path(python).resolve()
    return path.is_file() and all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents])


def base_python() -> str:
    """The interpreter that stands for the base image's: of the version that the locks are made for, if there is one."""
    ours = f"{sys.base_prefix}/bin/python3"
    found = [each for each in ("/usr/local/bin/python3.11", "/usr/bin/python3.11") if _complete(each)]
    return next(filter(reachable, found), ours)


def _complete(python: str) -> bool:
    if not Path(python).exists():
        return False
    return not subprocess.run([python, "-c", "import ensurepip, venv"], check=False, capture_output=True).returncode


class ImageBuilder:
    def __init__(self, file: Dockerfile, context: Context, folder: Path) -> None:
        self.file = file
        self._context = context
        self._folder = folder
        self._python = base_python()

    def build(self, name: str) -> Path:
        """The folder of a stage with all that its instructions make, made when it is asked for first."""
        root = self._folder / name
        if root.exists():
            return root
        stage = self.file.stages[name]
        if stage.base in self.file.stages:
            original = self.build(stage.base)
            shutil.copytree(original, root, symlinks=True, copy_function=os.link)
            _same_owners(original, root)
        else:
            root.mkdir(mode=0o755)
            (root / "tmp").mkdir(mode=0o777)
        base = self.file.last(stage.base, "WORKDIR") if stage.base in self.file.stages else None
        workdir = base.text if base else "/"
        for instruction in stage.instructions:
            if instruction.name == "COPY":
                self._copy(instruction, root, workdir)
            elif instruction.name == "RUN":
                self._run(instruction, root, stage.name, workdir)
            elif instruction.name == "WORKDIR":
                workdir = instruction.text
                self.inside(root, workdir).mkdir(parents=True, exist_ok=True)
        return root

    @staticmethod
    def inside(root: Path, path: str, workdir: str = "/") -> Path:
        return root / str(PurePosixPath(workdir) / path).lstrip("/")

    def environment(self, name: str, root: Path) -> dict[str, str]:
        """What a process in the stage gets."""
        return {key: OURS.sub(f"{root}/", value) for key, value in self.file.environment(name).items()}

    def _copy(self, instruction: Instruction, root: Path, workdir: str) -> None:
        *sources, target = instruction.arguments
        destination = self.inside(root, target, workdir)
        if stage := instruction.options.get("from"):
            (source,) = sources
            shutil.copytree(
                self.inside(self.build(stage), source),
                destination,
                symlinks=True,
                copy_function=os.link,
                dirs_exist_ok=True,
            )
            return
        for source in sources:
            copied = list(self._context.files(source))
            assert copied, f"nothing to copy: {source}"
            for path in copied:
                self._copy_one(path, source, destination, into_folder=target.endswith("/"))

    def _copy_one(self, path: PurePosixPath, source: str, destination: Path, *, into_folder: bool) -> None:
        below = path.relative_to(source)
        if below.parts:
            target = destination / below
        else:
            target = destination / path.name if into_folder else destination
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self._context.root / path, target)

    def _run(self, instruction: Instruction, root: Path, stage: str, workdir: str) -> None:
        own = {key: value for key, value in self.environment(stage, root).items() if key not in {*SLOW, "PATH", "HOME"}}
        places = {"PYTHON": self._python, "TOOLS": f"{root}/build/tools", "VENV": f"{root}/opt/leocdp"}
        # Steps load packages: how that is done here, proxies and certificates, is in our environment.
        environment = {key: value for key, value in os.environ.items() if key not in OF_THE_TESTS} | own | places
        command = OURS.sub(f"{root}/", instruction.text)
        if os.getuid():
            command = re.sub(r"-[og] \d+ ", "", command)  # Only root can give files away.
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.inside(root, workdir),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{stage}: {instruction.text}\n{done.stdout}{done.stderr}"


def _same_owners(source: Path, copy: Path) -> None:
    """Folders that were made anew get the owner of the original; files are links to it."""
    for folder in filter(Path.is_dir, source.rglob("*")):
        found = folder.stat()
        os.chown(copy / folder.relative_to(source), found.st_uid, found.st_gid, follow_symlinks=False)
