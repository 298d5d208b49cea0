"""``python -m leocdp_processor``: run the processor in the foreground."""

from __future__ import annotations

import gc

from leocdp.kit.errors import LeoError
from leocdp.kit.logs import configure_logging
from leocdp.kit.serve import CannotStart, serve
from leocdp_processor.app import create_app
from leocdp_processor.environment import Environment
from leocdp_processor.settings import ProcessorSettings

YOUNG_OBJECTS = 1_000_000
"""A batch of 6,500 events holds 420,000 at its most; looking through them even once would cost a twentieth."""


def calm_garbage_collection() -> None:
    """Look for cycles when more is left over than a batch holds, instead of hundreds of times per batch.

    A batch makes a million short-lived objects without cycles, which reference counting frees; with the defaults a
    third of the processor's time went into looking for cycles among them. What is there from the start is set aside.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)


def main() -> None:
    settings = ProcessorSettings()
    configure_logging("processor", level=settings.log_level, format=settings.log_format)
    try:
        environment = Environment(settings)
    except (LeoError, ValueError) as error:
        raise CannotStart(str(error)) from error
    calm_garbage_collection()
    serve(
        create_app(environment),
        host=settings.host,
        port=settings.processor_port,
        setting="LEOCDP_PROCESSOR_PORT",
        grace=settings.shutdown_grace,
    )


if __name__ == "__main__":
    main()
