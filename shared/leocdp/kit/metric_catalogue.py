"""Every metric name there is, with one line of meaning each. A name that is not here cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ITEMS: Final = (1.0, 5.0, 20.0, 100.0, 500.0, 1000.0, 2000.0, 4000.0)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS


# Observer
OBSERVER_REQUESTS: Final = MetricSpec(
    "leocdp_observer_requests_total",
    "counter",
    "Requests to collection routes, by protocol and status.",
    ("protocol", "status"),
)
OBSERVER_ITEMS: Final = MetricSpec(
    "leocdp_observer_items_total",
    "counter",
    "Items by edge outcome (accepted, rejected) and reason.",
    ("outcome", "reason"),
)
OBSERVER_APPEND_SECONDS: Final = MetricSpec(
    "leocdp_observer_append_seconds",
    "histogram",
    "Time from an item's arrival to its being durable in the log, oldest of each append.",
)
OBSERVER_REJECTIONS_LOST: Final = MetricSpec(
    "leocdp_observer_rejections_lost_total",
    "counter",
    "Refused items that could not be written to the rejected topic; their outcome is counted all the same.",
)
OBSERVER_IN_FLIGHT_BYTES: Final = MetricSpec(
    "leocdp_observer_in_flight_bytes", "gauge", "Bytes of accepted items that wait for the log."
)

# Processor
PROCESSOR_ITEMS: Final = MetricSpec(
    "leocdp_processor_items_total", "counter", "Accepted items by processing outcome and reason.", ("outcome", "reason")
)
PROCESSOR_COMMANDS: Final = MetricSpec(
    "leocdp_processor_commands_total", "counter", "Commands by kind and state (applied, refused).", ("kind", "state")
)
PROCESSOR_BATCH_ITEMS: Final = MetricSpec(
    "leocdp_processor_batch_items", "histogram", "Items per committed batch.", (), ITEMS
)
PROCESSOR_PHASE_SECONDS: Final = MetricSpec(
    "leocdp_processor_phase_seconds", "histogram", "Time per batch and phase (parse, load, decide, commit).", ("phase",)
)
PROCESSOR_LAG: Final = MetricSpec(
    "leocdp_processor_lag_records", "gauge", "Records between the end of a topic and the stored position.", ("topic",)
)
PROCESSOR_LATENCY_SECONDS: Final = MetricSpec(
    "leocdp_processor_latency_seconds",
    "histogram",
    "From an event's arrival at the observer to its commit, oldest of each batch.",
)
PROCESSOR_CONFLICTS: Final = MetricSpec(
    "leocdp_processor_conflicts_total", "counter", "Commits that had to be decided again."
)
PROCESSOR_STOPPED: Final = MetricSpec(
    "leocdp_processor_stopped", "gauge", "1 while the dead-letter stop limit holds processing, else 0."
)
PROCESSOR_HELD: Final = MetricSpec(
    "leocdp_processor_held", "gauge", "1 while events wait for a backup of the store (its barrier) to be done, else 0."
)
PROCESSOR_DROPPED_IDENTIFIERS: Final = MetricSpec(
    "leocdp_processor_dropped_identifiers_total",
    "counter",
    "Candidate identifiers that were not usable.",
    ("kind", "reason"),
)
PROCESSOR_OUTBOX_PENDING: Final = MetricSpec(
    "leocdp_processor_outbox_pending", "gauge", "Outbox records not published yet."
)
PROCESSOR_REFRESHED: Final = MetricSpec(
    "leocdp_processor_refreshed_total",
    "counter",
    "People whose segments were asked again beside the path of events: their time had come (due), a definition had "
    "changed (behind), or they could not be told (failed).",
    ("why",),
)
PROCESSOR_TIMER_DELAY_SECONDS: Final = MetricSpec(
    "leocdp_processor_timer_delay_seconds",
    "histogram",
    "From the instant at which a person's segments may change by themselves to the commit that asks them.",
    (),
    (*SECONDS, 30.0, 60.0, 300.0),
)
PROCESSOR_SEGMENTS_BEHIND: Final = MetricSpec(
    "leocdp_processor_segments_behind",
    "gauge",
    "People of the latest page who are not up to the latest definitions; 0 when everybody is.",
)
PROCESSOR_MEMBERSHIPS: Final = MetricSpec(
    "leocdp_processor_memberships_total",
    "counter",
    "Segments that people entered or left, by cause.",
    ("change", "cause"),
)

# Admin
ADMIN_REQUESTS: Final = MetricSpec(
    "leocdp_admin_requests_total", "counter", "Requests by route and status.", ("route", "status")
)
ADMIN_REQUEST_SECONDS: Final = MetricSpec(
    "leocdp_admin_request_seconds", "histogram", "Time to answer, by route.", ("route",)
)
ADMIN_LOGINS: Final = MetricSpec(
    "leocdp_admin_logins_total", "counter", "Log-in attempts by result (ok, failed, locked).", ("result",)
)

# Gateway
GATEWAY_REQUESTS: Final = MetricSpec(
    "leocdp_gateway_requests_total", "counter", "Requests by kind (ui, api) and status.", ("kind", "status")
)
GATEWAY_REQUEST_SECONDS: Final = MetricSpec(
    "leocdp_gateway_request_seconds", "histogram", "Time to the first byte of the answer, by kind.", ("kind",)
)
GATEWAY_LIMITED: Final = MetricSpec(
    "leocdp_gateway_limited_total", "counter", "Requests refused with 429, by limit (key, address).", ("limit",)
)

# All services
CONFIG_ENTRIES: Final = MetricSpec(
    "leocdp_config_entries", "gauge", "Configuration entries held in memory, by kind.", ("kind",)
)
