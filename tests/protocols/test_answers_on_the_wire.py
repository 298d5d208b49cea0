"""Answers as they travel: whole in one packet, in the order of the requests, and before the connection closes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from tests.protocols.observer_process import ObserverProcess, observer_process

BODY = json.dumps({"type": "track", "event": "Good", "userId": "u-1"}).encode()
HEAD = b"POST /v1/track HTTP/1.1\r\nHost: edge\r\nAuthorization: Basic d2tfdGVzdDo=\r\nContent-Length: %d\r\n%b\r\n"
BAD = b"[1]"


@pytest.fixture(scope="module")
def observer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObserverProcess]:
    with observer_process(tmp_path_factory.mktemp("wire")) as running:
        yield running


@pytest.fixture
def connection(observer: ObserverProcess) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", observer.port), timeout=60) as opened:
        yield opened


def request(body: bytes = BODY, more: bytes = b"") -> bytes:
    return HEAD % (len(body), more) + body


def whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or -1)
    return bool(found) and len(body) == length


def test_an_answer_comes_in_one_piece(connection: socket.socket) -> None:
    for _ in range(50):
        connection.sendall(request())
        assert whole(connection.recv(65_536))
    connection.sendall(request(BAD))
    answer = connection.recv(65_536)
    assert whole(answer)
    assert answer.startswith(b"HTTP/1.1 400")


def test_requests_sent_at_once_are_answered_in_their_order(connection: socket.socket) -> None:
    connection.sendall(request() + request(BAD) + request() + b"GET /healthz HTTP/1.1\r\nHost: edge\r\n\r\n")
    answers = read_all(connection, 4)
    assert [one.split(b" ", 1)[0] for one in answers] == [b"200", b"400", b"200", b"200"]
    assert b'"service":"observer"' in answers[3]


def test_the_last_answer_comes_before_the_connection_closes(connection: socket.socket) -> None:
    connection.sendall(request(more=b"Connection: close\r\n"))
    assert whole(connection.recv(65_536))
    assert connection.recv(10) == b""


def read_all(connection: socket.socket, count: int) -> list[bytes]:
    """That many answers, each without the words before its status."""
    received = b""
    while received.count(b"HTTP/1.1 ") < count or not whole(received.rpartition(b"HTTP/1.1 ")[2]):
        received += (more := connection.recv(65_536))
        assert more, received
    return received.split(b"HTTP/1.1 ")[1:]
