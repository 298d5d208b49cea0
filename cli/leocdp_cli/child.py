"""``python -m leocdp_cli.child MODULE FD``: runs a service as a child that never outlives its supervisor.

FD is the reading end of a pipe that only the supervisor could write to. It never does: the pipe ends when the
supervisor is gone, however it went (``kill -9`` too), and then the service drains and stops.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

GRACE = 30.0
"""Seconds that an orphan may drain before it ends itself."""


def watch(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def main() -> None:
    module, lifeline = sys.argv[1], int(sys.argv[2])
    os.set_inheritable(lifeline, False)
    threading.Thread(target=watch, args=(lifeline,), name="lifeline", daemon=True).start()
    sys.argv[:] = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
