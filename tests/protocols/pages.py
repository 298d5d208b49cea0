"""Web pages of a shop that carry tags, served on an origin of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

PAGE: Final = """<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Cửa hàng</title></head>
<body><h1>Shop</h1><script>@SETUP@</script>@SCRIPTS@</body></html>"""

STUB: Final = """
var analytics = window.analytics = [];
analytics.initialize = false;
analytics.methods = ["track", "identify", "page", "screen", "group", "alias", "ready", "on", "register"];
analytics.methods.forEach(function (name) {
  analytics[name] = function () { analytics.push([name].concat([].slice.call(arguments))); return analytics; };
});
analytics.load = function (key, options) {
  analytics._loadOptions = options;
  analytics._writeKey = key;
  var script = document.createElement("script");
  script.async = true;
  script.src = "@OBSERVER@/analytics.js/v1/" + key + "/analytics.min.js";
  document.head.appendChild(script);
};
analytics.SNIPPET_VERSION = "5.2.1";
"""
"""What Segment's snippet does, in short: keep calls until the bundle is there, and load it from the given host."""


def page(setup: str = "", *scripts: str) -> bytes:
    tags = "".join(f'<script src="{address}"></script>' for address in scripts)
    return PAGE.replace("@SETUP@", setup).replace("@SCRIPTS@", tags).encode()


@contextmanager
def shop(pages: Mapping[str, bytes], files: Mapping[str, Path]) -> Iterator[str]:
    """Serves ``pages`` by path and JavaScript ``files`` by path; yields the origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path in pages:
                self._answer(200, "text/html; charset=utf-8", pages[path])
            elif path in files:
                self._answer(200, "text/javascript; charset=utf-8", files[path].read_bytes())
            else:
                self._answer(404, "text/plain", b"")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Tests need no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
