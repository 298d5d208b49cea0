"""ArangoDB as a backup needs it: where it is, what is in it, and a file that its own tools take that from."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

LEDGERS = ("ledger", "admin_ledger")
"""Collections with the head of a store: every commit of the store changes it."""
SECONDS = 600.0
"""For one request; to empty a collection is the longest of them."""


class Failed(Exception):
    """The sentence is for the log."""


@dataclass(frozen=True)
class Database:
    hosts: tuple[str, ...]
    name: str
    user: str
    password: str
    tls: bool
    authorities: str

    def collections(self) -> list[str]:
        found = self.ask("GET", "/_api/collection?excludeSystem=true")["result"]
        return sorted(each["name"] for each in found)

    def count(self, collection: str) -> int:
        return int(self.ask("GET", f"/_api/collection/{quote(collection)}/count")["count"])

    def properties(self, collection: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.ask("GET", f"/_api/collection/{quote(collection)}/properties")
        return found

    def empty(self, collection: str) -> None:
        self.ask("PUT", f"/_api/collection/{quote(collection)}/truncate")

    def heads(self) -> dict[str, str]:
        """Ledger → revision of its head. Equal ones mean that nothing was committed in between."""
        there = self.collections()
        return {each: self.ask("GET", f"/_api/document/{each}/head")["_rev"] for each in LEDGERS if each in there}

    def is_cluster(self) -> bool:
        return bool(self.ask("GET", "/_admin/server/role")["role"] == "COORDINATOR")

    def version(self) -> str:
        return str(self.ask("GET", "/_api/version")["version"])

    def ask(self, method: str, path: str) -> Any:
        """The answer of the first host that gives one. Raises Failed."""
        problems = []
        for host in self.hosts:
            try:
                return self._ask(host, method, path)
            except HTTPError as error:
                raise Failed(
                    f"ArangoDB answers {method} {path} of {self.name} with {error.code} {_said(error)}"
                ) from error
            except (URLError, OSError) as error:
                problems.append(f"{host}: {error}")
        raise Failed(f"ArangoDB does not answer: {'; '.join(problems)}")

    def _ask(self, host: str, method: str, path: str) -> Any:
        scheme = "https" if self.tls else "http"
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request = Request(  # noqa: S310 - the scheme is ours
            f"{scheme}://{host}/_db/{quote(self.name)}{path}",
            headers={"Authorization": f"Basic {token}"},
            method=method,
        )
        context = ssl.create_default_context(cafile=self.authorities or None) if self.tls else None
        with urlopen(request, timeout=SECONDS, context=context) as answer:  # noqa: S310
            return json.loads(answer.read())

    def configure(self, file: Path) -> Path:
        """Writes what the tools need to log in: a command line would show the password to whoever lists processes."""
        scheme = "ssl" if self.tls else "tcp"
        lines = ["[server]", *(f"endpoint = {scheme}://{host}" for host in self.hosts)]
        lines += [f"database = {self.name}", f"username = {self.user}", f"password = {self.password}"]
        lines += ["authentication = true", "request-timeout = 1200"]
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file


def databases(environment: Mapping[str, str]) -> dict[str, Database]:
    """``profiles``, and ``admin`` where that is another one, as the settings of the services name them."""
    profiles = _database(environment, "LEOCDP_STORE_URL", "LEOCDP_STORE_PASSWORD")
    admin = _database(environment, "LEOCDP_ADMIN_URL", "LEOCDP_ADMIN_STORE_PASSWORD")
    if (admin.hosts, admin.name) == (profiles.hosts, profiles.name):
        return {"profiles": profiles}
    return {"profiles": profiles, "admin": admin}


def _database(environment: Mapping[str, str], url_name: str, password_name: str) -> Database:
    url = urlsplit(environment.get(url_name, ""))
    user, _, hosts = url.netloc.rpartition("@")
    if url.scheme != "arangodb" or not hosts or not user:
        raise Failed(f"{url_name} has to be arangodb://user@host:8529/database: other engines have `leocdp backup`")
    password = environment.get(password_name, "")
    if file := environment.get(f"{password_name}_FILE"):
        password = Path(file).read_text(encoding="utf-8").strip()
    return Database(
        hosts=tuple(host if ":" in host else f"{host}:8529" for host in hosts.split(",")),
        name=url.path.strip("/"),
        user=user,
        password=password,
        tls=environment.get("LEOCDP_STORE_TLS", "").lower() in ("1", "true", "yes", "on"),
        authorities=environment.get("LEOCDP_STORE_TLS_CA_FILE", ""),
    )


def _said(error: HTTPError) -> str:
    return error.read(500).decode(errors="replace")
