"""Ports are looked at before anything starts, so that the sentence comes first and alone."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

from leocdp.kit.serve import CannotStart, bind
from leocdp_cli.supervisor.services import Service


def check_ports(services: Sequence[Service], host: str, ports: Mapping[str, int]) -> None:
    """Raises CannotStart for a port that is taken, or given twice. ``ports``: service name → port."""
    seen: dict[int, Service] = {}
    held: list[socket.socket] = []
    try:
        for service in services:
            port = ports[service.name]
            if port in seen:
                raise CannotStart(
                    f"{seen[port].port_setting} and {service.port_setting} are both {port}. Give each service its own."
                )
            seen[port] = service
            held.append(bind(host, port, service.port_setting))
    finally:
        for listener in held:
            listener.close()
