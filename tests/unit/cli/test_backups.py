"""Backups as files: what they refuse, what they remove, and what they leave behind when they fail."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.engines import open_admin_store, open_event_log, open_profile_store
from leocdp.adapters.sqlite import copies
from leocdp.contracts.topics import COMMANDS
from leocdp.domain.decisions import Changes
from leocdp.ports.event_log import NewRecord
from leocdp.ports.profile_store import PositionKey, PositionMove
from leocdp_cli.backups import making
from leocdp_cli.backups.keeping import Keep
from leocdp_cli.backups.manifest import Name, checked
from leocdp_cli.backups.restoring import restore
from leocdp_cli.failure import CommandFailed
from leocdp_cli.stores import StoresSettings
from leocdp_cli.supervisor.data_dir import DataDirLock

Files = dict[Name, Path]
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def at(second: int) -> Callable[[], datetime]:
    return lambda: NOON + timedelta(seconds=second)


@pytest.fixture
async def files(tmp_path: Path) -> Files:
    """A log with one record that the profiles have read, and admin's file."""
    settings = StoresSettings(data_dir=tmp_path / "data")
    log, store, admin = open_event_log(settings), open_profile_store(settings), open_admin_store(settings)
    for one in (log, store, admin):
        await one.start()
    await log.append([NewRecord(COMMANDS, 0, b"{}")])
    await store.commit(Changes(), [PositionMove(PositionKey(log.log_id, COMMANDS, 0), None, 1)], 1)
    for one in (log, store, admin):
        await one.close()
    return settings.files()


def made(files: Mapping[Name, Path], target: Path, second: int = 0, keep: int = 7) -> Path:
    return making.make(files, target, keep=Keep(keep), now=at(second))[0]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_backup_is_whole_private_and_goes_back(files: Files, tmp_path: Path) -> None:
    folder = made(files, tmp_path / "kept")
    assert folder.name == "leocdp-20261125T120000Z"
    assert names(folder) == {"manifest.json", "profiles.db", "log.db", "admin.db"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    manifest = checked(folder)
    assert manifest.files["profiles"].offsets == {f"{COMMANDS}/0": 1}
    assert manifest.files["log"].offsets[f"{COMMANDS}/0"] == 1
    places: Files = {name: tmp_path / "new" / path.name for name, path in files.items()}
    _, aside = restore(folder, places, [], replace=False, stamp="x")
    assert not aside
    assert {name: copies.look(name, path) for name, path in places.items()} == {
        name: copies.look(name, folder / f"{name}.db") for name in files
    }


def test_the_newest_of_a_kind_stay(files: Files, tmp_path: Path) -> None:
    target = tmp_path / "kept"
    admin: Files = {"admin": files["admin"]}
    made(admin, target, 0)
    (target / "leocdp-notes").mkdir()
    (target / "leocdp-20261125T000000Z").mkdir()
    for second in (1, 2, 3):
        made(files, target, second, keep=2)
    assert names(target) == {
        "leocdp-admin-20261125T120000Z",
        "leocdp-20261125T120002Z",
        "leocdp-20261125T120003Z",
        "leocdp-notes",
        "leocdp-20261125T000000Z",
    }


def test_those_of_the_last_days_stay(files: Files, tmp_path: Path) -> None:
    target = tmp_path / "kept"
    admin: Files = {"admin": files["admin"]}
    for day in (0, 1, 2, 9):
        _, _, removed = making.make(admin, target, keep=Keep(days=8), now=at(day * 86_400))
    assert [path.name for path in removed] == ["leocdp-admin-20261125T120000Z"]
    making.make(admin, target, keep=Keep(days=1), now=at(20 * 86_400))
    assert names(target) == {"leocdp-admin-20261215T120000Z"}


def test_steps_of_a_copy_are_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source.db", tmp_path / "copy.db"
    pauses: list[float] = []
    with closing(copies._connect(source, "rwc")) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("CREATE TABLE t (x)")
        writing.executemany("INSERT INTO t VALUES (zeroblob(4000))", [()] * 40)

        def meanwhile(seconds: float) -> None:
            pauses.append(seconds)
            writing.execute("INSERT INTO t VALUES (zeroblob(4000))")

        monkeypatch.setattr(copies, "STEP_PAGES", 10)
        monkeypatch.setattr("leocdp.adapters.sqlite.copies.time.sleep", meanwhile)
        copies.copy_online(source, target)
    with closing(copies._connect(target, "ro")) as reading:
        assert reading.execute("SELECT count(*) FROM t").fetchone() == (40,)
    assert 3 <= len(pauses) <= 6, "it did not begin again"
    assert not list(tmp_path.glob("copy.db-*"))


def test_nothing_is_removed_by_a_backup_that_fails(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "kept"
    made(files, target, 0, keep=1)
    damaged = files["admin"]
    damaged.write_bytes(b"\xff" * 8192)
    with pytest.raises(CommandFailed, match=r"admin\.db cannot be read or copied"):
        made(files, target, 1, keep=1)
    assert names(target) == {"leocdp-20261125T120000Z"}


def test_a_file_that_has_gone_bad_makes_no_backup(files: Files, tmp_path: Path) -> None:
    with files["profiles"].open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(CommandFailed, match=r"profiles\.db"):
        made(files, tmp_path / "kept")
    assert names(tmp_path / "kept") == set()


def test_profiles_ahead_of_the_log_make_no_backup(files: Files, tmp_path: Path) -> None:
    with closing(copies._connect(files["profiles"], "rw")) as connection:
        connection.execute("UPDATE positions SET next = 7")
    with pytest.raises(CommandFailed, match=f"have read {COMMANDS}/0 to 7, but the log ends before"):
        made(files, tmp_path / "kept")


def test_there_must_be_room(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "SPARE", 1 << 60)
    with pytest.raises(CommandFailed, match=r"MiB free, and the backup needs .* Nothing was written"):
        made(files, tmp_path / "kept")


def test_the_data_folder_is_no_place_for_it(files: Files) -> None:
    with pytest.raises(CommandFailed, match="is in the data folder, and lost together with it"):
        made(files, files["log"].parent / "backups")
    assert not (files["log"].parent / "backups").exists()


def test_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="Check LEOCDP_DATA_DIR"):
        made({"log": tmp_path / "log.db"}, tmp_path / "kept")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "log.db").unlink(), "log.db is missing"),
        (lambda folder: (folder / "log.db").open("ab").write(b"x"), "its checksum differs"),
        (lambda folder: (folder / "manifest.json").unlink(), "is not a whole backup"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read"),
        (lambda folder: change(folder, lambda one: one.update(format=2)), "of format 2; this version knows 1"),
        (lambda folder: change(folder, lambda one: one["files"]["log"].update(schema_version=99)), "schema 99"),
        (lambda folder: change(folder, lambda one: one["files"]["log"].update(log_id="log_other")), "another log"),
    ],
)
def test_what_is_not_whole_is_not_restored(
    files: Files, tmp_path: Path, harm: Callable[[Path], object], said: str
) -> None:
    folder = made(files, tmp_path / "kept")
    harm(folder)
    before = {name: path.read_bytes() for name, path in files.items()}
    with pytest.raises(CommandFailed, match=said):
        restore(folder, files, [], replace=True, stamp="x")
    assert {name: path.read_bytes() for name, path in files.items()} == before


def change(folder: Path, how: Callable[[Any], object]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    how(manifest)
    path.write_text(json.dumps(manifest))


def test_a_restore_puts_aside_what_is_there(files: Files, tmp_path: Path) -> None:
    folder = made(files, tmp_path / "kept")
    with pytest.raises(CommandFailed, match="--replace puts it aside"):
        restore(folder, files, ["profiles"], replace=False, stamp="x")
    files["profiles"].write_bytes(b"\xff" * 100)
    _, aside = restore(folder, files, ["profiles"], replace=True, stamp="x")
    assert aside[0] == files["profiles"].with_name("profiles.db.x")
    assert aside[0].read_bytes() == b"\xff" * 100
    assert copies.look("profiles", files["profiles"]).offsets == {f"{COMMANDS}/0": 1}


def test_what_a_lost_file_leaves_behind_does_not_go_into_the_restored_one(files: Files, tmp_path: Path) -> None:
    """A file that was removed after a crash leaves its write-ahead log, which SQLite would apply to the next one."""
    folder = made(files, tmp_path / "kept")
    lost = files["profiles"]
    with closing(copies._connect(lost, "rw")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE positions SET next = 5")
        journal = lost.with_name("profiles.db-wal")
        stale = journal.read_bytes()
    lost.unlink()
    journal.write_bytes(stale)
    _, aside = restore(folder, files, ["profiles"], replace=False, stamp="x")
    assert [path.name for path in aside] == ["profiles.db.x-wal"]
    assert aside[0].read_bytes() == stale
    assert copies.look("profiles", lost).offsets == {f"{COMMANDS}/0": 1}


async def test_profiles_do_not_go_beside_another_log(files: Files, tmp_path: Path) -> None:
    folder = made(files, tmp_path / "kept")
    files["log"].unlink()
    log = open_event_log(StoresSettings(data_dir=files["log"].parent))
    await log.start()
    await log.close()
    with pytest.raises(CommandFailed, match=r"from another log .* Restore profiles and log from one backup"):
        restore(folder, files, ["profiles"], replace=True, stamp="x")
    restore(folder, files, ["profiles", "log"], replace=True, stamp="x")


def test_a_log_does_not_go_behind_the_profiles(files: Files, tmp_path: Path) -> None:
    folder = made(files, tmp_path / "kept")
    with closing(copies._connect(files["profiles"], "rw")) as connection:
        connection.execute("UPDATE positions SET next = 2")
    with pytest.raises(CommandFailed, match=f"have read {COMMANDS}/0 to 2, but the log ends before"):
        restore(folder, files, ["log"], replace=True, stamp="x")
    restore(folder, files, ["admin"], replace=True, stamp="x")


async def test_nothing_is_restored_under_a_processor_whose_file_was_removed(files: Files, tmp_path: Path) -> None:
    folder = made(files, tmp_path / "kept")
    store = open_profile_store(StoresSettings(data_dir=files["log"].parent))
    await store.start()
    for path in files["log"].parent.glob("profiles.db*"):
        if path.suffix != ".lock":
            path.unlink()
    with pytest.raises(CommandFailed, match=r"in use by a processor\. A restore needs the services stopped"):
        restore(folder, files, ["profiles"], replace=True, stamp="x")
    await store.close()
    restore(folder, files, ["profiles"], replace=True, stamp="x")


async def test_nothing_is_restored_under_a_running_service(files: Files, tmp_path: Path) -> None:
    folder = made(files, tmp_path / "kept")
    log = open_event_log(StoresSettings(data_dir=files["log"].parent))
    await log.start()
    await log.append([NewRecord(COMMANDS, 0, b"{}")])
    with pytest.raises(CommandFailed, match=r"log.db is in use\. A restore needs the services stopped"):
        restore(folder, files, [], replace=True, stamp="x")
    await log.close()
    lock = DataDirLock(files["log"].parent)
    lock.acquire()
    with pytest.raises(CommandFailed, match="needs the services stopped"):
        restore(folder, files, [], replace=True, stamp="x")
    lock.release()
    restore(folder, files, [], replace=True, stamp="x")
