"""The containers of the Compose file as processes of this machine: the same commands with the same environments.

Names of containers become ports of the loopback interface. Kafka is a real one with the file's own settings, ArangoDB
is the double.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.kafka import Cluster, Node, jars
from tests.architecture.project import ROOT
from tests.deploy.dockerfile import Dockerfile
from tests.faults.stack import wait_for

DEFAULTS = ("server.properties", "log4j2.yaml", "tools-log4j2.yaml")
"""Files of the image that its first step copies, and for which what the environment says is put in."""


@dataclass
class AsComposed(Cluster):
    """Kafka with nothing but what the file sets, made from it by the image's own program."""

    given: Mapping[str, str] = field(default_factory=dict)

    def _write_properties(self, node: Node) -> None:
        for name in ("defaults", "mounted"):
            (node.folder / name).mkdir(exist_ok=True)
        for name in DEFAULTS:
            (node.folder / "defaults" / name).touch()

    def _format(self, node: Node, cluster_id: str) -> None:
        program = ["java", "-cp", f"{jars()}/*", "kafka.docker.KafkaDockerWrapper", "setup"]
        folders = ["--default-configs-dir", "defaults", "--mounted-configs-dir", "mounted", "--final-configs-dir", "."]
        environment = {"PATH": os.environ["PATH"], **self.given}
        done = subprocess.run(
            [*program, *folders], cwd=node.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@dataclass
class Composed:
    services: Mapping[str, Any]
    dockerfile: Dockerfile
    folder: Path
    places: Mapping[str, str]
    """``host:port`` among the containers → the same on this machine."""
    ports: Mapping[str, int]
    """Of our services."""
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, str]:
        """Of the image, then of the container."""
        image = self.dockerfile.environment(self.services[name]["build"]["target"])
        data = self.folder / name
        data.mkdir(exist_ok=True)
        here = {f"LEOCDP_{service.upper()}_PORT": str(port) for service, port in self.ports.items()}
        given = {key: self.here(value) for key, value in self.services[name]["environment"].items()}
        found = image | given | here | {"LEOCDP_HOST": "127.0.0.1", "LEOCDP_DATA_DIR": str(data), "HOME": str(data)}
        return {key: value for key, value in found.items() if not key.startswith("PYTHON")}

    def here(self, value: str) -> str:
        for there, place in self.places.items():
            value = value.replace(there, place)
        return value

    def command(self, name: str, *more: str) -> list[str]:
        entry = self.dockerfile.last(self.services[name]["build"]["target"], "ENTRYPOINT")
        assert entry is not None
        assert entry.words[0] == "python"
        return [sys.executable, *entry.words[1:], *self.services[name].get("command", ()), *more]

    def start(self, name: str) -> subprocess.Popen[str]:
        output = (self.folder / f"{name}.log").open("w")
        self.running[name] = subprocess.Popen(
            self.command(name), env=self.environment(name), stdout=output, stderr=subprocess.STDOUT, text=True
        )
        return self.running[name]

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def finish(self, name: str) -> None:
        """Wait for a job; it must have done its work."""
        assert self.running[name].wait(90) == 0, self.said(name)

    def wait_healthy(self, name: str) -> None:
        """By the container's own health check."""
        _, python, *arguments = self.services[name]["healthcheck"]["test"]
        assert python == "python"
        probe = [part.replace("/opt/probe.py", str(ROOT / "deploy/images/probe.py")) for part in arguments]
        check = [sys.executable, *probe]
        process, environment = self.running[name], self.environment(name)

        def healthy() -> bool:
            if process.poll() is not None:
                return True
            return subprocess.run(check, env=environment, capture_output=True, check=False).returncode == 0

        wait_for(healthy, 60, lambda: f"{name} is not healthy:\n{self.said(name)}")
        assert process.poll() is None, self.said(name)

    def tool(self, *arguments: str) -> str:
        """``docker compose run --rm tools …``."""
        command = self.command("tools", *arguments)
        done = subprocess.run(command, env=self.environment("tools"), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> dict[str, int]:
        for process in self.running.values():
            process.terminate()
        return {name: process.wait(60) for name, process in self.running.items()}
