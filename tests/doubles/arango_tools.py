"""Stand-ins for ``arangodump`` and ``arangorestore``: the documented files, from and to a server, over HTTP.

    python -m tests.doubles.arango_tools arangodump --configuration FILE --output-directory DIR …

Options and layout are those of ArangoDB's manual for 3.11; an option that is not listed here is refused, as there. A
real restore keeps ``_rev``, here documents get new ones, which nothing depends on. ``DOUBLE_PAUSE=FOLDER`` makes the
dump of a database wait in its middle for as long as the folder has a file with the database's name;
``NAME.reached`` is beside it then.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

BOOLEANS = {
    "--overwrite",
    "--include-system-collections",
    "--compress-output",
    "--envelope",
    "--create-database",
    "--create-collection",
    "--import-data",
}
NUMBERS = {"--threads", "--initial-batch-size", "--batch-size"}
DUMP = {
    "--configuration",
    "--output-directory",
    "--overwrite",
    "--include-system-collections",
    "--compress-output",
    "--envelope",
    *NUMBERS,
}
RESTORE = {
    "--configuration",
    "--input-directory",
    "--create-database",
    "--create-collection",
    "--import-data",
    "--include-system-collections",
    "--collection",
    "--threads",
    "--batch-size",
}
PORTION = 500


@dataclass
class Options:
    given: dict[str, list[str]]

    def one(self, name: str) -> str:
        return self.given[name][-1]

    def flag(self, name: str, default: bool) -> bool:
        return self.given.get(name, [str(default).lower()])[-1] == "true"


class Server:
    """One database, as a configuration file of the tools names it."""

    def __init__(self, configuration: str) -> None:
        parser = ConfigParser()
        assert parser.read(configuration), f"{configuration} is not there"
        section = parser["server"]
        assert section["authentication"] == "true"
        self.database = section["database"]
        self._url = section["endpoint"].replace("tcp://", "http://") + f"/_db/{self.database}"
        token = base64.b64encode(f"{section['username']}:{section['password']}".encode()).decode()
        self._headers = {"authorization": f"Basic {token}", "content-type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self._url + path, data, self._headers, method=method), timeout=60) as answer:
            return json.loads(answer.read())

    def collections(self) -> list[dict[str, Any]]:
        found = self.ask("GET", "/_api/collection?excludeSystem=true")["result"]
        return sorted(found, key=lambda each: str(each["name"]))

    def documents(self, collection: str) -> Iterator[dict[str, Any]]:
        query = {"query": "FOR d IN @@c RETURN d", "bindVars": {"@c": collection}, "batchSize": PORTION}
        answer = self.ask("POST", "/_api/cursor", query)
        yield from answer["result"]
        while answer["hasMore"]:
            answer = self.ask("POST", f"/_api/cursor/{answer['id']}")
            yield from answer["result"]


def dump(server: Server, options: Options) -> None:
    folder = Path(options.one("--output-directory"))
    if folder.exists() and not options.flag("--overwrite", default=False):
        raise SystemExit(f"{folder} exists")
    folder.mkdir(parents=True)
    (folder / "ENCRYPTION").write_text("none")
    about = {"database": server.database, "lastTickAtDumpStart": "4711", "properties": {"name": server.database}}
    (folder / "dump.json").write_text(json.dumps(about))
    for number, collection in enumerate(server.collections()):
        name = str(collection["name"])
        beginning = f"{name}_{hashlib.md5(name.encode()).hexdigest()}"
        (folder / f"{beginning}.structure.json").write_text(json.dumps(_structure(server, name)))
        _write(folder, beginning, server.documents(name), options)
        if number == 1:
            _pause(server.database)


def _structure(server: Server, name: str) -> dict[str, Any]:
    indexes = server.ask("GET", f"/_api/index?collection={name}")["indexes"]
    parameters = server.ask("GET", f"/_api/collection/{name}/properties")
    return {"parameters": parameters, "indexes": [each for each in indexes if each["type"] != "primary"]}


def _write(folder: Path, beginning: str, documents: Iterator[dict[str, Any]], options: Options) -> None:
    enveloped = options.flag("--envelope", default=True)
    lines = (
        json.dumps({"type": 2300, "key": each["_key"], "data": each} if enveloped else each) + "\n"
        for each in documents
    )
    if options.flag("--compress-output", default=True):
        with gzip.open(folder / f"{beginning}.data.json.gz", "wt", encoding="utf-8") as stream:
            stream.writelines(lines)
    else:
        (folder / f"{beginning}.data.json").write_text("".join(lines), encoding="utf-8")


def _pause(database: str) -> None:
    wanted = Path(os.environ.get("DOUBLE_PAUSE", os.devnull)) / database
    if not wanted.exists():
        return
    wanted.with_suffix(".reached").touch()
    while wanted.exists():
        time.sleep(0.05)


def restore(server: Server, options: Options) -> None:
    folder = Path(options.one("--input-directory"))
    if options.flag("--create-collection", default=True) or options.flag("--create-database", default=False):
        raise SystemExit("this stand-in restores data into collections that are there")
    there = {each["name"] for each in server.collections()}
    for file in sorted(folder.glob("*.structure.json")):
        name = json.loads(file.read_text())["parameters"]["name"]
        if name not in options.given.get("--collection", [name]):
            continue
        if name not in there:
            raise SystemExit(f"collection not found: {name}")
        beginning = file.name.removesuffix(".structure.json")
        for data in sorted(folder.glob(f"{beginning}.data.json*")):
            _insert(server, name, _documents(data))


def _documents(file: Path) -> list[dict[str, Any]]:
    text = gzip.decompress(file.read_bytes()) if file.name.endswith(".gz") else file.read_bytes()
    lines = [json.loads(line) for line in text.splitlines()]
    return [line["data"] if line.get("type") == 2300 and "data" in line else line for line in lines]


def _insert(server: Server, collection: str, documents: list[dict[str, Any]]) -> None:
    for start in range(0, len(documents), PORTION):
        path = f"/_api/document/{collection}?overwriteMode=replace&silent=true"
        failed = server.ask("POST", path, documents[start : start + PORTION])
        if failed:
            raise SystemExit(f"{collection}: {failed[:3]}")


def parse(arguments: list[str], known: set[str]) -> Options:
    given: dict[str, list[str]] = {}
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        if name not in known:
            raise SystemExit(f"unknown option {name}")
        if (name in BOOLEANS and value not in ("true", "false")) or (name in NUMBERS and not value.isdigit()):
            raise SystemExit(f"invalid value {value} for {name}")
        given.setdefault(name, []).append(value)
    return Options(given)


def install(folder: Path) -> Path:
    """Executables of the two names, to be put first into PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).parents[2]
    for name in ("arangodump", "arangorestore"):
        tool = folder / name
        command = f'PYTHONPATH="{root}" exec "{sys.executable}" -m tests.doubles.arango_tools {name} "$@"'
        tool.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        tool.chmod(0o755)
    return folder


def main(tool: str, *arguments: str) -> None:
    options = parse(list(arguments), DUMP if tool == "arangodump" else RESTORE)
    server = Server(options.one("--configuration"))
    try:
        (dump if tool == "arangodump" else restore)(server, options)
    except HTTPError as error:
        raise SystemExit(f"{tool}: {error} {error.read(300)!r}") from error


if __name__ == "__main__":
    main(*sys.argv[1:])
