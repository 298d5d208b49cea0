"""Readings as they come in, made up for the tests of what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from leocdp.contracts.topics import COMMANDS, EVENTS_ACCEPTED
from leocdp.kit.metrics import Figures, Labels
from leocdp.ports.profile_reader import Counts
from leocdp_admin.application.health.findings import Finding
from leocdp_admin.application.health.judge import judge
from leocdp_admin.application.health.readings import Disk, Reading, Stored, Target

VERSION = "1.0.0"
NOW = 1_700_000_000_000


def labels(**given: str) -> Labels:
    return frozenset(given.items())


def target(service: str, **given: object) -> Target:
    """An instance that is well, but for what is given."""
    well = Target(
        service, f"http://{service}", NOW, instance=f"{service}-1", version=VERSION, reachable=True, ready=True
    )
    return replace(well, **given)  # type: ignore[arg-type]


@dataclass
class History:
    """Readings every ten seconds; each is like the one before but for what is changed."""

    reading: Reading = field(
        default_factory=lambda: Reading(
            at=NOW,
            targets=[target("observer"), target("processor"), target("gateway")],
            begins={(EVENTS_ACCEPTED, 0): 0, (COMMANDS, 0): 0},
            ends={(EVENTS_ACCEPTED, 0): 100, (COMMANDS, 0): 0},
            stored=Stored({(EVENTS_ACCEPTED, 0): 100}, Counts(events=100)),
            disk=Disk(50, 100),
        )
    )
    readings: list[Reading] = field(default_factory=list)

    def look(self, **changed: object) -> History:
        self.reading = replace(self.reading, **changed)  # type: ignore[arg-type]
        self.readings.append(self.reading)
        at = self.reading.at + 10_000
        targets = [replace(one, at=at) for one in self.reading.targets]
        self.reading = replace(self.reading, at=at, targets=targets)
        return self

    def set(self, service: str, **changed: object) -> History:
        """Change the instances of a service, from the next look on."""
        targets = [
            replace(one, **changed) if one.service == service else one  # type: ignore[arg-type]
            for one in self.reading.targets
        ]
        self.reading = replace(self.reading, targets=targets)
        return self

    def lag(self, records: int) -> History:
        return self.ends(100 + records)

    def ends(self, end: int) -> History:
        self.reading = replace(self.reading, ends={(EVENTS_ACCEPTED, 0): end, (COMMANDS, 0): 0})
        return self

    def found(self, check: str) -> Finding:
        areas = judge(self.readings, VERSION)
        (finding,) = [one for found in areas.values() for one in found if one.check == check]
        return finding

    def says(self, check: str) -> tuple[str, str]:
        finding = self.found(check)
        return finding.state, finding.says


def counters(name: str, **of_reason: float) -> Figures:
    """A counter of items: outcome_reason=value, with _ between the two."""
    found: dict[Labels, float] = {}
    for key, value in of_reason.items():
        outcome, _, reason = key.partition("_")
        found[labels(outcome=outcome.replace("X", "-"), reason=reason)] = value
    return {name: found}
