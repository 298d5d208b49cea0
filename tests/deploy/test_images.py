"""The steps of the images, done for real, and each service started from nothing but what its image would hold."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.architecture.project import ROOT, canonical
from tests.deploy.dockerfile import Context, Dockerfile
from tests.deploy.image_build import ImageBuilder, base_python, reachable
from tests.faults.stack import wait_for
from tests.ports import free_ports

OWN = {
    "observer": {"leocdp", "leocdp-observer"},
    "processor": {"leocdp", "leocdp-processor"},
    "admin": {"leocdp", "leocdp-admin"},
    "gateway": {"leocdp", "leocdp-gateway"},
    "tools": {"leocdp", "leocdp-cli"},
}
SERVICES = [name for name in OWN if name != "tools"]
DRIVERS = {
    "observer": {"aiokafka"},
    "processor": {"aiokafka", "arango"},
    "admin": {"aiokafka", "arango"},
    "gateway": set[str](),
    "tools": {"aiokafka", "arango"},
}
LIST = (
    "import importlib.metadata as m, json; print(json.dumps(sorted({d.metadata['Name'] for d in m.distributions()})))"
)
NOBODY = 10001


@pytest.fixture(scope="module")
def builder(dockerfile: Dockerfile) -> Iterator[ImageBuilder]:
    # Not pytest's folder, which other users may not enter: services run as another user here if they can.
    folder = Path(tempfile.mkdtemp(prefix="leocdp-images-"))
    folder.chmod(0o755)
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    yield ImageBuilder(dockerfile, Context(ROOT, rules), folder)
    shutil.rmtree(folder)


def python_in(root: Path, code: str) -> subprocess.CompletedProcess[str]:
    command = [str(root / "opt/leocdp/bin/python"), "-P", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)


@pytest.mark.needs("node")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("image", OWN)
def test_image_holds_what_its_lock_lists_and_our_two_packages(image: str, builder: ImageBuilder) -> None:
    root = builder.build(image)
    listed = {canonical(name) for name in json.loads(python_in(root, LIST).stdout)}
    assert listed == locked(image) | OWN[image]
    present = {name for name in ("aiokafka", "arango") if python_in(root, f"import {name}").returncode == 0}
    assert present == DRIVERS[image]


def locked(image: str) -> set[str]:
    """Names that the lock installs on this machine."""
    lines = (ROOT / "requirements" / f"{image}.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"\w", line)]
    return {canonical(each.name) for each in pins if each.marker is None or each.marker.evaluate()}


@contextmanager
def started(
    image: str, builder: ImageBuilder, root: Path, port: int
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The image's process, as its user where we may become that, and its health check's command."""
    file = builder.file
    entry, check = file.last(image, "ENTRYPOINT"), file.last(image, "HEALTHCHECK")
    assert entry is not None
    assert check is not None
    probe = json.loads(check.text[check.text.index("[") :])
    environment = builder.environment(image, root) | {
        probe[3]: str(port),
        "LEOCDP_GATEWAY_SECRET": "a secret of the tests, long enough",
    }
    other = NOBODY if os.getuid() == 0 and reachable(base_python()) else None
    process = subprocess.Popen(
        [str(root / "opt/leocdp/bin" / entry.words[0]), *entry.words[1:]],
        cwd=root / "data",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=other,
        group=other,
    )
    command = [str(root / "opt/leocdp/bin" / probe[0]), *(part.replace("/opt/", f"{root}/opt/") for part in probe[1:])]
    try:
        yield process, command
    finally:
        process.kill()
        process.wait()


def healthy(command: list[str], environment: dict[str, str], *more: str) -> bool:
    return subprocess.run([*command, *more], env=environment, capture_output=True, check=False).returncode == 0


@pytest.mark.needs("node")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("image", SERVICES)
def test_service_starts_as_its_user_is_well_and_stops_on_the_signal(image: str, builder: ImageBuilder) -> None:
    root = builder.build(image)
    (port,) = free_ports(1)
    before = files_outside_data(root)
    with started(image, builder, root, port) as (process, command):
        environment = {command[3]: str(port)}
        wait_for(lambda: process.poll() is not None or healthy(command, environment), 60, lambda: "not healthy")
        assert process.poll() is None, process.communicate()[0]
        assert not healthy(command, {command[3]: "1"}), "a port where nobody listens is not healthy"
        assert not healthy(command, environment, "/nothing-there"), "only 200 is healthy"
        process.terminate()
        said, _ = process.communicate(timeout=40)
    # Process 1 of a container does not feel the signal that is raised again at the end: there the status is 0.
    assert process.returncode in (0, -signal.SIGTERM), said
    assert files_outside_data(root) == before, "something was written that a read-only file system refuses"


def files_outside_data(root: Path) -> set[tuple[str, float]]:
    outside = [path for path in root.rglob("*") if path.relative_to(root).parts[0] not in ("data", "tmp")]
    return {(str(path), path.lstat().st_mtime) for path in outside if path.is_file()}


@pytest.mark.needs("node")
@pytest.mark.timeout(300)
def test_services_have_their_browser_assets(builder: ImageBuilder) -> None:
    assert list(builder.build("observer").rglob("leocdp_observer/assets/standalone.js"))
    assert list(builder.build("admin").rglob("leocdp_admin/static/vendor/tabler.min.css.gz"))
    assert not list(builder.build("observer").rglob("node_modules"))


@pytest.mark.needs("node")
@pytest.mark.timeout(300)
def test_tools_image_is_the_command_line(builder: ImageBuilder) -> None:
    root = builder.build("tools")
    entry = builder.file.last("tools", "ENTRYPOINT")
    assert entry is not None
    command = [str(root / "opt/leocdp/bin" / entry.words[0]), *entry.words[1:], "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root / "data", env={"HOME": "/"})
    assert done.returncode == 0, done.stderr
    assert {"migrate", "doctor"} <= set(done.stdout.split())
