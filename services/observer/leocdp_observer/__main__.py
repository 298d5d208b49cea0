"""``python -m leocdp_observer``: run the observer in the foreground."""

from __future__ import annotations

import gc

from pydantic import ValidationError

from leocdp.kit.errors import LeoError
from leocdp.kit.http_head import limited_protocol
from leocdp.kit.logs import configure_logging
from leocdp.kit.serve import CannotStart, serve
from leocdp.kit.settings_errors import explain
from leocdp_observer.app import create_app
from leocdp_observer.environment import Environment
from leocdp_observer.memory import keep_freed_memory
from leocdp_observer.settings import ObserverSettings

KEEP_ALIVE = 75
"""Seconds an idle connection stays: longer than the 60 of usual load balancers, which must close first."""

GC_THRESHOLD = (50_000, 20, 100)
"""Requests leave no cycles behind; at Python's defaults the search for them takes a fifth of the time."""


def main() -> None:
    try:
        settings = ObserverSettings()
    except ValidationError as error:
        raise CannotStart(explain(error)) from error
    configure_logging("observer", level=settings.log_level, format=settings.log_format)
    try:
        environment = Environment(settings)
    except (LeoError, ValueError) as error:
        raise CannotStart(str(error)) from error
    keep_freed_memory()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    serve(
        create_app(environment),
        host=settings.host,
        port=settings.observer_port,
        setting="LEOCDP_OBSERVER_PORT",
        grace=settings.shutdown_grace,
        http=limited_protocol(settings.observer_head_timeout),
        ws="none",
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
    )


if __name__ == "__main__":
    main()
