"""``python -m leocdp_gateway``: run the gateway in the foreground."""

from __future__ import annotations

from pydantic import ValidationError

from leocdp.kit.http_head import limited_protocol
from leocdp.kit.logs import configure_logging
from leocdp.kit.serve import CannotStart, serve
from leocdp_gateway.app import create_app
from leocdp_gateway.environment import Environment
from leocdp_gateway.settings import GatewaySettings

KEEP_ALIVE = 75
"""Seconds an idle connection stays: longer than the 60 of usual load balancers, which must close first."""


def main() -> None:
    try:
        settings = GatewaySettings()
        configure_logging("gateway", level=settings.log_level, format=settings.log_format)
        environment = Environment(settings)
    except ValidationError as error:
        problems = "; ".join(_problem(each["loc"], each["msg"]) for each in error.errors())
        raise CannotStart(f"The settings are not right. {problems}") from error
    except (OSError, ValueError) as error:
        raise CannotStart(str(error)) from error
    serve(
        create_app(environment),
        host=settings.host,
        port=settings.gateway_port,
        setting="LEOCDP_GATEWAY_PORT",
        grace=settings.shutdown_grace,
        on_stop=environment.stop,
        http=limited_protocol(settings.gateway_head_timeout),
        ws="none",
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
    )


def _problem(where: tuple[int | str, ...], message: str) -> str:
    name = f"LEOCDP_{str(where[0]).upper()}: " if where else ""
    return f"{name}{message.removeprefix('Value error, ')}"


if __name__ == "__main__":
    main()
