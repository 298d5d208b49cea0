"""The supervisor with small real children: it restarts, stops in order, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]

CHILD = """
import http.server, os, signal, sys, time
name, port, folder = {name!r}, {port}, {folder!r}
def note(text):
    with open(os.path.join(folder, "notes"), "a") as file:
        file.write(name + " " + text + "\\n")
def stop(*_):
    note("stopped")
    os._exit(0)
signal.signal(signal.SIGTERM, {on_term})
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{{"ready": true, "reasons": []}}')
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", port), Ready)
open(os.path.join(folder, name + ".pid"), "w").write(str(os.getpid()))
note("started")
server.serve_forever()
"""

Wait = Callable[[Callable[[], bool]], None]


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


class Stage:
    """A supervisor in its own process over children that this class writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.arguments: list[str] = []

    def child(self, name: str, *, on_term: str = "stop", source: str = CHILD) -> None:
        port = free_port()
        text = source.format(name=name, port=port, folder=str(self.folder), on_term=on_term)
        (self.folder / f"tiny_{name}.py").write_text(text)
        self.arguments.append(f"{name}=tiny_{name}:{port}")

    def start(self, **environment: str) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "e2e" / "small_supervisor.py"), *self.arguments],
            env={**os.environ, "PYTHONPATH": str(self.folder), **environment},
            stdout=(self.folder / "out").open("w"),
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self.process

    def said(self) -> str:
        return (self.folder / "out").read_text()

    def notes(self) -> list[str]:
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def pid(self, name: str) -> int:
        path = self.folder / f"{name}.pid"
        return int(path.read_text() or 0) if path.exists() else 0

    def wait_ready(self) -> None:
        eventually(lambda: "READY" in self.said())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    for path in tmp_path.glob("*.pid"):
        if alive(int(path.read_text())):
            os.kill(int(path.read_text()), signal.SIGKILL)


def test_stops_in_order_and_with_status_0(stage: Stage) -> None:
    stage.child("one")
    stage.child("two")
    process = stage.start()
    stage.wait_ready()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert [line for line in stage.notes() if "stopped" in line] == ["two stopped", "one stopped"]
    assert not alive(stage.pid("one"))
    assert not alive(stage.pid("two"))


def test_dead_child_comes_back(stage: Stage) -> None:
    stage.child("one")
    process = stage.start()
    stage.wait_ready()
    first = stage.pid("one")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: stage.pid("one") not in (0, first))
    assert "one was ended by SIGKILL; starting it again in 0.5 s." in stage.said()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_children_do_not_outlive_a_killed_supervisor(stage: Stage) -> None:
    stage.child("one")
    stage.child("two")
    process = stage.start()
    stage.wait_ready()
    pids = [stage.pid("one"), stage.pid("two")]
    process.kill()
    process.wait()
    eventually(lambda: not any(map(alive, pids)))
    assert sorted(line for line in stage.notes() if "stopped" in line) == ["one stopped", "two stopped"]


def test_child_that_will_not_stop_is_killed_after_the_grace(stage: Stage) -> None:
    stage.child("deaf", on_term="signal.SIG_IGN")
    process = stage.start(GRACE="0.5")
    stage.wait_ready()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert "deaf did not stop within 0.5 s and was killed." in stage.said()
    assert not alive(stage.pid("deaf"))


def test_second_ctrl_c_stops_at_once(stage: Stage) -> None:
    stage.child("deaf", on_term="signal.SIG_IGN")
    process = stage.start(GRACE="100")
    stage.wait_ready()
    process.send_signal(signal.SIGINT)
    eventually(lambda: "Stopping." in stage.said())
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert not alive(stage.pid("deaf"))


def test_service_that_cannot_start_ends_the_run_with_status_1(stage: Stage) -> None:
    stage.child("good")
    stage.child("bad", source='raise SystemExit("The port of {name} is taken.")')
    process = stage.start()
    assert process.wait(60) == 1
    assert "The port of bad is taken." in stage.said()
    assert "bad cannot start" in stage.said()
    assert not alive(stage.pid("good"))


def test_slow_service_is_named_while_it_is_waited_for(stage: Stage) -> None:
    stage.child(
        "slow", source=CHILD.replace("200", "503").replace("true", "false").replace("[]", '["The log is away."]')
    )
    process = stage.start()
    eventually(lambda: "Still waiting for slow: The log is away." in stage.said())
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
