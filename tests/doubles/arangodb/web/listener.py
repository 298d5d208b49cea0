"""The socket: HTTP/1.1 on loopback, a thread for each connection."""

from __future__ import annotations

import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.doubles.arangodb.web.message import Request, Response

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Dropped(Exception):
    """The connection is to end without an answer."""


class Listener(ThreadingHTTPServer):
    """Calls ``respond(request)`` for each request; it may raise Dropped."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, respond: Any, port: int = 0) -> None:
        self.respond = respond
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        """Ends all connections that clients keep open, as a restart does."""
        for each in list(self._connections):
            cut(each)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Listener

    def _handle(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        try:
            response = self.server.respond(_request(self.command, self.path, self.headers, raw))
        except Dropped:
            self.close_connection = True
            cut(self.connection)
            return
        self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _send(self, response: Response) -> None:
        body = response.encoded()
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json; charset=utf-8")
        if response.status != 304:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and response.status != 304:
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the double has a log of its own."""


def _request(method: str, target: str, headers: Any, raw: bytes) -> Request:
    parts = urlsplit(target)
    database, path = "_system", parts.path
    if path.startswith("/_db/"):
        named, _, rest = path.removeprefix("/_db/").partition("/")
        database, path = unquote(named), f"/{rest}"
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Request(method, database, path, query, {name.lower(): value for name, value in headers.items()}, raw)


def cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()


def body_of(request: Request) -> Any:
    """The body for the log; None where it is no JSON."""
    try:
        return json.loads(request.raw) if request.raw else None
    except ValueError:
        return None
