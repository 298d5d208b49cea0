"""The repository holds nothing of the machines that it was written or built on."""

from __future__ import annotations

import json
import re

from tests.architecture.project import texts

INDEX_HOSTS = re.compile(r"npm[j]s\.(?:org|com)|py[p]i\.org|python[h]osted\.org|maven[.]apache|debian[.]org")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:root|work)/(?!\s)[\w.]|/home/(?!leocdp|nonroot)[a-z]+/|/Users/[A-Za-z]+/")


def test_python_locks_hold_hashes_and_no_address() -> None:
    locks = {path: text for path, text in texts() if path.parts[0] == "requirements" and path.suffix == ".txt"}
    assert len(locks) >= 2
    for path, text in locks.items():
        lines = text.splitlines()
        assert not [line for line in lines if "://" in line or "index-url" in line or "find-links" in line], path
        pins = [number for number, line in enumerate(lines) if "==" in line]
        assert pins, path
        assert not [lines[number] for number in pins if "--hash=sha256:" not in lines[number + 1]], path


def test_npm_locks_hold_hashes_and_no_address() -> None:
    locks = {path: json.loads(text) for path, text in texts() if path.name == "package-lock.json"}
    assert locks
    for path, lock in locks.items():
        packages = {name: each for name, each in lock["packages"].items() if name and not each.get("link")}
        assert not [name for name, each in packages.items() if "resolved" in each], path
        assert not [name for name, each in packages.items() if "integrity" not in each], path


def test_no_file_names_a_package_index() -> None:
    assert not [str(path) for path, text in texts() if INDEX_HOSTS.search(text)]


def test_no_file_names_a_path_of_a_machine() -> None:
    assert not [str(path) for path, text in texts() if MACHINE_PATHS.search(text)]


def test_no_file_mentions_a_lock_of_another_tool() -> None:
    assert not [str(path) for path, _ in texts() if path.name in ("uv.lock", "poetry.lock", "yarn.lock")]
