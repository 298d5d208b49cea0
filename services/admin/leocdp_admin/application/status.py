"""How the whole system is: services, log, lag and counts."""

from __future__ import annotations

from leocdp.ports.profile_reader import Counts
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.health.findings import AREAS
from leocdp_admin.application.health.readings import READ_TOPICS, Reading, Target, TopicPartition, lag_of
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


class Status:
    def __init__(self, watch: Watch, *, version: str, instance: str, engine: EngineShape) -> None:
        self._watch = watch
        self._version = version
        self._instance = instance
        self._engine = engine

    async def get(self, actor: Actor) -> StatusShape:
        """For everybody who is signed in. What cannot be read is null, with the reason at admin; never an error."""
        health = await self._watch.health_now()
        now = health.now
        return StatusShape(
            version=self._version,
            engine=self._engine,
            services=[self._own(now), *(_service(target) for target in now.targets)],
            log=_partitions(now),
            lag=lag_of(now),
            counts=None if now.stored is None else counts_shape(now.stored.counts),
            state=health.state,
            checked_at=moment(now.at),
            events_per_minute=health.per_minute,
            checks=_checks(health, Localisation(actor.language or "en", "UTC")),
        )

    def _own(self, now: Reading) -> ServiceStatus:
        reasons = []
        if now.ends is None:
            reasons.append(f"The event log cannot be read: {now.log_problem}")
        if now.stored is None:
            reasons.append("The profile store cannot be read: positions and counts are missing here.")
        return ServiceStatus(
            name="admin", instance=self._instance, version=self._version, ready=not reasons, reasons=reasons
        )


def _service(target: Target) -> ServiceStatus:
    return ServiceStatus(
        name=target.service,
        instance=target.instance,
        version=target.version,
        ready=target.ready,
        reasons=list(target.reasons),
    )


def _partitions(now: Reading) -> list[PartitionStatus]:
    """Of each topic in the order of its partitions; none while the log does not answer."""
    ends, lags = now.ends or {}, now.waiting() or {}
    return [
        PartitionStatus(
            topic=where[0], partition=where[1], end=ends[where], position=_position(now, where), lag=lags.get(where)
        )
        for where in sorted(ends, key=lambda where: (READ_TOPICS.index(where[0]), where[1]))
    ]


def _position(now: Reading, where: TopicPartition) -> int | None:
    if now.stored is None or now.begins is None:
        return None
    return now.stored.positions.get(where, now.begins[where])


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
