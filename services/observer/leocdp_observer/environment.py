"""The composition root: everything the observer consists of, built from its settings in one place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from time import monotonic
from typing import Any, Final

from starlette.requests import Request

from leocdp.adapters.engines import open_event_log
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.kit import metric_catalogue as m
from leocdp.kit.clients import Clients
from leocdp.kit.logs import get_logger
from leocdp.kit.serve import instance_name
from leocdp.ports.clock import SystemClock
from leocdp.ports.config_view import ConfigView
from leocdp.ports.event_log import EventLog, LogError, LogUnavailable
from leocdp_observer.assets import Assets
from leocdp_observer.collector import Collector, EdgeState
from leocdp_observer.documents import base_url
from leocdp_observer.ingest import Ingest
from leocdp_observer.limits import RateLimit
from leocdp_observer.refusals import Refusal
from leocdp_observer.rejects import Rejects, Sampler
from leocdp_observer.settings import ObserverSettings
from leocdp_observer.sources import Sources
from leocdp_observer.tally import Tally

logger = get_logger(__name__)

RETRY_FIRST: Final = 0.2
RETRY_MOST: Final = 5.0
"""Seconds between attempts to reach the log at start."""
DOUBT: Final = 10.0
"""Seconds after a failed append in which the observer calls itself not ready."""
PROBE: Final = 2.0
"""Seconds that the log may take to answer a readiness probe."""


def _trusted(networks: str) -> Clients:
    try:
        return Clients(networks)
    except ValueError as error:
        raise ValueError(f"LEOCDP_OBSERVER_TRUSTED_PROXIES cannot be used: {error}.") from error


class Environment:
    """An observer that is put together but not started."""

    def __init__(self, settings: ObserverSettings) -> None:
        self.settings = settings
        self.version = version("leocdp-observer")
        self.instance = instance_name(settings.instance)
        self.tally = Tally()
        self.log: EventLog = open_event_log(settings)
        self.view = ConfigView(self.log, self.tally)
        self.sources = Sources()
        self.state = EdgeState(configured=self._configured)
        self.assets = Assets()
        self.clients = _trusted(settings.observer_trusted_proxies)
        self.ingest = Ingest(self.log, self.tally, max_waiting_bytes=settings.observer_max_waiting_bytes)
        self.rejects = Rejects(self.log, self.tally)
        self.tally.gauge(m.OBSERVER_IN_FLIGHT_BYTES, lambda: self.ingest.waiting_bytes)
        self.view.on_change(self._changed)
        self.collector = Collector(
            state=self.state,
            sources=self.sources,
            ingest=self.ingest,
            rejects=self.rejects,
            limit=RateLimit(settings.observer_rate_limit),
            clients=self.clients,
            sampler=Sampler(),
            tally=self.tally,
            clock=SystemClock(),
            body_timeout=settings.observer_body_timeout,
        )
        self._problem = "log: it has not been reached yet"

    def about(self) -> dict[str, Any]:
        return {"service": "observer", "instance": self.instance, "version": self.version}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start everything; on leaving, drain: what was taken gets into the log first.

        A log that is away does not stop the start: requests are answered 503 until it is there. Raises LogError for
        one that can never be used.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.log.close)
            opened = await self._open()
            opening = None if opened else asyncio.create_task(self._keep_opening())
            try:
                yield
            finally:
                if opening is not None:
                    opening.cancel()
                    await asyncio.gather(opening, return_exceptions=True)
                await self.view.close()
                await self.ingest.drain()
                await self.rejects.close()

    async def _open(self) -> bool:
        try:
            await self.log.start()
            partitions = await self.log.partitions(EVENTS_ACCEPTED)
        except LogUnavailable as error:
            self._problem = f"log: {error}"
            logger.warning("the event log cannot be reached yet", reason=str(error))
            return False
        await self.view.start()
        self.state.partitions = partitions
        self._problem = ""
        return True

    async def _keep_opening(self) -> None:
        delay = RETRY_FIRST
        while True:
            await asyncio.sleep(delay)
            try:
                if await self._open():
                    return
            except LogError as error:
                self._problem = f"log: {error}"
                logger.error("the event log cannot be used", reason=str(error))
            delay = min(delay * 2, RETRY_MOST)

    def _configured(self) -> bool:
        """Before admin has published anything at all, no key can be called wrong; nor while a source cannot be read,
        which a newer admin may have written: its clients keep their events until this observer is upgraded."""
        return self.view.ready and self.view.generation > 0 and not self.view.unread_sources

    def _changed(self, _: ConfigEntry) -> None:
        self.sources.replace(self.view.sources())

    async def ready(self) -> Sequence[str]:
        """Why the observer cannot do its work now: ``log: …``, ``configuration: …``."""
        if self._problem:
            return [self._problem]
        reasons = []
        failed = self.ingest.failed_at
        if failed is not None and monotonic() - failed < DOUBT:
            reasons.append(f"log: the last append failed: {self.ingest.failure}")
        elif problem := await self._log_problem():
            reasons.append(f"log: {problem}")
        if not self.view.ready:
            reasons.append(f"configuration: {self.view.problem}")
        return reasons

    async def _log_problem(self) -> str:
        try:
            async with asyncio.timeout(PROBE):
                await self.log.bounds(EVENTS_ACCEPTED)
        except LogError as error:
            return str(error)
        except TimeoutError:
            return "it does not answer"
        return ""

    def base_url(self, request: Request) -> str:
        """The address under which a client reaches the observer. Raises Refusal for a Host that is none."""
        if self.settings.observer_public_url:
            return self.settings.observer_public_url.rstrip("/")
        scheme, host = request.url.scheme, request.headers.get("host", "")
        if request.client is not None and self.clients.trusts(request.client.host):
            scheme = request.headers.get("x-forwarded-proto", scheme).partition(",")[0].strip().lower()
            host = request.headers.get("x-forwarded-host", host).partition(",")[0].strip()
        try:
            return base_url(scheme, host)
        except ValueError as error:
            raise Refusal("invalid_field", "The Host header is not a host.") from error
