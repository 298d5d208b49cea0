"""Everything that is delivered may be used for every purpose, and docs/licences.md says under which licence."""

from __future__ import annotations

import importlib.metadata
import json
import re

import pytest
from packaging.requirements import Requirement

from tests.architecture.project import ROOT

FAMILIES = {
    "Apache-2.0": r"apache",
    "MIT": r"\bMIT(-0)?\b",
    "BSD": r"BSD",
    "MPL-2.0": r"MPL|Mozilla Public License 2",
    "PSF": r"PSF|Python Software Foundation",
    "ISC": r"\bISC\b",
}
FORBIDDEN = re.compile(r"\b(A?GPL|LGPL|SSPL|BUSL)|General Public|Business Source|Commons Clause", re.IGNORECASE)
IN_A_FILE = {"@segment/facade", "@segment/isodate", "@segment/isodate-traverse", "new-date"}
"""npm packages whose file LICENSE, read by us, is MIT's."""
PAGE = (ROOT / "docs/licences.md").read_text(encoding="utf-8")
LOCKS = ("run", "observer", "processor", "admin", "gateway", "tools")


def installed(lock: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"\w", line)]
    return [each.name for each in pins if each.marker is None or each.marker.evaluate()]


def licence(package: str) -> str:
    """All that a package says about it, of texts the first line."""
    about = importlib.metadata.metadata(package)
    said = [*about.get_all("License-Expression", []), *about.get_all("License", [])]
    said += [each for each in about.get_all("Classifier", []) if each.startswith("License")]
    return "; ".join(text.split("\n")[0] for text in said if text)


@pytest.mark.parametrize("lock", LOCKS)
def test_python_packages_are_free_for_every_purpose(lock: str) -> None:
    families: set[str] = set()
    for package in installed(lock):
        said = licence(package)
        found = {name for name, pattern in FAMILIES.items() if re.search(pattern, said, re.IGNORECASE)}
        assert found, f"{package}: {said or 'says nothing'}"
        assert not FORBIDDEN.search(said), f"{package}: {said}"
        families |= found
    assert not [name for name in families if name not in PAGE]


@pytest.mark.parametrize("service", ["observer", "admin"])
def test_what_pages_load_is_free_for_every_purpose(service: str) -> None:
    lock = json.loads((ROOT / "services" / service / "package-lock.json").read_text(encoding="utf-8"))
    for path, package in lock["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if name and name not in IN_A_FILE:
            assert package["license"] in ("MIT", "0BSD", "ISC", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause"), name


def test_the_default_database_is_the_free_one() -> None:
    compose = (ROOT / "deploy/compose/compose.yaml").read_text(encoding="utf-8")
    assert "ARANGODB_IMAGE:-arangodb:3.11." in compose
    assert "| ArangoDB | **3.11** | Apache-2.0" in PAGE
