"""The live configuration: what admin has published on ``leocdp.config.v1``, held in memory and kept up to date.

Admin's store is the truth and gives each key (``kind:id``) versions that only grow; a lower version than the one known
is ignored, whenever it comes. Readers that lose the log keep what they know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from leocdp.contracts.config_entries import (
    ConfigEntry,
    SourceConfig,
    decode_entry,
    encode_entry,
    source_config,
)
from leocdp.contracts.topics import CONFIG, partition_for
from leocdp.kit.logs import get_logger
from leocdp.kit.metric_catalogue import CONFIG_ENTRIES
from leocdp.kit.metrics import Metrics
from leocdp.ports.event_log import EventLog, LogError, NewRecord, Record

SOURCE: Final = "source"
RETRY_FIRST: Final = 0.2
RETRY_MOST: Final = 5.0
"""Seconds between tries while the log is away: doubled from the first to the most."""

OnChange = Callable[[ConfigEntry], None]

log = get_logger(__name__)


async def publish_entry(event_log: EventLog, entry: ConfigEntry) -> int:
    """Append an entry to the configuration topic; returns its offset. Raises what ``EventLog.append`` raises."""
    partition = partition_for(entry.key, await event_log.partitions(CONFIG))
    record = NewRecord(CONFIG, partition, encode_entry(entry), entry.key.encode())
    return (await event_log.append([record]))[0]


class ConfigView:
    """Follows the configuration topic from its beginning. Give it a log that is started, then ``start`` it."""

    def __init__(self, event_log: EventLog, metrics: Metrics | None = None) -> None:
        self._log = event_log
        self._metrics = metrics
        self._positions: dict[int, int] = {}
        self._versions: dict[str, int] = {}
        """Also of deleted entries, so that an old version does not bring one back."""
        self._entries: dict[str, dict[str, ConfigEntry]] = {}
        self._sources: dict[str, SourceConfig] = {}
        self._by_write_key: dict[str, SourceConfig] = {}
        self._unread_sources: set[str] = set()
        self._callbacks: list[OnChange] = []
        self._read_to_end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._generation = 0
        self._problem = "The configuration has not been read yet."

    @property
    def ready(self) -> bool:
        """Everything that stood in the topic has been read once."""
        return self._read_to_end.is_set()

    @property
    def problem(self) -> str:
        """Why the view is not ready or not up to date now; empty when all is well."""
        return self._problem

    @property
    def generation(self) -> int:
        """Grows with every change, so that what was derived from the configuration can be kept until then."""
        return self._generation

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="config-view")

    async def close(self) -> None:
        """Stop following; what is known stays readable. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def wait_ready(self) -> None:
        await self._read_to_end.wait()

    def on_change(self, callback: OnChange) -> None:
        """Have ``callback`` called on the event loop with each entry that is new, changed or deleted."""
        self._callbacks.append(callback)

    def entry(self, kind: str, id: str) -> ConfigEntry | None:
        return self._entries.get(kind, {}).get(id)

    def entries(self, kind: str) -> Sequence[ConfigEntry]:
        return list(self._entries.get(kind, {}).values())

    def sources(self) -> Sequence[SourceConfig]:
        return list(self._sources.values())

    @property
    def unread_sources(self) -> frozenset[str]:
        """Ids of sources whose latest entry cannot be read, as one of a newer version may be: as long as there are any,
        a write key that is unknown here may be right. What was known of such a source stays."""
        return frozenset(self._unread_sources)

    def source(self, id: str) -> SourceConfig | None:
        return self._sources.get(id)

    def source_by_write_key(self, key: str) -> SourceConfig | None:
        """The source that a write key belongs to now, also one that is not enabled."""
        return self._by_write_key.get(key)

    async def _follow(self) -> None:
        delay = RETRY_FIRST
        while True:
            try:
                async for records in self._log.follow(CONFIG, self._positions):
                    delay = RETRY_FIRST
                    self._take(records)
            except LogError as error:
                self._problem = f"The configuration is not up to date: {error}"
                log.warning("config_view_lost_the_log", error=str(error), retry_in=delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, RETRY_MOST)

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            self._take_record(record)
            self._positions[record.partition] = record.offset + 1
        if not records:
            self._problem = ""
            self._read_to_end.set()

    def _take_record(self, record: Record) -> None:
        if record.value is None:
            return  # A tombstone: its entry has been published as deleted before.
        entry: ConfigEntry | None = None
        try:
            entry = decode_entry(record.value)
            known = self._versions.get(entry.key, -1)
            if entry.version < known or (entry.version == known and entry == self.entry(entry.kind, entry.id)):
                return
            source = source_config(entry) if entry.kind == SOURCE and not entry.deleted else None
        except msgspec.MsgspecError as error:
            log.error("config_entry_malformed", offset=record.offset, partition=record.partition, error=str(error))
            if entry is not None:
                self._unread_sources.add(entry.id)
            return
        self._versions[entry.key] = entry.version
        self._store(entry, source)
        self._announce(entry)

    def _store(self, entry: ConfigEntry, source: SourceConfig | None) -> None:
        of_kind = self._entries.setdefault(entry.kind, {})
        if entry.deleted:
            of_kind.pop(entry.id, None)
        else:
            of_kind[entry.id] = entry
        if entry.kind == SOURCE:
            self._store_source(entry.id, source)
        if self._metrics is not None:
            self._metrics.set(CONFIG_ENTRIES, len(of_kind), kind=entry.kind)

    def _store_source(self, id: str, source: SourceConfig | None) -> None:
        self._unread_sources.discard(id)
        self._sources.pop(id, None)
        if source is not None:
            self._sources[id] = source
        # Built anew: two sources may have exchanged a key. Sources are few, and changes are rare.
        self._by_write_key = {each.write_key: each for each in self._sources.values()}

    def _announce(self, entry: ConfigEntry) -> None:
        self._generation += 1
        for callback in self._callbacks:
            try:
                callback(entry)
            except Exception as error:  # one listener must not stop the others
                log.error("config_listener_failed", key=entry.key, exc_info=error)
