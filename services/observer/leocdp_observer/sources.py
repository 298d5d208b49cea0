"""The sources an observer knows, by write key, with what the edge asks of each on every request made ready."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from leocdp.contracts.config_entries import SourceConfig


@dataclass(frozen=True, slots=True)
class Source:
    config: SourceConfig
    id: str
    authenticated: bool
    id_space: str
    shared_device: bool
    open: bool
    """Any origin may send."""


def ready(config: SourceConfig) -> Source:
    return Source(
        config=config,
        id=config.id,
        authenticated=config.authenticated,
        id_space="" if config.id_space == "default" else config.id_space,
        shared_device=config.shared_device,
        open="*" in config.origins,
    )


class Sources:
    """Looked up on every request; made anew when the configuration changes."""

    def __init__(self) -> None:
        self._by_key: dict[str, Source] = {}

    def replace(self, configs: Iterable[SourceConfig]) -> None:
        self._by_key = {config.write_key: ready(config) for config in configs}

    def find(self, write_key: str) -> Source | None:
        """The source of a write key, also one that is switched off."""
        return self._by_key.get(write_key)
