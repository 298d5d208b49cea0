"""A backup into databases whose collections are there and empty, as `leocdp migrate` has made them.

The collections are not taken from the dump, because one of a single server does not say how a cluster has to lay them
out: one shard each, beside that of the ledger, which atomic commits rest on. Restored are the documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dumps
from databases import LEDGERS, Database, Failed
from tools import Stop, Tool, leocdp, say

SECONDS = 12 * 3600.0
THREADS = "2"
BATCH = str(8 << 20)


def restore(folder: Path, stores: Mapping[str, Database], tool: Tool, stop: Stop, *, over: bool) -> None:
    """Raises Failed. ``over``: what is in the databases is removed first."""
    manifest = dumps.load(folder)
    dumps.verify(folder, manifest, stop.check)
    parts: Mapping[str, Any] = manifest["databases"]
    if parts.keys() != stores.keys():
        raise Failed(f"the backup has {', '.join(parts)}, the settings name {', '.join(stores)}")
    for part, wanted in parts.items():
        _check_target(stores[part], wanted["collections"], over=over)
    for part, wanted in parts.items():
        _load(folder / part, stores[part], list(wanted["collections"]), tool, stop)
    for part, wanted in parts.items():
        _check_counts(stores[part], wanted["collections"])
    # The mark came with the dump: without this, processors would wait until it expires.
    leocdp("barrier", "lift", manifest["barrier"])
    say("restore done", name=manifest["name"], documents=dumps.documents(manifest))


def _check_target(store: Database, wanted: Mapping[str, int], *, over: bool) -> None:
    there = store.collections()
    if missing := sorted(wanted.keys() - set(there)):
        raise Failed(
            f"{store.name} has no collections {', '.join(missing)}: make them first, with the job `prepare` or with "
            "`leocdp migrate` of the version that made the backup, or a newer one"
        )
    filled = [name for name in there if name not in LEDGERS and store.count(name)]
    if filled and not over:
        raise Failed(
            f"{store.name} is not empty: {', '.join(filled)}. With RESTORE_OVER=true everything in it is removed first"
        )
    _check_layout(store, there)


def _load(folder: Path, store: Database, names: Sequence[str], tool: Tool, stop: Stop) -> None:
    """The ledger goes first and comes last: without its head nobody can commit meanwhile."""
    ledgers = [name for name in LEDGERS if name in names]
    rest = [name for name in names if name not in ledgers]
    for name in [*ledgers, *(each for each in store.collections() if each not in ledgers)]:
        stop.check()
        store.empty(name)
    for wanted in (rest, ledgers):
        arguments = ["--configuration", str(store.configure(tool.folder / "tool.conf"))]
        arguments += ["--input-directory", str(folder), "--create-database", "false", "--create-collection", "false"]
        arguments += ["--import-data", "true", "--include-system-collections", "false", "--threads", THREADS]
        arguments += ["--batch-size", BATCH]
        for name in wanted:
            arguments += ["--collection", name]
        tool.run("arangorestore", arguments, SECONDS)


def _check_counts(store: Database, wanted: Mapping[str, int]) -> None:
    found = {name: store.count(name) for name in wanted}
    if wrong := {name: (found[name], wanted[name]) for name in wanted if found[name] != wanted[name]}:
        told = ", ".join(f"{name} {have} of {want}" for name, (have, want) in sorted(wrong.items()))
        raise Failed(f"{store.name} has not the documents of the backup: {told}")


def _check_layout(store: Database, names: Sequence[str]) -> None:
    """In a cluster: one shard each, all beside the ledger's, more than one copy."""
    if not store.is_cluster():
        return
    for name in names:
        found = store.properties(name)
        like = found.get("shard_like")
        if found.get("shard_count") != 1 or not (name in LEDGERS or like in LEDGERS):
            raise Failed(f"{store.name}/{name} is not laid out for atomic commits (distributeShardsLike: {like})")
        if int(found.get("replication_factor", 1)) < 2:
            raise Failed(f"{store.name}/{name} has one copy only: set LEOCDP_STORE_REPLICATION=2 for `create-database`")
