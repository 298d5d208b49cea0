"""Publishes configuration to the compacted topic, and makes the two agree at start."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from leocdp.contracts.config_entries import ConfigEntry, decode_entry, encode_entry
from leocdp.contracts.topics import CONFIG
from leocdp.kit.logs import get_logger
from leocdp.ports.admin_store import AdminStore, AdminStoreError
from leocdp.ports.clock import Clock
from leocdp.ports.event_log import EventLog, LogError, NewRecord
from leocdp_admin.application.actor import SYSTEM

logger = get_logger(__name__)

LOOK_EVERY_S = 0.1
PAUSE_AFTER_ERROR_S = 1.0
BATCH = 100


class ConfigPublisher:
    """Runs beside the service. The outbox row of each change is written with the change; here it goes out."""

    def __init__(self, store: AdminStore, log: EventLog, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._stopping = asyncio.Event()
        self._problem = ""
        self._reconciled = False

    def reasons(self) -> Sequence[str]:
        """Why changes of configuration do not reach the others now."""
        if self._problem:
            return [f"configuration cannot be published: {self._problem}"]
        return [] if self._reconciled else ["configuration is being compared with the log"]

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Until ``stop``; what is pending then is published once more."""
        while not self._stopping.is_set():
            try:
                if not self._reconciled:
                    await self.reconcile()
                await self.publish_pending()
                self._problem = ""
                await self._pause(LOOK_EVERY_S)
            except (LogError, AdminStoreError) as error:
                if str(error) != self._problem:
                    logger.error("configuration waits to be published", reason=str(error))
                self._problem = str(error)
                await self._pause(PAUSE_AFTER_ERROR_S)
        try:
            await self.publish_pending()
        except (LogError, AdminStoreError) as error:
            logger.warning("configuration stays pending until the next start", reason=str(error))

    async def publish_pending(self) -> None:
        while pending := await self._store.pending_entries(BATCH):
            records = [NewRecord(CONFIG, 0, encode_entry(entry), entry.key.encode()) for _, entry in pending]
            await self._log.append(records)
            await self._store.mark_published([number for number, _ in pending])

    async def reconcile(self) -> None:
        """Every entry of the store is in the log with the highest version; a later change that only the log has (after
        a restore of an older store) is taken over."""
        published = await self._published()
        known = {entry.key: entry for entry in await self._store.all_entries()}
        for key, there in published.items():
            here = known.get(key)
            if (here is None and not there.deleted) or (here and there.version > here.version and there.at > here.at):
                audit = [SYSTEM.did("config.recover", key, at=self._clock.now(), version=there.version)]
                await self._store.recover_entry(there, audit=audit)
                known[key] = there
                logger.warning("configuration is newer in the log than in the store: taken over", key=key)
        behind = {key: _to_pass(entry, published) for key, entry in known.items() if _differs(entry, published)}
        if behind:
            await self._store.republish(behind, now=self._clock.now())
        self._reconciled = True

    async def _published(self) -> dict[str, ConfigEntry]:
        """The newest of each key in the log."""
        newest: dict[str, ConfigEntry] = {}
        reading = self._log.follow(CONFIG)
        async for records in reading:
            if not records:
                break
            for record in records:
                entry = _decoded(record.value)
                if entry is not None and entry.version >= newest.get(entry.key, entry).version:
                    newest[entry.key] = entry
        return newest

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return


def _decoded(value: bytes | None) -> ConfigEntry | None:
    if value is None:
        return None
    try:
        return decode_entry(value)
    except msgspec.MsgspecError as error:
        logger.warning("a record of the configuration topic is no entry", reason=str(error))
        return None


def _differs(entry: ConfigEntry, published: Mapping[str, ConfigEntry]) -> bool:
    there = published.get(entry.key)
    if there is None:
        return not entry.deleted
    return (there.version, there.data, there.deleted) != (entry.version, entry.data, entry.deleted)


def _to_pass(entry: ConfigEntry, published: Mapping[str, ConfigEntry]) -> int:
    """The version that the store's entry must exceed to count; 0 when its own is high enough."""
    there = published.get(entry.key)
    return there.version if there is not None and there.version >= entry.version else 0
