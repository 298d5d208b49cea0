"""The sources that protocol tests send with."""

from __future__ import annotations

from typing import Any, Final

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.config_view import publish_entry
from leocdp.ports.event_log import EventLog

SOURCES: Final[tuple[dict[str, Any], ...]] = (
    {"id": "server", "name": "Server", "kind": "server", "write_key": "wk_test", "id_space": "shop"},
    {"id": "jitsu", "name": "Jitsu", "kind": "browser", "write_key": "wk_key"},
    {"id": "web", "name": "Web", "kind": "browser", "write_key": "wk_web", "origins": ["https://shop.example"]},
    {"id": "kiosk", "name": "Kiosk", "write_key": "wk_kiosk", "shared_device": True, "ip_policy": "shorten"},
    {"id": "private", "name": "Private", "write_key": "wk_private", "ip_policy": "drop"},
    {"id": "off", "name": "Off", "write_key": "wk_off", "enabled": False},
)


async def publish_sources(log: EventLog) -> None:
    for source in SOURCES:
        await publish_entry(log, ConfigEntry(kind="source", id=source["id"], version=1, at=0, data=source))
