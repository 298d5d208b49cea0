"""Benchmark of the observer: events per second of one core, beside a raw ASGI function in the same run.

Load: closed loop, ``wrk`` with one thread on a core of its own; the server is pinned to another. Each figure is
requests divided by the CPU seconds that the server used, so other programs on the machine disturb it little. Runs
alternate between the two servers. A run fails unless what was answered is what the observer counted and what stands
in the log.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.log_records import decode_accepted
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.config_view import publish_entry
from tests.bench.figures import Figure, figure

RUNS = 3
SECONDS = 5
CONNECTIONS = 64
WRITE_KEY = "bench-write-key"
BATCH = 100
TARGETS = {"single": 0.45, "batch": 0.15}
TICKS = os.sysconf("SC_CLK_TCK")

EVENT = json.dumps(
    {
        "type": "track",
        "event": "Product Viewed",
        "anonymousId": "@ID@",
        "userId": None,
        "messageId": "bench-@ID@-@N@",
        "timestamp": "2026-03-21T20:33:12.336Z",
        "properties": {"product_id": "p-1882", "name": "Lamp", "price": 199000, "currency": "VND", "category": "home"},
        "context": {
            "page": {"path": "/p/1882", "referrer": "", "title": "Shop", "url": "https://shop.example/p/1882"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0",
            "locale": "vi-VN",
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
        },
    },
    separators=(",", ":"),
)

LUA = """
local template = [[@EVENT@]]
local count = 0
local headers = {["Content-Type"]="application/json", ["Authorization"]="Basic @AUTH@"}
local function event()
  count = count + 1
  local id = string.format("%08x%04x", math.random(0, 0x7fffffff), count % 65536)
  return (template:gsub("@ID@", id):gsub("@N@", tostring(count)))
end
@REQUEST@
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
"""
REQUEST = {
    "single": 'request = function() return wrk.format("POST", "/v1/track", headers, event()) end',
    "batch": """
local bodies = {}
for n = 1, 50 do
  local items = {}
  for i = 1, @BATCH@ do items[i] = event() end
  local body = '{"batch":[' .. table.concat(items, ",") .. '],"sentAt":"2026-03-21T20:33:12.390Z"}'
  bodies[n] = wrk.format("POST", "/v1/batch", headers, body)
end
local next = 0
request = function() next = next % 50 + 1; return bodies[next] end
""",
}


@dataclass(frozen=True)
class Run:
    requests: int
    cpu: float
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_cpu(self) -> float:
        return self.requests / self.cpu


class DoesNotAddUp(SystemExit):
    """What was sent, accepted and stored are not the same."""


async def raw_app(scope, receive, send):  # type: ignore[no-untyped-def]
    """The limit: reads the body and answers. Run by uvicorn with the options of the observer."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = [(b"content-type", b"application/json"), (b"content-length", b"16")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"success":true}'})


def serve_raw(port: int) -> None:
    import uvicorn

    uvicorn.run(
        raw_app,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        ws="none",
    )


def pinned(core: int) -> list[str]:
    tool = shutil.which("taskset")
    cores = sorted(os.sched_getaffinity(0))
    return [tool, "-c", str(cores[core])] if tool and len(cores) > 1 else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(command: Sequence[str], port: int, **settings: str) -> Iterator[int]:
    """Runs a server on core 0; yields its process id; stops it with SIGTERM."""
    environment = {**os.environ, **settings}
    process = subprocess.Popen([*pinned(0), sys.executable, *command], env=environment)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def load(script: Path, port: int, pid: int, seconds: int) -> Run:
    before = cpu_seconds(pid)
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is needed (package `wrk` of Debian and Ubuntu).")
    command = [*pinned(-1), wrk, "-t1", "--timeout", "20s", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
    shown = subprocess.run([*command, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", shown)
    if found is None:
        raise SystemExit(f"wrk said something unexpected:\n{shown}")
    requests, refused, broken, micros, p50, p99 = map(int, found.groups())
    if refused or broken:
        raise DoesNotAddUp(f"{refused} requests were not answered with success and {broken} connections failed")
    return Run(requests, cpu_seconds(pid) - before, micros / 1e6, p50 / 1e3, p99 / 1e3)


def raw_run(script: Path) -> Run:
    port = free_port()
    with server([__file__, "--serve-raw", str(port)], port) as pid:
        load(script, port, pid, 1)
        return load(script, port, pid, SECONDS)


def observer_run(script: Path, items: int) -> Run:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as folder:
        asyncio.run(publish_source(Path(folder)))
        settings = observer_settings(Path(folder), port)
        with server(["-m", "leocdp_observer"], port, **settings) as pid:
            warm = load(script, port, pid, 1)
            run = load(script, port, pid, SECONDS)
            counted = accepted_at_rest(port)
        stored = asyncio.run(count_stored(Path(folder)))
        reconcile((warm.requests + run.requests) * items, counted, stored, 2 * CONNECTIONS * items)
        return run


def observer_settings(folder: Path, port: int) -> dict[str, str]:
    return {
        "LEOCDP_DATA_DIR": str(folder),
        "LEOCDP_OBSERVER_PORT": str(port),
        "LEOCDP_OBSERVER_RATE_LIMIT": "0",
        "LEOCDP_LOG_LEVEL": "WARNING",
    }


def accepted(port: int) -> int:
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    found = re.search(r'leocdp_observer_items_total\{outcome="accepted",reason=""\} (\S+)', text)
    return int(float(found.group(1))) if found else 0


def accepted_at_rest(port: int) -> int:
    """What the observer has counted once nothing is in flight any more."""
    deadline = time.monotonic() + 20
    last = -1
    while (count := accepted(port)) != last:
        if time.monotonic() > deadline:
            raise DoesNotAddUp("the observer does not come to rest")
        last = count
        time.sleep(0.3)
    return count


def reconcile(answered: int, counted: int, stored: int, in_flight: int) -> None:
    """The load tool drops what is still in flight when its time is up; the observer has it, and so has the log."""
    if counted != stored or not answered <= counted <= answered + in_flight:
        raise DoesNotAddUp(f"answered {answered}, accepted {counted}, stored {stored}")


async def publish_source(folder: Path) -> None:
    log = SQLiteEventLog(folder / "log.db")
    await log.start()
    source = {"id": "bench", "name": "bench", "kind": "server", "write_key": WRITE_KEY}
    await publish_entry(log, ConfigEntry(kind="source", id="bench", version=1, at=0, data=source))
    await log.close()


async def count_stored(folder: Path) -> int:
    log = SQLiteEventLog(folder / "log.db")
    await log.start()
    count = 0
    async for records in log.follow(EVENTS_ACCEPTED):
        if not records:
            break
        for record in records:
            count += sum(len(block.items) for block in decode_accepted(record.value or b"").blocks)
    await log.close()
    return count


def write_script(folder: Path, kind: str) -> Path:
    text = LUA.replace("@EVENT@", EVENT).replace("@AUTH@", b64encode(f"{WRITE_KEY}:".encode()).decode())
    path = folder / f"{kind}.lua"
    path.write_text(text.replace("@REQUEST@", REQUEST[kind]).replace("@BATCH@", str(BATCH)))
    return path


def measure(kind: str) -> Figure:
    """Runs in pairs, so that both servers meet the same machine. Raises DoesNotAddUp."""
    items = BATCH if kind == "batch" else 1
    with tempfile.TemporaryDirectory(prefix="leocdp-bench-") as folder:
        script = write_script(Path(folder), kind)
        pairs = [(raw_run(script), observer_run(script, items)) for _ in range(RUNS)]
    p50 = statistics.median(run.p50_ms for _, run in pairs)
    p99 = statistics.median(run.p99_ms for _, run in pairs)
    return figure(
        "observer, one event per request, embedded" if kind == "single" else f"observer, batches of {BATCH}, embedded",
        [run.per_cpu * items for _, run in pairs],
        "events per CPU second",
        limits=[run.per_cpu * items for run, _ in pairs],
        limit_of="raw ASGI function",
        target=TARGETS[kind],
        note=f"closed loop, {CONNECTIONS} connections, p50 {p50:.1f} ms, p99 {p99:.1f} ms",
    )


def main() -> Sequence[Figure]:
    return [measure(kind) for kind in TARGETS]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve-raw"]:
        serve_raw(int(sys.argv[2]))
    else:
        for kind in sys.argv[1:] or TARGETS:
            one = measure(kind)
            print(f"{one.what}: {one.value:,.0f} {one.unit}, {one.ratio:.2f} of raw ASGI ({one.note})", flush=True)
