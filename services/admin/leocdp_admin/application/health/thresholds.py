"""The alert rules of deploy/monitoring/rules.yaml that admin can judge by itself. A test compares the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Rule:
    alert: str
    severity: Literal["warning", "critical"]
    runbook: str
    """Section of docs/operations/alerts.md."""
    bound: float = 0
    window: int = 0
    """Seconds over which it is measured."""
    lasting: int = 0
    """Seconds for which it has to hold, where a state comes and goes by itself. Of other rules the page tells at once
    what the alert waits with."""


OBSERVER_ERRORS: Final = Rule("LeoCdpObserverErrors", "critical", "observer-errors", 0.01, 5 * MINUTE)
OBSERVER_SLOW: Final = Rule("LeoCdpObserverSlow", "warning", "observer-slow", 0.5, 5 * MINUTE)
LAG_GROWING: Final = Rule("LeoCdpLagGrowing", "warning", "lag-growing", 200, 15 * MINUTE)
STALLED: Final = Rule("LeoCdpProcessingStalled", "critical", "processing-stalled", 0, 10 * MINUTE)
DEAD_LETTERS: Final = Rule("LeoCdpDeadLetters", "warning", "dead-letters", 0, 15 * MINUTE)
STOP_LIMIT: Final = Rule("LeoCdpStopLimit", "critical", "stop-limit", 0)
OUTBOX_STUCK: Final = Rule("LeoCdpOutboxStuck", "warning", "outbox-stuck", 0, 10 * MINUTE)
TIMERS_LATE: Final = Rule("LeoCdpSegmentTimersLate", "warning", "segment-timers-late", 60, 10 * MINUTE)
PEOPLE_BEHIND: Final = Rule("LeoCdpPeopleBehind", "warning", "people-behind", 0, 15 * MINUTE, 60 * MINUTE)
SERVICE_ABSENT: Final = Rule("LeoCdpServiceAbsent", "critical", "service-absent", 0)
TARGET_DOWN: Final = Rule("LeoCdpTargetDown", "warning", "target-down", 0)
GATEWAY_ERRORS: Final = Rule("LeoCdpGatewayErrors", "critical", "gateway-errors", 0.05, 5 * MINUTE)
DISK_NEARLY_FULL: Final = Rule("LeoCdpDiskNearlyFull", "critical", "disk-nearly-full", 0.15)

RULES: Final = (
    *(OBSERVER_ERRORS, OBSERVER_SLOW, LAG_GROWING, STALLED, DEAD_LETTERS, STOP_LIMIT, OUTBOX_STUCK, TIMERS_LATE),
    *(PEOPLE_BEHIND, SERVICE_ABSENT, TARGET_DOWN, GATEWAY_ERRORS, DISK_NEARLY_FULL),
)
NOT_SEEN: Final = {
    "LeoCdpKafkaUnderReplicated": "Kafka's own metrics, which kafka_exporter has",
    "LeoCdpBackupMissing": "CronJobs, which kube-state-metrics has",
    "LeoCdpCertificateExpiring": "the ingress's own metrics",
}
"""Alert → why the status page cannot tell it."""

KEPT: Final = PEOPLE_BEHIND.window + PEOPLE_BEHIND.lasting
"""Seconds of readings that are needed for the longest of these."""
REFUSED_SHARE: Final = 0.05
"""Of what observers received within a quarter of an hour: from here on a sender is set up wrongly. No alert: anybody
on the Internet can send nonsense."""
