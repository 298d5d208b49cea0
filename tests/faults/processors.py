"""Processors as processes of their own, several on one log and one store, and the means to hurt each of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.stack import wait_for
from tests.ports import free_ports

ITEMS = "leocdp_processor_items_total"


@dataclass(eq=False)
class Processor:
    """One ``python -m leocdp_processor``."""

    number: int
    port: int
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def reasons(self) -> list[str] | None:
        """Why it cannot do its work; nothing when it can; None when it does not answer."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10)
        except httpx.TransportError:
            return None
        return list(answer.json()["reasons"])

    def says(self, words: str) -> bool:
        return any(words in reason for reason in self.reasons() or ())

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels; 0 when it does not answer."""
        try:
            shown = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=10).text
        except httpx.TransportError:
            return 0.0
        samples = (sample for family in text_string_to_metric_families(shown) for sample in family.samples)
        return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())

    @property
    def applied(self) -> int:
        return int(self.metric(ITEMS, outcome="applied"))

    def send(self, signum: signal.Signals) -> None:
        self.process.send_signal(signum)

    def ended(self, seconds: float = 90) -> int:
        """Its exit status; fails when it does not end."""
        return self.process.wait(seconds)

    def log(self) -> str:
        return self.output.read_text(errors="replace")

    def tail(self, lines: int = 30) -> str:
        return f"processor {self.number}:\n" + "\n".join(self.log().splitlines()[-lines:])


@dataclass
class Fleet:
    """All processors of a test, those that are gone included."""

    folder: Path
    environment: dict[str, str]
    all: list[Processor] = field(default_factory=list)

    def start(self, **environment: str) -> Processor:
        number = len(self.all)
        (port,) = free_ports(1)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
        env = {
            **clean,
            "LEOCDP_DATA_DIR": str(self.folder),
            "LEOCDP_PROCESSOR_PORT": str(port),
            "LEOCDP_LOG_FORMAT": "json",
            **self.environment,
            **environment,
        }
        output = self.folder / f"processor-{number}.log"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "leocdp_processor"], env=env, stdout=stream, stderr=subprocess.STDOUT
            )
        self.all.append(Processor(number, port, process, output))
        return self.all[-1]

    def started(self, **environment: str) -> Processor:
        """One that is ready. Not for use in a coroutine."""
        processor = self.start(**environment)
        wait_for(lambda: not processor.alive or processor.reasons() == [], 120, processor.tail)
        assert processor.alive, processor.tail()
        return processor

    @property
    def alive(self) -> list[Processor]:
        return [one for one in self.all if one.alive]

    def tail(self) -> str:
        return "\n".join(one.tail() for one in self.all)

    def failures(self) -> list[str]:
        """What any of them has logged as an error: a defect, as everything that may happen is a warning at most."""
        lines = [line for one in self.all for line in one.log().splitlines()]
        return [line for line in lines if '"level": "error"' in line or "Traceback" in line]

    def end(self) -> None:
        for one in self.alive:
            one.send(signal.SIGCONT)
            one.process.kill()
        for one in self.all:
            one.process.wait(60)


def memory_of(pid: int) -> int:
    """Bytes of main memory that a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def fleet(folder: Path, **environment: str) -> Iterator[Fleet]:
    made = Fleet(folder, environment)
    try:
        yield made
    finally:
        made.end()
