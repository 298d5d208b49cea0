"""Services as processes of their own, pinned to a core, and what they have used."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 30.0


class DoesNotAddUp(SystemExit):
    """What was sent, accepted and stored are not the same."""


def full() -> bool:
    """``make bench ARGS=--full``: the large sizes, which take tens of minutes."""
    return os.environ.get("LEOCDP_BENCH_FULL") == "1"


def pinned(core: int | None) -> list[str]:
    """The command before a command that keeps it on one core; nothing where that cannot be, or is not asked for."""
    tool = shutil.which("taskset")
    cores = sorted(os.sched_getaffinity(0))
    return [tool, "-c", str(cores[core])] if tool and core is not None and len(cores) > 1 else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def service(module: str, port: int, *, core: int | None = None, **settings: str) -> Iterator[int]:
    """Runs ``python -m module`` until it says that it is ready; yields its process id; stops it with SIGTERM."""
    environment = {**os.environ, "LEOCDP_LOG_LEVEL": "WARNING", **settings}
    process = subprocess.Popen([*pinned(core), sys.executable, "-m", module], env=environment)
    try:
        wait_for(lambda: ready(port), START_SECONDS, f"{module} did not become ready", process)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def wait_for(
    condition: Callable[[], bool], seconds: float, told: str, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Poll until the condition holds. Raises SystemExit at the deadline, or when the process has ended."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise SystemExit(told)
        time.sleep(0.02)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads, in steps of a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def metric(port: int, name: str, **labels: str) -> float:
    """The sum of a metric over all series with these labels."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    total = 0.0
    for found in re.finditer(rf"^{name}(?:{{(.*)}})? (\S+)$", text, re.MULTILINE):
        if all(f'{label}="{value}"' in (found.group(1) or "") for label, value in labels.items()):
            total += float(found.group(2))
    return total


def percentile(values: Sequence[float], part: float) -> float:
    """Nearest rank: the least value that ``part`` of all do not exceed. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * part // 1).__int__() - 1)]
