"""What can be read off the Dockerfile: pinned bases, users, signals, and what gets into a build."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from scripts.lock import IMAGES
from tests.architecture.project import ROOT
from tests.deploy.dockerfile import Context, Dockerfile, expand, parse

TEXT = (ROOT / "deploy/images/Dockerfile").read_text(encoding="utf-8")
DIGEST = f"sha256:{'0123456789abcdef' * 4}"


def test_there_is_an_image_for_every_service_and_the_command_line(dockerfile: Dockerfile) -> None:
    assert {name for name, stage in dockerfile.stages.items() if stage.base == "runtime"} == set(IMAGES)


def test_bases_are_pinned_and_name_no_registry(dockerfile: Dockerfile) -> None:
    bases = {stage.base for stage in dockerfile.stages.values()} - set(dockerfile.stages)
    assert {base.partition(":")[0] for base in bases} == {"python", "node"}
    assert all(re.fullmatch(r"\w+:\d+\.\d+\.\d+-[a-z-]+", base) for base in bases), bases


def test_a_digest_pins_a_base_besides_its_tag() -> None:
    pinned = parse(TEXT, {"PYTHON_DIGEST": DIGEST})
    assert pinned.stages["python"].base == f"python:{pinned.arguments['PYTHON_TAG']}@{DIGEST}"
    assert pinned.stages["assets"].base == f"node:{pinned.arguments['NODE_TAG']}"


def test_the_locks_are_for_the_python_of_the_image(dockerfile: Dockerfile) -> None:
    project = (ROOT / "shared/pyproject.toml").read_text(encoding="utf-8")
    oldest = re.search(r'requires-python = ">=(\d+\.\d+)"', project)
    assert oldest
    assert dockerfile.arguments["PYTHON_TAG"].startswith(f"{oldest[1]}.")


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_one_process_without_a_shell_and_rights(image: str, dockerfile: Dockerfile) -> None:
    entry, user, stop = (dockerfile.last(image, name) for name in ("ENTRYPOINT", "USER", "STOPSIGNAL"))
    assert entry is not None
    assert entry.words[:3] == ["python", "-P", "-m"]
    assert dockerfile.last(image, "CMD") is None
    assert user is not None
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", user.text)
    assert stop is not None
    assert stop.text == "SIGTERM"
    check = dockerfile.last(image, "HEALTHCHECK")
    assert check is not None
    assert (check.text == "NONE") == (image == "tools")


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_made_of_the_environment_alone(image: str, dockerfile: Dockerfile) -> None:
    """Nothing of what builds it: no sources, no npm, no cache."""
    steps = [each for stage in dockerfile.chain(image) for each in stage.instructions if each.name in ("COPY", "RUN")]
    copied = [each.arguments[-1] for each in steps if each.name == "COPY"]
    assert copied == ["/licenses/LICENSE", "/opt/probe.py", "/opt/leocdp"]
    assert [each.text.split()[0] for each in steps if each.name == "RUN"] == ["install"]


def test_every_step_is_one_of_the_script(dockerfile: Dockerfile) -> None:
    ran = [each.text for stage in dockerfile.stages.values() for each in stage.all("RUN")]
    assert all(re.match(r"deploy/images/install\.sh (tools|assets|packages|ours)\b|install -d ", text) for text in ran)
    checked = subprocess.run(["sh", "-n", str(ROOT / "deploy/images/install.sh")], check=False, capture_output=True)
    assert checked.returncode == 0, checked.stderr
    wrong = subprocess.run([str(ROOT / "deploy/images/install.sh"), "x"], check=False, capture_output=True, text=True)
    assert (wrong.returncode, wrong.stderr) == (2, "install.sh knows no step x\n")


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
@pytest.mark.parametrize("image", IMAGES)
def test_nothing_has_to_be_compiled_for_an_image(image: str, processor: str, tmp_path: Path) -> None:
    """The base image has no compiler, and its libraries are at least those of manylinux_2_28."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", "3.11", "--python-platform", f"{processor}-manylinux_2_28"]
    command += ["--require-hashes", "-r", str(ROOT / "requirements" / f"{image}.txt"), "--target", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_but_sources_and_locks_gets_into_a_build() -> None:
    context = Context(ROOT, (ROOT / ".dockerignore").read_text(encoding="utf-8"))
    for path in (
        *("deploy/compose/.env", "var/secrets/erasure_key", ".git/config", "tests/conftest.py", "docs/README.md"),
        *("services/admin/node_modules/htmx.org/package.json", "shared/leocdp/__pycache__/x.cpython-311.pyc"),
        *("services/observer/leocdp_observer/assets/standalone.js", ".venv/pyvenv.cfg", "Makefile"),
        "services/admin/leocdp_admin/static/vendor/htmx.min.js",
    ):
        assert not context.holds(PurePosixPath(path)), path
    for path in (
        *("LICENSE", "shared/leocdp/kit/serve.py", "cli/pyproject.toml", "requirements/observer.txt"),
        *("services/admin/leocdp_admin/static/app.js", "services/observer/.npmrc", "deploy/images/install.sh"),
    ):
        assert context.holds(PurePosixPath(path)), path


def test_variables_are_put_in_as_the_shell_does() -> None:
    values = {"a": "1", "empty": ""}
    assert expand("$a ${a} ${b} ${b:-2} ${a:-2} ${a:+x$a} ${empty:+x}.", values) == "1 1  2 1 x1 ."
    with pytest.raises(KeyError, match="set it"):
        expand("${b:?set it}", values)
