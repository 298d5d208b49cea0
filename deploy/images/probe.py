"""Is the service in this container well? ``probe.py PORT_VARIABLE DEFAULT_PORT [PATH]``; exit status 0 when it is.

Standard library only, so that it starts quickly: engines run it every few seconds. PATH is ``/healthz`` by default;
``/readyz`` asks whether the service can do its work, and prints why not.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 3.0


def main(variable: str, default: str, path: str = "/healthz") -> int:
    port = int(os.environ.get(variable) or default)
    host = os.environ.get("LEOCDP_HOST", "127.0.0.1")
    connection = HTTPConnection("127.0.0.1" if host in ("", "0.0.0.0", "::") else host, port, timeout=SECONDS)  # noqa: S104
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read(2_000).decode(errors="replace")
    except (OSError, HTTPException) as error:
        print(f"Port {port} does not answer: {error}")
        return 1
    if answer.status != 200:
        print(said)
    return int(answer.status != 200)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
