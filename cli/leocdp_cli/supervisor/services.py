"""The services that ``leocdp run`` starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Service:
    """One process. ``module`` is run with ``python -m``; ``port_setting`` names the variable of its port."""

    name: str
    module: str
    port_setting: str


OBSERVER: Final = Service("observer", "leocdp_observer", "LEOCDP_OBSERVER_PORT")
PROCESSOR: Final = Service("processor", "leocdp_processor", "LEOCDP_PROCESSOR_PORT")
ADMIN: Final = Service("admin", "leocdp_admin", "LEOCDP_ADMIN_PORT")
GATEWAY: Final = Service("gateway", "leocdp_gateway", "LEOCDP_GATEWAY_PORT")

START_ORDER: Final = (ADMIN, PROCESSOR, OBSERVER, GATEWAY)
"""Admin first: it publishes the configuration that the others wait for."""
STOP_ORDER: Final = (GATEWAY, OBSERVER, ADMIN, PROCESSOR)
"""Doors first, then what stands behind them, so that nobody inside loses a call that was let in."""


def service(name: str) -> Service:
    """Raises KeyError for a name that is none."""
    return {each.name: each for each in START_ORDER}[name]
