"""A restore that is killed with SIGKILL between any two of its moves: nothing is lost, and it can be run again."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leocdp_cli.app import app
from leocdp_cli.backups import making
from leocdp_cli.backups.keeping import Keep
from leocdp_cli.backups.manifest import NAMES, Name
from leocdp_cli.backups.restoring import restore, unfinished
from leocdp_cli.failure import CommandFailed
from leocdp_cli.stores import StoresSettings, migrate

LEAST_MOVES = 9
"""Three copies are ready; three files go and three come."""


def restore_and_die(backup: Path, places: Mapping[Name, Path], after: int) -> bool:
    """In a process of its own, killed when it wants to move more files than ``after``. False: it was done before."""
    child = os.fork()
    if not child:
        rename, moved = os.rename, iter(range(after))

        def last(source: Path, target: Path) -> None:
            if next(moved, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            rename(source, target)

        os.rename = last  # type: ignore[assignment]
        try:
            restore(backup, places, [], replace=True, stamp="x")
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


async def test_it_is_completed_by_another_one(tmp_path: Path) -> None:
    settings = StoresSettings(data_dir=tmp_path / "source")
    await migrate(settings)
    backup, _, _ = making.make(settings.files(), tmp_path / "kept", keep=Keep(7))
    after = 0
    while killed_and_completed(backup, tmp_path / f"data-{after}", after):
        after += 1
    assert after >= LEAST_MOVES


def killed_and_completed(backup: Path, folder: Path, after: int) -> bool:
    """False when it was not killed, because it has fewer moves."""
    folder.mkdir()
    places: dict[Name, Path] = {name: folder / f"{name}.db" for name in NAMES}
    before = {f"what was in {path.name}".encode() * 100 for path in places.values()}
    for path, content in zip(places.values(), sorted(before), strict=True):
        path.write_bytes(content)
    killed = restore_and_die(backup, places, after)
    assert before <= contents(folder)
    left = unfinished(places)
    assert bool(left) == (killed and after > 0)
    if left:
        rest: list[Name] = [name for name in NAMES if name != left[0]]
        with pytest.raises(CommandFailed, match=f"before it was done with {left[0]}"):
            restore(backup, places, rest[:1], replace=True, stamp="x")
    restore(backup, places, [], replace=True, stamp="x")
    assert {name: path.read_bytes() for name, path in places.items()} == {
        name: (backup / f"{name}.db").read_bytes() for name in NAMES
    }
    assert before <= contents(folder)
    assert not unfinished(places)
    assert not list(folder.glob("*.restor*"))
    return killed


def contents(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_services_are_not_started_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "profiles.db.restored").touch()
    done = CliRunner().invoke(app, ["run"], env={"LEOCDP_DATA_DIR": str(tmp_path)})
    assert done.exit_code == 1
    assert "killed before it was done with profiles. Run it again, with --replace" in done.stderr
