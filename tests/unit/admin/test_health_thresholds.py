"""The status page and the alerts cannot drift apart: bounds, windows, severities and runbooks are the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from leocdp.kit import metric_catalogue as m
from leocdp_admin.application.health import thresholds
from leocdp_admin.application.health.thresholds import NOT_SEEN, RULES, Rule
from tests.architecture.project import ROOT

FILE = ROOT / "deploy" / "monitoring" / "rules.yaml"
SECONDS = {"s": 1, "m": 60, "h": 3600}
ASKED = {
    thresholds.OBSERVER_ERRORS: m.OBSERVER_REQUESTS,
    thresholds.OBSERVER_SLOW: m.OBSERVER_APPEND_SECONDS,
    thresholds.LAG_GROWING: m.PROCESSOR_LAG,
    thresholds.STALLED: m.PROCESSOR_ITEMS,
    thresholds.DEAD_LETTERS: m.PROCESSOR_ITEMS,
    thresholds.STOP_LIMIT: m.PROCESSOR_STOPPED,
    thresholds.OUTBOX_STUCK: m.PROCESSOR_OUTBOX_PENDING,
    thresholds.TIMERS_LATE: m.PROCESSOR_TIMER_DELAY_SECONDS,
    thresholds.PEOPLE_BEHIND: m.PROCESSOR_SEGMENTS_BEHIND,
    thresholds.GATEWAY_ERRORS: m.GATEWAY_REQUESTS,
}
"""The metric that both look at."""


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def seconds(text: str) -> int:
    return int(text[:-1]) * SECONDS[text[-1]]


def test_every_alert_is_on_the_page_or_it_is_said_why_not() -> None:
    seen = {rule.alert for rule in RULES}
    assert seen | set(NOT_SEEN) == set(alerts())
    assert not seen & set(NOT_SEEN)
    assert all(NOT_SEEN.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.alert)
def test_a_rule_is_that_of_the_alert(rule: Rule) -> None:
    alert = alerts()[rule.alert]
    expression = alert["expr"]
    assert rule.severity == alert["labels"]["severity"]
    assert alert["annotations"]["runbook"] == f"docs/operations/alerts.md#{rule.runbook}"
    bounds = {float(found) for found in re.findall(r"[<>]=?\s*([\d.]+)", expression)}
    # A service that is absent has `up == 0`, which is a comparison of another kind.
    assert rule.bound in (bounds or {0.0})
    windows = {seconds(found) for found in re.findall(r"\[(\d+[smh])\]", expression)}
    assert windows == ({rule.window} if rule.window else set())
    if rule.lasting:
        assert seconds(alert["for"]) == rule.lasting
    if rule in ASKED:
        assert ASKED[rule].name in expression


def test_the_bound_of_the_database_s_disk_is_that_of_the_embedded_engine() -> None:
    """Kafka's disks are meant to be full; the embedded engine's is a disk with a database on it."""
    (database, _) = re.split(r"\bor\b", alerts()["LeoCdpDiskNearlyFull"]["expr"])
    assert f"< {thresholds.DISK_NEARLY_FULL.bound}" in database
