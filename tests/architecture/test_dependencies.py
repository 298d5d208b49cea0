"""Each package declares what it imports, and loads with nothing else installed."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from tests.architecture.imports import imported, loaded_with, provided_by, third_party
from tests.architecture.project import PACKAGES, canonical, modules, project_file

EXTRAS = {
    "leocdp.kit.http_head": "web",
    "leocdp.kit.serve": "web",
    "leocdp.kit.web": "web",
    "leocdp.adapters.kafka": "kafka",
    "leocdp.adapters.arango": "arango",
}
"""Modules of the shared package that only load with an extra."""
LOADED_BY_NAME = {"uvloop", "httptools", "tzdata", "python-multipart"}
"""Dependencies that no import statement names: a server's parts, data, and a framework's form parser."""


def declared(package: str) -> set[str]:
    listed = project_file(package)["dependencies"]
    assert isinstance(listed, list)
    return {canonical(each) for each in listed}


def extra(name: str) -> set[str]:
    groups = project_file("leocdp").get("optional-dependencies", {})
    assert isinstance(groups, dict)
    return {canonical(each) for each in groups.get(name, [])}


def extras_asked_for(package: str) -> set[str]:
    listed = project_file(package)["dependencies"]
    assert isinstance(listed, list)
    asked = [re.match(r"leocdp\[(.*?)\]", each) for each in listed]
    return set(chain.from_iterable(found.group(1).split(",") for found in asked if found))


def installed_for(package: str) -> set[str]:
    """What is there when only this package is installed, as far as our own declarations say."""
    if package == "leocdp":
        return declared("leocdp")
    return declared(package) | declared("leocdp") | set().union(*map(extra, extras_asked_for(package)))


def extra_of(module: str) -> str | None:
    return next((name for prefix, name in EXTRAS.items() if f"{module}.".startswith(f"{prefix}.")), None)


def unmet(names: set[str], available: set[str]) -> set[str]:
    return {name for name in names if not provided_by(name) & available}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_declares_what_it_imports(package: str) -> None:
    problems = {}
    for module in modules().values():
        if module.name.partition(".")[0] != package:
            continue
        own = extra_of(module.name) if package == "leocdp" else None
        available = declared(package) | (extra(own) if own else set())
        available |= extra("web") if "web" in extras_asked_for(package) else set()
        if missing := unmet(third_party(imported(module, lazy=own is not None)), available):
            problems[module.name] = missing
    assert not problems


@pytest.mark.parametrize("package", PACKAGES)
def test_package_loads_with_its_own_dependencies_alone(package: str) -> None:
    available = installed_for(package)
    problems = {}
    for name in modules():
        if name.partition(".")[0] != package or (package == "leocdp" and extra_of(name)):
            continue
        needed = third_party(chain.from_iterable(imported(modules()[each], lazy=False) for each in loaded_with(name)))
        if missing := unmet(needed, available):
            problems[name] = missing
    assert not problems


@pytest.mark.parametrize("package", PACKAGES)
def test_package_imports_what_it_declares(package: str) -> None:
    own = [module for module in modules().values() if module.name.partition(".")[0] == package]
    used = third_party(chain.from_iterable(imported(module, lazy=True) for module in own))
    provided = set().union(*map(provided_by, used)) if used else set()
    assert declared(package) - provided - LOADED_BY_NAME - {"leocdp"} == set()
