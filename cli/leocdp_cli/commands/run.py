"""``leocdp run``: all services under a supervisor, or one of them in the foreground."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated
from zlib import crc32

import typer
from pydantic import ValidationError

from leocdp.kit.serve import CannotStart
from leocdp_cli.backups.restoring import unfinished
from leocdp_cli.stores import StoresSettings
from leocdp_cli.supervisor import services
from leocdp_cli.supervisor.data_dir import (
    ERASURE_KEY,
    GATEWAY_SECRET,
    LOGIN_LINK,
    QUICKSTART_KEY,
    DataDirLock,
    prepare,
    secret_file,
)
from leocdp_cli.supervisor.ports import check_ports
from leocdp_cli.supervisor.readiness import base_url
from leocdp_cli.supervisor.settings import RunSettings
from leocdp_cli.supervisor.supervisor import Plan, Supervisor
from leocdp_cli.supervisor.welcome import Welcome, quickstart_key, take_login_link

STOP_MARGIN = 5.0
"""Seconds on top of a service's own grace before it is killed: it is told first, and may still say something."""


class ServiceName(StrEnum):
    OBSERVER = "observer"
    PROCESSOR = "processor"
    ADMIN = "admin"
    GATEWAY = "gateway"


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    service: Annotated[
        ServiceName | None, typer.Argument(help="One service, in the foreground. Without it: all of them.")
    ] = None,
) -> None:
    """Start the services and stop them cleanly on Ctrl-C.

    Settings come from the environment, see docs/settings.md. Data is kept in ./var or LEOCDP_DATA_DIR.
    """
    settings = _settings()
    data_dir = prepare(settings.data_dir)
    if left := unfinished(StoresSettings(data_dir=data_dir).embedded()):
        raise CannotStart(
            f"A restore into {data_dir} was killed before it was done with {', '.join(left)}. Run it again, with "
            "--replace, and start the services then."
        )
    environment = _environment(settings, data_dir)
    if service is not None:
        module = services.service(service.value).module
        os.execve(sys.executable, [sys.executable, "-m", module], environment)  # noqa: S606 - no shell is meant
    raise typer.Exit(_supervise(settings, data_dir, environment))


def _settings() -> RunSettings:
    try:
        return RunSettings()
    except ValidationError as error:
        problems = "; ".join(f"LEOCDP_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())
        raise CannotStart(f"The settings are not right. {problems}") from error


def _environment(settings: RunSettings, data_dir: Path) -> dict[str, str]:
    """What the services get: our environment, one data folder, and the secrets that are not set already."""
    environment = {**os.environ, "LEOCDP_DATA_DIR": str(data_dir)}
    if settings.gateway_secret is None and settings.gateway_secret_file is None:
        environment["LEOCDP_GATEWAY_SECRET_FILE"] = str(secret_file(data_dir, GATEWAY_SECRET))
    if settings.erasure_key is None and settings.erasure_key_file is None:
        environment["LEOCDP_ERASURE_KEY_FILE"] = str(secret_file(data_dir, ERASURE_KEY))
    if settings.bootstrap_write_key is None and settings.bootstrap_write_key_file is None:
        environment["LEOCDP_BOOTSTRAP_WRITE_KEY_FILE"] = str(secret_file(data_dir, QUICKSTART_KEY, "wk_"))
    return environment


def _supervise(settings: RunSettings, data_dir: Path, environment: dict[str, str]) -> int:
    link_file = data_dir / "secrets" / LOGIN_LINK
    if settings.print_login_link or sys.stdout.isatty():
        environment["LEOCDP_LOGIN_LINK_FILE"] = str(link_file)
    environment.setdefault("LEOCDP_LOG_MEMBER", member_name(data_dir))
    lock = DataDirLock(data_dir)
    lock.acquire()
    try:
        ports = {each.name: settings.port(each.name) for each in services.START_ORDER}
        check_ports(services.START_ORDER, settings.host, ports)
        plan = Plan(
            start=services.START_ORDER,
            stop=services.STOP_ORDER,
            environment=environment,
            urls={name: base_url(settings.host, port) for name, port in ports.items()},
            grace=settings.shutdown_grace + STOP_MARGIN,
            start_timeout=settings.start_timeout,
            healthy_after=settings.supervisor_healthy_after,
        )
        supervisor = Supervisor(plan, say=_say, ready=lambda: typer.echo(_welcome(settings, data_dir, environment)))
        return asyncio.run(supervisor.run())
    finally:
        lock.release()


def member_name(data_dir: Path) -> str:
    """Of the one processor of a data folder in its consumer group: after a crash it has its partitions at once."""
    return f"run-{socket.gethostname()}-{crc32(str(data_dir).encode()):08x}"


def _welcome(settings: RunSettings, data_dir: Path, environment: dict[str, str]) -> str:
    block = Welcome(
        version=version("leocdp-cli"),
        data=str(data_dir),
        gateway=f"http://localhost:{settings.gateway_port}",
        observer=f"http://localhost:{settings.observer_port}",
        login_link=take_login_link(environment.get("LEOCDP_LOGIN_LINK_FILE")),
        write_key=quickstart_key(base_url(settings.host, settings.admin_port), environment),
    )
    return block.render()


def _say(sentence: str) -> None:
    typer.echo(f"leocdp: {sentence}", err=True)
