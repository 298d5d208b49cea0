"""The stores that this machine's settings name: files of the embedded engine, or databases."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field

from leocdp.adapters.engines import (
    EngineUnknown,
    open_admin_store,
    open_event_log,
    open_profile_reader,
    open_profile_store,
    store_formats,
)
from leocdp.adapters.formats import StoreFormat
from leocdp.contracts.topics import COMMANDS, DAY_MS, EVENTS_ACCEPTED, GIB, TOPICS, TopicSpec
from leocdp.kit.errors import LeoError
from leocdp.kit.settings import AdminStoreSettings, LogSettings, ServiceSettings, StoreSettings, sqlite_path
from leocdp.ports.event_log import EventLog
from leocdp.ports.profile_reader import Counts
from leocdp.ports.profile_store import StoreInUse
from leocdp_cli.backups.manifest import Name
from leocdp_cli.failure import CommandFailed, Unreachable


class StoresSettings(ServiceSettings, LogSettings, StoreSettings, AdminStoreSettings):
    dedup_horizon_days: int = Field(default=30, ge=1, description="How long a message id is remembered, in days.")

    def paths(self) -> dict[str, Path]:
        """Name → file. Raises CommandFailed when a URL is not of this engine."""
        urls = {"log": self.log_url, "profiles": self.store_url, "admin": self.admin_url}
        try:
            return {name: sqlite_path(url, self.data_dir / f"{name}.db") for name, url in urls.items()}
        except ValueError as error:
            raise CommandFailed(f"{error}: this command is for the files of the embedded engine.", 2) from error

    def embedded(self) -> dict[Name, Path]:
        """Of those that are files of this machine."""
        urls: dict[Name, str] = {"profiles": self.store_url, "log": self.log_url, "admin": self.admin_url}
        found: dict[Name, Path] = {}
        for name, url in urls.items():
            with suppress(ValueError):
                found[name] = sqlite_path(url, self.data_dir / f"{name}.db")
        return found

    def files(self) -> dict[Name, Path]:
        """The same. Raises CommandFailed when the profiles are none of them."""
        found = self.embedded()
        if "profiles" not in found:
            raise CommandFailed(
                "The profiles are in a database (LEOCDP_STORE_URL): make its backups as "
                "docs/operations/backup-and-restore.md says. This command is for the files of the embedded engine.",
                2,
            )
        return found


def formats(settings: StoresSettings) -> Sequence[StoreFormat]:
    """Raises CommandFailed."""
    try:
        return store_formats(settings)
    except EngineUnknown as error:
        raise CommandFailed(str(error), 2) from error


async def topics(settings: StoresSettings) -> list[dict[str, Any]]:
    """Open the event log, which makes the topics that are missing where it may. Raises CommandFailed."""
    try:
        log = open_event_log(settings)
        try:
            await log.start()
            return [await _topic(log, spec) for spec in TOPICS]
        finally:
            await log.close()
    except (LeoError, EngineUnknown) as error:
        raise failed(error) from error


async def _topic(log: EventLog, spec: TopicSpec) -> dict[str, Any]:
    bounds = await log.bounds(spec.name)
    return {
        "topic": spec.name,
        "partitions": await log.partitions(spec.name),
        "days": None if spec.retention_ms is None else spec.retention_ms // DAY_MS,
        "gib": None if spec.retention_bytes is None else spec.retention_bytes // GIB,
        "records": sum(each.end - each.begin for each in bounds.values()),
    }


def failed(error: LeoError | EngineUnknown) -> CommandFailed:
    if isinstance(error, EngineUnknown):
        return CommandFailed(str(error), 2)
    return Unreachable(str(error)) if error.retryable else CommandFailed(str(error))


async def migrate(settings: StoresSettings) -> None:
    """Bring every store to the newest format, and make what is missing. Raises CommandFailed."""
    for opening in (open_admin_store, open_event_log, open_profile_store):
        try:
            store = opening(settings)
            try:
                await store.start()
            finally:
                await store.close()
        except (LeoError, EngineUnknown) as error:
            raise failed(error) from error


async def digest(settings: StoresSettings) -> tuple[str, Counts]:
    """Of the profile store, whatever its engine. Raises CommandFailed."""
    try:
        reader = open_profile_reader(settings)
        await reader.start()
        try:
            return await reader.digest(), await reader.counts()
        finally:
            await reader.close()
    except (LeoError, EngineUnknown) as error:
        raise CommandFailed(str(error)) from error


async def whole_log(settings: StoresSettings) -> None:
    """Raises CommandFailed when a topic that people are made from has lost its beginning: less would come out."""
    log = open_event_log(settings)
    try:
        await log.start()
        for topic in (EVENTS_ACCEPTED, COMMANDS):
            for partition, bounds in (await log.bounds(topic)).items():
                if bounds.begin:
                    raise CommandFailed(
                        f"The log begins at {bounds.begin} in {topic}/{partition}: retention has removed what came "
                        "before, and the store is the only place that has it. Nothing was changed."
                    )
    except LeoError as error:
        raise CommandFailed(str(error)) from error
    finally:
        await log.close()


async def set_aside(settings: StoresSettings, stamp: str) -> Path:
    """Move ``profiles.db`` out of the way, under a name with ``stamp``. Raises CommandFailed while it is in use."""
    path = settings.paths()["profiles"]
    if not path.exists():
        raise CommandFailed(f"There is no {path}: it is empty already. Start the processor.")
    store = open_profile_store(settings)
    try:
        # Opened and closed, everything is in the one file, and nobody else has it.
        await store.start()
    except StoreInUse as error:
        raise CommandFailed(f"{error} Stop the services first.") from error
    except LeoError as error:
        raise CommandFailed(str(error)) from error
    finally:
        await store.close()
    aside = path.with_name(f"{path.name}.{stamp}")
    for end in ("", "-wal", "-shm"):
        part = path.with_name(path.name + end)
        if part.exists():
            part.rename(aside.with_name(aside.name + end))
    return aside
