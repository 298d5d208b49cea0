"""``python -m leocdp_processor``: run the processor in the foreground."""

from __future__ import annotations

from leocdp.kit.errors import LeoError
from leocdp.kit.logs import configure_logging
from leocdp.kit.serve import CannotStart, serve
from leocdp_processor.app import create_app
from leocdp_processor.environment import Environment
from leocdp_processor.settings import ProcessorSettings


def main() -> None:
    settings = ProcessorSettings()
    configure_logging("processor", level=settings.log_level, format=settings.log_format)
    try:
        environment = Environment(settings)
    except (LeoError, ValueError) as error:
        raise CannotStart(str(error)) from error
    serve(
        create_app(environment),
        host=settings.host,
        port=settings.processor_port,
        setting="LEOCDP_PROCESSOR_PORT",
        grace=settings.shutdown_grace,
    )


if __name__ == "__main__":
    main()
