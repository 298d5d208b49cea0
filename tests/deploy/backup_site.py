"""A database server with its users as Kubernetes has them, and the backup's two containers as two processes beside it.

The scripts are those of the manifests. ArangoDB's tools are stand-ins, because there is no server here.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arango.client import ArangoClient
from arango.database import StandardDatabase

from leocdp.adapters.engines import open_admin_store, open_profile_store, provision_databases
from leocdp_cli.databases import DatabaseSettings
from leocdp_cli.stores import StoresSettings
from tests.deploy.cluster import K8S
from tests.doubles.arango_tools import install
from tests.doubles.arangodb.double import Double, running

SCRIPTS = K8S / "components" / "backup"
ROOT_PASSWORD = "root"
PASSWORDS = {"profiles": "of profiles", "admin": "of admin"}


@dataclass
class Run:
    """One pod of the backup."""

    backup: subprocess.Popen[str]
    tool: subprocess.Popen[bytes]
    said: list[dict[str, Any]] = field(default_factory=list)

    def wait(self, seconds: float = 180) -> int:
        """Exit status of the container that decides; the other one has ended too."""
        out, _ = self.backup.communicate(timeout=seconds)
        self.said = [json.loads(line) for line in out.splitlines()]
        assert self.tool.wait(60) == 0
        return self.backup.returncode

    @property
    def last(self) -> dict[str, Any]:
        return self.said[-1]

    def end(self) -> None:
        for process in (self.backup, self.tool):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass
class Site:
    double: Double
    folder: Path
    """Of everything but the backups."""
    backups: Path
    runs: list[Run] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Of our own commands and services."""
        host = f"127.0.0.1:{self.double.port}"
        return {
            "LEOCDP_STORE_URL": f"arangodb://profiles@{host}/profiles",
            "LEOCDP_STORE_PASSWORD": PASSWORDS["profiles"],
            "LEOCDP_ADMIN_URL": f"arangodb://admin@{host}/admin",
            "LEOCDP_ADMIN_STORE_PASSWORD": PASSWORDS["admin"],
            "LEOCDP_DATA_DIR": str(self.folder),
        }

    @property
    def pauses(self) -> Path:
        return self.folder / "pauses"

    def settings(self) -> StoresSettings:
        fields = {name.removeprefix("LEOCDP_").lower(): value for name, value in self.environment.items()}
        return StoresSettings(**fields)  # type: ignore[arg-type]

    def prepare(self) -> None:
        """What the job of that name does to the databases."""
        fields = {name.removeprefix("LEOCDP_").lower(): value for name, value in self.environment.items()}
        settings = DatabaseSettings(**fields)  # type: ignore[arg-type]
        provision_databases(settings, ("root", ROOT_PASSWORD), 0)
        asyncio.run(self._migrate())

    async def _migrate(self) -> None:
        for store in (open_admin_store(self.settings()), open_profile_store(self.settings())):
            await store.start()
            await store.close()

    def database(self, name: str) -> StandardDatabase:
        return ArangoClient(hosts=self.double.url).db(name, "root", ROOT_PASSWORD)

    def documents(self, name: str) -> dict[str, dict[str, Any]]:
        """Collection/key → document, without what a server adds."""
        found: dict[str, dict[str, Any]] = {}
        database = self.database(name)
        collections: Any = database.collections()
        for each in collections:
            cursor: Any = database.aql.execute("FOR d IN @@c RETURN UNSET(d, '_rev')", bind_vars={"@c": each["name"]})
            found |= {document["_id"]: document for document in cursor}
        return found

    def start(self, **environment: str) -> Run:
        """``environment``: of the container that decides, besides what the manifest gives it."""
        handover = self.folder / f"handover-{len(self.runs)}"
        handover.mkdir()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
        clean |= {"HANDOVER": str(handover), "DOUBLE_PAUSE": str(self.pauses), "POLL": "0.05"}
        tool = subprocess.Popen(
            ["sh", str(SCRIPTS / "tool.sh")],
            env={**clean, "PATH": f"{install(self.folder / 'bin')}:{clean['PATH']}"},
            start_new_session=True,
        )
        own = {"BACKUPS": str(self.backups), "KEEP": "2", "HOLD_MINUTES": "10", **self.environment, **environment}
        backup = subprocess.Popen(
            [sys.executable, "-B", str(SCRIPTS / "backup.py")],
            env={**clean, **own},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.runs.append(Run(backup, tool))
        return self.runs[-1]

    def run(self, **environment: str) -> Run:
        run = self.start(**environment)
        run.wait()
        return run

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
        return subprocess.run(
            [sys.executable, "-m", "leocdp_cli", *arguments],
            env={**clean, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def site(folder: Path, backups: Path) -> Iterator[Site]:
    with running(password=ROOT_PASSWORD) as double:
        made = Site(double, folder, backups)
        for each in (folder, backups, made.pauses):
            each.mkdir(parents=True, exist_ok=True)
        try:
            yield made
        finally:
            for run in made.runs:
                run.end()
