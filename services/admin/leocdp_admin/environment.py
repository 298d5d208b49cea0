"""The composition root: everything the admin service consists of, built from its settings in one place."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from leocdp.adapters.engines import open_admin_store, open_event_log, open_profile_reader
from leocdp.kit.errors import LeoError
from leocdp.kit.logs import get_logger
from leocdp.kit.metrics import Metrics
from leocdp.kit.opening import Opening
from leocdp.kit.serve import instance_name
from leocdp.kit.settings import sqlite_path
from leocdp.ports.admin_store import AdminStore, AdminStoreError
from leocdp.ports.clock import Clock, SystemClock
from leocdp.ports.event_log import EventLog, LogError
from leocdp.ports.profile_reader import ProfileReader
from leocdp_admin.application.audiences import Audiences
from leocdp_admin.application.audit import AuditLog
from leocdp_admin.application.commands import Commands
from leocdp_admin.application.computed_traits import ComputedTraits
from leocdp_admin.application.configuration import Configuration
from leocdp_admin.application.dead_letters import DeadLetters
from leocdp_admin.application.definitions import Definitions
from leocdp_admin.application.dropped_lists import DroppedLists
from leocdp_admin.application.events import Events
from leocdp_admin.application.health.readings import Disk
from leocdp_admin.application.health.recent import Recently
from leocdp_admin.application.health.watch import Watch
from leocdp_admin.application.keys import Keys
from leocdp_admin.application.lists import Lists
from leocdp_admin.application.memberships import Memberships
from leocdp_admin.application.overview import Overview
from leocdp_admin.application.passwords import Passwords
from leocdp_admin.application.privacy import Privacy
from leocdp_admin.application.profiles import Profiles
from leocdp_admin.application.promotion import Promotion
from leocdp_admin.application.questions import Questions
from leocdp_admin.application.reviews import Reviews
from leocdp_admin.application.segments import Segments
from leocdp_admin.application.sessions import Sessions
from leocdp_admin.application.settings_in_force import SettingsInForce
from leocdp_admin.application.shapes.administration import EngineShape
from leocdp_admin.application.sources import Sources
from leocdp_admin.application.status import Status
from leocdp_admin.application.trail import AuditTrail
from leocdp_admin.application.users import Users
from leocdp_admin.bootstrap import Bootstrap
from leocdp_admin.config_publisher import ConfigPublisher
from leocdp_admin.probes import HttpProbes
from leocdp_admin.settings import AdminSettings

logger = get_logger(__name__)

DAY_MS = 86_400_000
TIDY_EVERY = 3_600.0
RECONCILE_EVERY = 600.0
RECONCILE_RETRY = 10.0
PROMOTE_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Services:
    """What views and API routes get: the use cases."""

    profiles: Profiles
    events: Events
    dead_letters: DeadLetters
    reviews: Reviews
    privacy: Privacy
    commands: Commands
    segments: Segments
    audiences: Audiences
    lists: Lists
    computed_traits: ComputedTraits
    sources: Sources
    keys: Keys
    users: Users
    sessions: Sessions
    configuration: Configuration
    in_force: SettingsInForce
    """Workspace, purposes and identity rules as they are now."""
    audit: AuditLog
    status: Status
    watch: Watch
    recently: Recently
    overview: Overview
    stopping: asyncio.Event
    """Set when the service is told to stop, so that streams end."""
    collect_url: str
    """Where websites send to, for snippets."""
    public_url: str


class Environment:
    """An admin service that is put together but not started. Raises ValueError for settings that cannot work."""

    def __init__(
        self, settings: AdminSettings, *, clock: Clock | None = None, passwords: Passwords | None = None
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.metrics = Metrics()
        self.secret = settings.signing_secret()
        self.instance = instance_name(settings.instance)
        self.log: EventLog = open_event_log(settings)
        self.reader: ProfileReader = open_profile_reader(settings)
        self.store: AdminStore = open_admin_store(settings)
        self.probes = HttpProbes(settings.status_urls(), self.clock)
        self.publisher = ConfigPublisher(self.store, self.log, self.clock)
        self._erasure_key = settings.hashing_key()
        self._definitions = Definitions(self.store, self.clock)
        self._promotion = Promotion(self._definitions, self.reader)
        self.services = self._services(passwords or Passwords())
        self._dropped_lists = DroppedLists(self.store, self.reader, self.services.commands, self.clock)
        self._opening = Opening((self._open_store, self._open_log, self._begin))

    def about(self) -> dict[str, Any]:
        return {"service": "admin", "instance": self.instance, "version": version("leocdp-admin")}

    async def ready(self) -> Sequence[str]:
        """Why it cannot do its work: its own store and the log; without a profile store it still administers."""
        if self.waiting:
            return [self.waiting]
        reasons = list(self.publisher.reasons())
        try:
            await self.store.has_owner()
            doubt = self.store.doubt()
        except AdminStoreError as error:
            doubt = str(error)
        if doubt:
            reasons.append(f"admin store: {doubt}")
        return reasons

    @property
    def waiting(self) -> str:
        """Why requests cannot be answered yet; empty when they can."""
        return self._opening.reason

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start everything and bootstrap; on leaving, publish what is pending and close.

        A log or a store that cannot be reached does not stop the start: it is waited for. Raises LogError,
        AdminStoreError or ValueError for what can never be used.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.probes.close)
            await stack.enter_async_context(self._opening.running())
            yield

    async def _open_store(self, stack: AsyncExitStack) -> None:
        await self.store.start()
        stack.push_async_callback(self.store.close)

    async def _open_log(self, stack: AsyncExitStack) -> None:
        stack.push_async_callback(self.log.close)
        await self.log.start()

    async def _begin(self, stack: AsyncExitStack) -> None:
        await self.reader.start()
        stack.push_async_callback(self.reader.close)
        await self._bootstrap().run()
        publishing = asyncio.create_task(self.publisher.run())
        repeating = [asyncio.create_task(one) for one in self._repeating()]

        async def drain() -> None:
            self.services.stopping.set()
            self.publisher.stop()
            await publishing
            for task in repeating:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

        stack.push_async_callback(drain)

    def _services(self, passwords: Passwords) -> Services:
        store, reader, clock = self.store, self.reader, self.clock
        trail = AuditTrail(store)
        in_force = SettingsInForce(store, clock, time_zone=self.settings.time_zone)
        commands = Commands(self.log, reader, store, clock, wait=self.settings.admin_command_seconds)
        watch = Watch(self.log, reader, self.probes, clock, version=version("leocdp-admin"), disk=self._least_room)
        status = self._status(watch)
        sources = Sources(store, reader, commands, clock)
        definitions = self._definitions
        segments = Segments(definitions, reader, in_force)
        questions = Questions(definitions, in_force, clock)
        memberships = Memberships(definitions, questions, in_force, clock)
        return Services(
            profiles=Profiles(reader, commands, in_force, memberships, trail, clock),
            events=Events(reader, store, trail, clock),
            dead_letters=DeadLetters(reader, commands, trail, clock),
            reviews=Reviews(reader, commands, trail, clock),
            privacy=Privacy(
                reader, commands, in_force, memberships, store, self.log, trail, clock, key=self._erasure_key
            ),
            commands=commands,
            segments=segments,
            audiences=Audiences(definitions, segments, questions, reader, in_force, trail, clock),
            lists=Lists(definitions, segments, commands, in_force, clock),
            computed_traits=ComputedTraits(definitions, reader),
            sources=sources,
            keys=Keys(store, clock),
            users=Users(store, passwords, clock, public_url=self.settings.public_address()),
            sessions=Sessions(store, passwords, clock, self.metrics),
            configuration=Configuration(store, in_force, definitions, clock),
            in_force=in_force,
            audit=AuditLog(store),
            status=status,
            watch=watch,
            recently=Recently(reader, sources.names, clock),
            overview=Overview(reader, watch, clock),
            stopping=asyncio.Event(),
            collect_url=self.settings.collect_address(),
            public_url=self.settings.public_address(),
        )

    def _status(self, watch: Watch) -> Status:
        engine = EngineShape(log=_scheme(self.settings.log_url), store=_scheme(self.settings.store_url))
        return Status(watch, version=version("leocdp-admin"), instance=self.instance, engine=engine)

    def _least_room(self) -> Disk | None:
        """Of the disks with files of the embedded engine, the fullest; None without such files."""
        urls = (self.settings.log_url, self.settings.store_url, self.settings.admin_url)
        usual = self.settings.data_dir / "any.db"
        folders = {sqlite_path(url, usual).parent for url in urls if _scheme(url) == "sqlite"}
        disks = [shutil.disk_usage(folder) for folder in folders if folder.is_dir()]
        return min((Disk(disk.free, disk.total) for disk in disks), key=lambda disk: disk.free, default=None)

    def _repeating(self) -> Sequence[Coroutine[Any, Any, None]]:
        return (self._tidy(), self._reconcile(), self._promote(), self.services.watch.run())

    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(self.settings, self.store, self.services.users, self.clock)

    async def _tidy(self) -> None:
        while True:
            now = self.clock.now()
            try:
                await self.store.tidy(now=now, audit_before=now - self.settings.audit_days * DAY_MS)
            except (AdminStoreError, LogError) as error:
                logger.warning("tidying waits", reason=str(error))
            await asyncio.sleep(TIDY_EVERY)

    async def _promote(self) -> None:
        """New versions of segments come into force when they are computed; deleted lists lose their members."""
        while True:
            try:
                await self._promotion.run_once()
                await self._dropped_lists.run_once()
            except LeoError as error:
                logger.debug("versions of segments and deleted lists wait", reason=str(error))
            await asyncio.sleep(PROMOTE_EVERY)

    async def _reconcile(self) -> None:
        """Erasures that the profile store has forgotten by a restore are issued again."""
        while True:
            try:
                compared = await self.services.privacy.reconcile()
            except LeoError as error:
                logger.debug("comparing the ledgers of erasures waits", reason=str(error))
                compared = False
            await asyncio.sleep(RECONCILE_EVERY if compared else RECONCILE_RETRY)


def _scheme(url: str) -> str:
    return url.partition(":")[0] or "sqlite"
