"""Choose an engine by URL. The only place that knows which adapters there are; each driver is imported when chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from leocdp.kit.settings import sqlite_path

if TYPE_CHECKING:
    from leocdp.ports.event_log import EventLog


class EngineUnknown(ValueError):
    """A URL in the settings names no engine of this build. The sentence names the setting and what it may be."""


class LogFields(Protocol):
    """The settings that :func:`open_event_log` needs, as in ``ServiceSettings`` and ``LogSettings``."""

    @property
    def data_dir(self) -> Path: ...
    @property
    def log_url(self) -> str: ...
    @property
    def log_create_topics(self) -> bool: ...


def open_event_log(settings: LogFields) -> EventLog:
    """The event log of ``LEOCDP_LOG_URL``; ``log.db`` in the data folder by default. ``start`` it before use.

    Raises:
        EngineUnknown: no engine of this build has such a URL.
    """
    url = settings.log_url
    if url.startswith("kafka://"):
        raise EngineUnknown(
            "LEOCDP_LOG_URL names Kafka, and this build has no Kafka adapter yet: "
            "use sqlite:///path, or leave it empty for log.db in the data folder."
        )
    try:
        path = sqlite_path(url, settings.data_dir / "log.db")
    except ValueError as error:
        raise EngineUnknown(f"LEOCDP_LOG_URL {error}.") from error
    from leocdp.adapters.sqlite.event_log import SQLiteEventLog

    # Our own data folder may be made; a folder that somebody named must exist, or a missing mount would go unnoticed.
    return SQLiteEventLog(path, create=settings.log_create_topics, make_folder=not url)
