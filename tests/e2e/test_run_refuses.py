"""``leocdp run`` says in a sentence why it does not start, before anything of it runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from leocdp_cli.supervisor.data_dir import DataDirLock, prepare
from tests.faults.stack import SERVICES
from tests.ports import free_ports


def leocdp_run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    ports = dict(zip(SERVICES, map(str, free_ports(len(SERVICES))), strict=True))
    env = {
        **os.environ,
        "LEOCDP_DATA_DIR": str(folder),
        **{f"LEOCDP_{name.upper()}_PORT": port for name, port in ports.items()},
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-m", "leocdp_cli", "run"], env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_folder_in_use(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "var")
    lock = DataDirLock(folder)
    lock.acquire()
    try:
        done = leocdp_run(folder)
    finally:
        lock.release()
    assert done.returncode == 1
    assert f"LEO CDP already runs on {folder} (process {os.getpid()})." in done.stderr


def test_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = leocdp_run(tmp_path / "var", LEOCDP_OBSERVER_PORT=port)
    assert done.returncode == 1
    assert f"Port {port} is in use by another program." in done.stderr
    assert "LEOCDP_OBSERVER_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_same_port_twice(tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    done = leocdp_run(tmp_path / "var", LEOCDP_OBSERVER_PORT=port, LEOCDP_ADMIN_PORT=port)
    assert done.returncode == 1
    assert "LEOCDP_ADMIN_PORT and LEOCDP_OBSERVER_PORT are both" in done.stderr


def test_setting_that_cannot_be(tmp_path: Path) -> None:
    done = leocdp_run(tmp_path / "var", LEOCDP_GATEWAY_PORT="eighty")
    assert done.returncode == 1
    assert "The settings are not right. LEOCDP_GATEWAY_PORT: " in done.stderr
    assert "Traceback" not in done.stderr
