"""How the whole system is: services, log, lag and counts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from leocdp.ports.event_log import EventLog, LogError
from leocdp.ports.profile_reader import Counts, ProfileReader
from leocdp.ports.profile_store import StoreError
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.health.findings import AREAS
from leocdp_admin.application.health.readings import READ_TOPICS
from leocdp_admin.application.health.watch import Health, Watch
from leocdp_admin.application.health.words import say
from leocdp_admin.application.shapes.administration import (
    CheckShape,
    CountsShape,
    EngineShape,
    PartitionStatus,
    ServiceStatus,
    StatusShape,
)
from leocdp_admin.application.shapes.base import moment
from leocdp_admin.i18n.localisation import Localisation


class ServiceProbes(Protocol):
    async def look(self) -> Sequence[ServiceStatus]:
        """The other services as they are now; one that does not answer is not ready, with the reason."""


class Status:
    def __init__(
        self,
        log: EventLog,
        reader: ProfileReader,
        probes: ServiceProbes,
        watch: Watch,
        *,
        version: str,
        instance: str,
        engine: EngineShape,
    ) -> None:
        self._log = log
        self._reader = reader
        self._probes = probes
        self._watch = watch
        self._version = version
        self._instance = instance
        self._engine = engine

    async def get(self, actor: Actor) -> StatusShape:
        """For everybody who is signed in. What cannot be read is told by the services' reasons, never an error here."""
        services, (positions, counts), health = await asyncio.gather(
            self._probes.look(), self._stored(), self._watch.health()
        )
        own_reasons: list[str] = []
        partitions = await self._partitions(positions or {}, own_reasons)
        if positions is None:
            own_reasons.append("The profile store cannot be read: positions and counts are missing here.")
        own = ServiceStatus(
            name="admin", instance=self._instance, version=self._version, ready=not own_reasons, reasons=own_reasons
        )
        return StatusShape(
            version=self._version,
            engine=self._engine,
            services=[own, *services],
            log=partitions,
            lag=sum(row.lag for row in partitions),
            counts=counts_shape(counts),
            state=health.state,
            checked_at=moment(health.now.at),
            events_per_minute=health.per_minute,
            checks=_checks(health, Localisation(actor.language or "en", "UTC")),
        )

    async def lag(self) -> int:
        """Records that wait. Raises LogError, StoreError."""
        positions = await self._reader.positions()
        rows = [row for topic in READ_TOPICS for row in await self._topic(topic, positions)]
        return sum(row.lag for row in rows)

    async def counts(self) -> CountsShape:
        """Raises StoreError."""
        return counts_shape(await self._reader.counts())

    async def _stored(self) -> tuple[Mapping[tuple[str, int], int] | None, Counts]:
        """Counts after positions: where nothing waits, they have everything that was accepted."""
        positions = await self._positions()
        return positions, await self._counts()

    async def _positions(self) -> Mapping[tuple[str, int], int] | None:
        try:
            return await self._reader.positions()
        except StoreError:
            return None

    async def _counts(self) -> Counts:
        try:
            return await self._reader.counts()
        except StoreError:
            return Counts()

    async def _partitions(self, positions: Mapping[tuple[str, int], int], reasons: list[str]) -> list[PartitionStatus]:
        rows: list[PartitionStatus] = []
        for topic in READ_TOPICS:
            try:
                rows.extend(await self._topic(topic, positions))
            except LogError as error:
                reasons.append(f"The event log cannot be read: {error}")
                break
        return rows

    async def _topic(self, topic: str, positions: Mapping[tuple[str, int], int]) -> list[PartitionStatus]:
        bounds = await self._log.bounds(topic)
        rows: list[PartitionStatus] = []
        for partition, bound in sorted(bounds.items()):
            position = positions.get((topic, partition), bound.begin)
            lag = max(bound.end - position, 0)
            rows.append(PartitionStatus(topic=topic, partition=partition, end=bound.end, position=position, lag=lag))
        return rows


def _checks(health: Health, l10n: Localisation) -> list[CheckShape]:
    """Reasons of refusals and failures stay codes, for programs."""
    found: list[CheckShape] = []
    for area in AREAS:
        for finding in health.findings[area]:
            said = say(finding, l10n, str)
            found.append(
                CheckShape(
                    area=area,
                    check=finding.check,
                    title=said.title,
                    state=finding.state,
                    message=said.message,
                    advice=said.advice,
                    runbook=said.runbook,
                )
            )
    return found


def counts_shape(counts: Counts) -> CountsShape:
    return CountsShape(
        profiles=counts.profiles,
        people=counts.people,
        identified=counts.identified,
        events=counts.events,
        duplicates=counts.duplicates,
        filtered=counts.filtered,
        dead_letters=counts.dead_letters,
        rejected=counts.rejected,
    )
