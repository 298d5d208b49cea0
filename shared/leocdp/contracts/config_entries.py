"""Configuration as it travels: entries of the compacted topic ``leocdp.config.v1``, keyed ``kind:id``.

Admin's store is the truth. Each entry has a version per key; consumers ignore lower versions. A deleted entry is
published once as ``deleted`` (so that its version stays known) before compaction may forget it.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from leocdp.contracts.decoding import decoded


class ConfigEntry(msgspec.Struct, frozen=True, kw_only=True):
    """JSON: ``{"kind", "id", "version", "deleted", "at", "data"}``."""

    kind: str
    """``source``, ``segment``, ``computed_trait``, ``list``; settings: ``identity_rules``, ``consent``, ``workspace``,
    ``metrics``, ``scoring``."""
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


class SegmentVersion(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    condition: dict[str, Any]
    """As ``domain.segments.parse`` reads it."""


class SegmentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``data`` of kind ``segment``.

    A condition that is new is ``next``: processors compute its members beside those of ``current``. When nobody is
    behind the entry's time any more, admin publishes it as ``current``; only then it is announced and counts for
    conditions that refer to the segment.
    """

    id: str
    name: str
    description: str = ""
    state: Literal["active", "paused", "archived", "broken"] = "active"
    """Paused and broken segments keep their last members; the members of an archived one have left."""
    reason: str = ""
    """Of *broken*: why."""
    current: SegmentVersion | None = None
    next: SegmentVersion | None = None


class ComputedTraitConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``data`` of kind ``computed_trait``: a trait that follows from events (``domain.segments.computed``)."""

    id: str
    trait: str
    """The name under which conditions and profiles know it."""
    definition: dict[str, Any]
    """``{"event", "where", "fn", "property", "within" | "between", "as"}``"""
    description: str = ""


class ListConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``data`` of kind ``list``: an imported list of identifiers. Its members travel as commands."""

    id: str
    name: str
    description: str = ""


_decode_entry = msgspec.json.Decoder(ConfigEntry).decode


def encode_entry(entry: ConfigEntry) -> bytes:
    return msgspec.json.encode(entry)


def decode_entry(value: bytes) -> ConfigEntry:
    """Raises msgspec.MsgspecError on anything that is no entry."""
    return decoded(_decode_entry, value)


def source_config(entry: ConfigEntry) -> SourceConfig:
    """Raises msgspec.ValidationError when ``data`` is not a source."""
    return msgspec.convert(entry.data, SourceConfig)


def segment_config(entry: ConfigEntry) -> SegmentConfig:
    """Raises msgspec.ValidationError when ``data`` is not a segment."""
    return msgspec.convert(entry.data, SegmentConfig)


def computed_trait_config(entry: ConfigEntry) -> ComputedTraitConfig:
    """Raises msgspec.ValidationError when ``data`` is not a computed trait."""
    return msgspec.convert(entry.data, ComputedTraitConfig)
