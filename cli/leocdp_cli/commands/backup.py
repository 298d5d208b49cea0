"""``leocdp backup`` and ``leocdp restore``: copies of the embedded engine's files, and the way back."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from leocdp_cli import stores
from leocdp_cli.backups.keeping import Keep
from leocdp_cli.backups.making import make
from leocdp_cli.backups.manifest import NAMES, Manifest, Name, checked, read
from leocdp_cli.backups.restoring import restore as put_back
from leocdp_cli.commands.options import AsJson
from leocdp_cli.failure import CommandFailed
from leocdp_cli.output import show_one
from leocdp_cli.supervisor.data_dir import ERASURE_KEY

NICE = 10
"""So much less of the processor than services have that run beside it."""

NEWEST = 7
"""So many backups stay when nothing else is asked for."""

Only = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Of the files only this: profiles, log or admin. May be given again."),
]


def register(app: typer.Typer) -> None:
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where backups are kept; on another disk.")],
    keep: Annotated[int | None, typer.Option(min=1, help="So many backups stay; without --keep-days 7.")] = None,
    keep_days: Annotated[int | None, typer.Option(min=1, help="Backups of so many days stay, instead.")] = None,
    only: Only = None,
    as_json: AsJson = False,
) -> None:
    """Copy profiles, event log and admin's data of this machine into a new folder of FOLDER, beside running services.

    The copies belong together, and each is checked before the backup counts. The secrets in `secrets` of the data
    folder are not in it: keep a copy of them in another place. For ArangoDB and Kafka see
    docs/operations/backup-and-restore.md.
    """
    if keep is not None and keep_days is not None:
        raise CommandFailed("--keep and --keep-days exclude each other: choose one.", 2)
    os.nice(NICE)
    found = stores.StoresSettings().files()
    wanted = _names(only) or [name for name in NAMES if name in found]
    for name in wanted:
        if name not in found:
            raise CommandFailed(f"{name} is no file of this machine: another program keeps it, and its backups.", 2)
    staying = Keep(days=keep_days) if keep_days else Keep(keep or NEWEST)
    began = time.monotonic()
    folder, manifest, removed = make({name: found[name] for name in wanted}, to, keep=staying)
    took = time.monotonic() - began
    said = f"{folder}: {_what(manifest)}, checked, in {took:.1f} s."
    if removed:
        said += f" Removed: {', '.join(path.name for path in removed)}."
    value = {"folder": str(folder), "removed": [str(path) for path in removed], **manifest.model_dump()}
    show_one(value, as_json=as_json, said=said)


def restore(
    backup: Annotated[Path, typer.Option("--from", metavar="BACKUP", help="Folder of one backup.")],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DATA_DIR", help="Into this data folder instead of LEOCDP_DATA_DIR.")
    ] = None,
    only: Only = None,
    replace: Annotated[bool, typer.Option("--replace", help="Put files aside that are in the way.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; say whether the backup is whole.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup's files in their place in the data folder, while the services are stopped.

    Nothing is deleted: with --replace, what was there keeps its name with a date after it. When only the profiles are
    lost, `--only profiles` with the log as it is loses nothing: the processor reads on from where the backup stands,
    and destinations get nothing twice.
    """
    names = _names(only)
    if check:
        manifest = checked(backup, names)
        said = f"{backup} is whole: {_what(manifest)}, of {manifest.began_at}."
        show_one(manifest.model_dump(), as_json=as_json, said=said)
        return
    places = (stores.StoresSettings() if to is None else stores.StoresSettings(data_dir=to)).files()
    for name in names or read(backup).files:
        if name not in places:
            raise CommandFailed(f"{name} is no file of this machine: LEOCDP_{name.upper()}_URL names another place.", 2)
    stamp = time.strftime("before-%Y%m%d-%H%M%S", time.gmtime())
    manifest, aside = put_back(backup, places, names, replace=replace, stamp=stamp)
    said = f"Restored {_what(manifest, names)}, as of {manifest.began_at}. Start the services."
    if aside:
        said += f" What was there is in {', '.join(map(str, aside))}; delete it when you do not need it any more."
    key = places["profiles"].parent / "secrets" / ERASURE_KEY
    if not key.exists():
        said += f" Before that, put the secrets back: there is no {key}, and only with it is known who was erased."
    value = {"aside": [str(path) for path in aside], "erasure_key": key.exists(), **manifest.model_dump()}
    show_one(value, as_json=as_json, said=said)


def _names(only: list[str] | None) -> list[Name]:
    given = set(only or ())
    if unknown := given - set(NAMES):
        raise CommandFailed(f"--only {sorted(unknown)[0]}: there are profiles, log and admin.", 2)
    return [name for name in NAMES if name in given]


def _what(manifest: Manifest, names: list[Name] | None = None) -> str:
    files = {name: manifest.files[name] for name in names or manifest.files}
    counted = "".join(
        f", {entry.counts.get('people', 0):,} people and {entry.counts.get('events', 0):,} events"
        for name, entry in files.items()
        if name == "profiles"
    )
    return f"{', '.join(files)} ({sum(each.bytes for each in files.values()) / (1 << 20):,.1f} MiB{counted})"
