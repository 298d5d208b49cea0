"""Configuration as it travels: entries of the compacted topic ``leocdp.config.v1``, keyed ``kind:id``.

Admin's store is the truth. Each entry has a version per key; consumers ignore lower versions. A deleted entry is
published once as ``deleted`` (so that its version stays known) before compaction may forget it.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class ConfigEntry(msgspec.Struct, frozen=True, kw_only=True):
    """JSON: ``{"kind", "id", "version", "deleted", "at", "data"}``."""

    kind: str
    """``source``, ``identity_rules``, ``consent``, ``workspace``, ``metrics`` …"""
    id: str
    """Of a source its id; of settings, of which there is one per kind, ``default``."""
    version: int
    at: int
    """ms UTC of the change."""
    deleted: bool = False
    data: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"


SourceKind = Literal["browser", "server"]


class SourceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``data`` of kind ``source``: all that observers and processors need to know of a source."""

    id: str
    name: str
    kind: SourceKind = "browser"
    write_key: str
    origins: list[str] = msgspec.field(default_factory=lambda: ["*"])
    id_space: str = "default"
    shared_device: bool = False
    consent_policy: str = "not_needed"
    enabled: bool = True
    ip_policy: Literal["keep", "shorten", "drop"] = "keep"

    @property
    def authenticated(self) -> bool:
        """Keys of server sources are secrets; those of browser sources stand in web pages."""
        return self.kind == "server"


def encode_entry(entry: ConfigEntry) -> bytes:
    return msgspec.json.encode(entry)


def decode_entry(value: bytes) -> ConfigEntry:
    """Raises msgspec.MsgspecError on anything that is no entry."""
    return msgspec.json.decode(value, type=ConfigEntry)


def source_config(entry: ConfigEntry) -> SourceConfig:
    """Raises msgspec.ValidationError when ``data`` is not a source."""
    return msgspec.convert(entry.data, SourceConfig)
