"""A Compose file as it is after Docker Compose has filled in the variables, and the secrets it is filled in with."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from leocdp_admin.settings import AdminSettings
from leocdp_cli.connection import ConnectionSettings
from leocdp_cli.databases import DatabaseSettings
from leocdp_cli.stores import StoresSettings
from leocdp_gateway.settings import GatewaySettings
from leocdp_observer.settings import ObserverSettings
from leocdp_processor.settings import ProcessorSettings
from tests.architecture.project import ROOT
from tests.deploy.dockerfile import expand

FOLDER = ROOT / "deploy" / "compose"
SETTINGS: dict[str, tuple[type[BaseSettings], ...]] = {
    "observer": (ObserverSettings,),
    "processor": (ProcessorSettings,),
    "admin": (AdminSettings,),
    "gateway": (GatewaySettings,),
    "topics": (StoresSettings,),
    "migrate": (StoresSettings,),
    "database": (DatabaseSettings,),
    "tools": (StoresSettings, ConnectionSettings),
}
"""Service of the Compose file → what reads its environment."""
JOBS = ("topics", "database", "migrate")
SERVICES = ("observer", "processor", "admin", "gateway")


def make_secrets(folder: Path, *arguments: str) -> dict[str, str]:
    """Run the script in a copy of its folder; returns what Docker Compose would read."""
    script = folder / "make-secrets"
    if not script.exists():
        shutil.copy2(FOLDER / "make-secrets", script)
    subprocess.run([str(script), *arguments], check=True, capture_output=True, text=True)
    return env_file(folder / ".env")


def env_file(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def load(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Raises KeyError for a variable that must be there and is not."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    filled: dict[str, Any] = _filled(loaded, values)
    return filled


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(each, values) for each in node]
    return expand(node, values) if isinstance(node, str) else node


def variables(name: str) -> dict[str, bool]:
    """Variables that a file names → whether they must be set."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return {found[1]: found[2] == "?" for found in re.finditer(r"\$\{(\w+):?([?-])?", text)}


@dataclass(frozen=True, slots=True)
class Address:
    """Where an environment variable says that another service is."""

    service: str
    variable: str
    host: str
    port: int


def addresses(services: Mapping[str, Any]) -> Iterator[Address]:
    for name, service in services.items():
        for variable, value in (service.get("environment") or {}).items():
            for host, port in re.findall(r"(?:://|[@,])([a-z][a-z0-9-]*):(\d+)", str(value)):
                yield Address(name, variable, host, int(port))
