"""HTTP load over keep-alive connections, as many clients send it.

Open loop: requests are due at times that do not depend on the answers (a Poisson process). A request that is due while
its connection still waits for an answer is sent after it, and its time counts from when it was due, so that a slow
server cannot hide behind a sender that waits for it.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import cast

Answered = Callable[["Sender", float, int], None]
"""Who, when the request was due (perf_counter), status."""


@dataclass
class Load:
    """What was sent in a time, and what came back."""

    due: list[float] = field(default_factory=list)
    """When each request was due, in the order of sending."""
    seconds: list[float] = field(default_factory=list)
    """From due to answered, in the order of answers."""
    statuses: Counter[int] = field(default_factory=Counter)
    late: float = 0.0
    """The longest that this sender was behind its own schedule, in seconds."""


class Sender(asyncio.Protocol):
    """A connection with at most one request under way. ``answered`` is called with status 0 when it breaks."""

    def __init__(self, answered: Answered) -> None:
        self._answered = answered
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._due: float | None = None
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for due in ([] if self._due is None else [self._due]) + [due for due, _ in self._waiting]:
            self._answered(self, due, 0)
        self._waiting.clear()
        self._due = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def send(self, due: float, request: bytes) -> None:
        if self._transport is None:
            self._answered(self, due, 0)
        elif self._due is None:
            self._due = due
            self._transport.write(request)
        else:
            self._waiting.append((due, request))

    def data_received(self, data: bytes) -> None:
        self._data += data
        status = whole_answer(self._data)
        if status is None or self._due is None:
            return
        due, self._due, self._data = self._due, None, b""
        if self._waiting:
            self.send(*self._waiting.popleft())
        self._answered(self, due, status)


def whole_answer(data: bytes) -> int | None:
    """The status of an answer that is there as a whole; answers say their length."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
    return int(head[9:12]) if len(body) >= int(length or 0) else None


def post(path: str, body: bytes, write_key: str) -> bytes:
    """A request as one piece."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Basic {b64encode(f'{write_key}:'.encode()).decode()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def connect(port: int, count: int, answered: Answered) -> Sequence[Sender]:
    loop = asyncio.get_running_loop()
    senders = []
    for _ in range(count):
        _, sender = await loop.create_connection(lambda: Sender(answered), "127.0.0.1", port)
        senders.append(sender)
    return senders


async def open_loop(
    port: int, requests: Iterator[bytes], *, rate: float, seconds: float, connections: int, seed: int
) -> Load:
    """Send ``rate`` requests a second over all connections in turn; returns when all are answered."""
    load = Load()
    gaps = Random(seed)
    clock = time.perf_counter

    def answered(_: Sender, due: float, status: int) -> None:
        load.seconds.append(clock() - due)
        load.statuses[status] += 1

    senders = await connect(port, connections, answered)
    due = clock()
    end = due + seconds
    while due < end:
        while due < end and due <= (now := clock()):
            load.late = max(load.late, now - due)
            senders[len(load.due) % connections].send(due, next(requests))
            load.due.append(due)
            due += gaps.expovariate(rate)
        await asyncio.sleep(max(0.0, min(due, end) - clock()))
    await all_answered(load)
    for sender in senders:
        sender.close()
    return load


async def closed_loop(port: int, requests: Iterator[bytes], *, seconds: float, connections: int) -> Load:
    """Every connection sends its next request when it has its answer."""
    load = Load()
    clock = time.perf_counter
    end = clock() + seconds

    def send(sender: Sender) -> None:
        due = clock()
        load.due.append(due)
        sender.send(due, next(requests))

    def answered(sender: Sender, due: float, status: int) -> None:
        load.seconds.append(clock() - due)
        load.statuses[status] += 1
        if clock() < end and status:
            send(sender)

    senders = await connect(port, connections, answered)
    for sender in senders:
        send(sender)
    await asyncio.sleep(seconds)
    await all_answered(load)
    for sender in senders:
        sender.close()
    return load


async def all_answered(load: Load) -> None:
    """Raises SystemExit when answers do not come."""
    deadline = time.perf_counter() + 30
    while len(load.seconds) < len(load.due):
        if time.perf_counter() > deadline:
            raise SystemExit(f"{len(load.due) - len(load.seconds)} requests were not answered")
        await asyncio.sleep(0.01)
