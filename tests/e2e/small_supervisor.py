"""Runs the supervisor over the modules named on its command line (``name=module:port``), for tests to kill."""

from __future__ import annotations

import asyncio
import os
import sys

from leocdp_cli.supervisor.services import Service
from leocdp_cli.supervisor.supervisor import Plan, Supervisor


def main() -> int:
    services, urls = [], {}
    for argument in sys.argv[1:]:
        name, _, rest = argument.partition("=")
        module, _, port = rest.partition(":")
        services.append(Service(name, module, "PORT"))
        urls[name] = f"http://127.0.0.1:{port}"
    plan = Plan(
        start=services,
        stop=list(reversed(services)),
        environment=dict(os.environ),
        urls=urls,
        grace=float(os.environ.get("GRACE", "10")),
        start_timeout=2.0,
    )
    supervisor = Supervisor(plan, say=_say, ready=lambda: _say("READY"))
    return asyncio.run(supervisor.run())


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
