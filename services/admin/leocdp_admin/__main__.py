"""``python -m leocdp_admin``: run the admin service in the foreground."""

from __future__ import annotations

from leocdp.kit.errors import LeoError
from leocdp.kit.logs import configure_logging
from leocdp.kit.serve import CannotStart, serve
from leocdp_admin.app import create_app
from leocdp_admin.environment import Environment
from leocdp_admin.settings import AdminSettings


def main() -> None:
    try:
        settings = AdminSettings()
        configure_logging("admin", level=settings.log_level, format=settings.log_format)
        environment = Environment(settings)
    except (LeoError, ValueError, OSError) as error:
        raise CannotStart(str(error)) from error
    serve(
        create_app(environment),
        host=settings.host,
        port=settings.admin_port,
        setting="LEOCDP_ADMIN_PORT",
        grace=settings.shutdown_grace,
        on_stop=environment.services.stopping.set,
    )


if __name__ == "__main__":
    main()
