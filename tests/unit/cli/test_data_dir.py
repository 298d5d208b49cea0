from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from leocdp.kit.serve import CannotStart
from leocdp_cli.supervisor.data_dir import DataDirLock, prepare, secret_file


def _secret(folder: str) -> str:
    return secret_file(Path(folder), "gateway_secret").read_text(encoding="ascii")


def test_folder_and_secret_are_the_owners_alone(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "a" / "var")
    path = secret_file(folder, "gateway_secret")
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(path.read_text(encoding="ascii")) >= 43


def test_secret_is_made_once_also_by_many_at_once(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "var")
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.map(_secret, [str(folder)] * 8)
    assert set(made) == {_secret(str(folder))}
    assert [path.name for path in (folder / "secrets").iterdir()] == ["gateway_secret"]


def test_second_supervisor_is_refused_and_told_who_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = DataDirLock(tmp_path), DataDirLock(tmp_path)
    first.acquire()
    with pytest.raises(CannotStart):
        second.acquire()
    assert "already runs on" in capsys.readouterr().err
    first.release()
    second.acquire()
    second.release()


def test_folder_that_cannot_be_made_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart):
        prepare(tmp_path / "file" / "var")
    assert "LEOCDP_DATA_DIR" in capsys.readouterr().err
