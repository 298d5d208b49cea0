"""From readings to findings: everything the status page says. Pure, so that each case has a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leocdp.kit import metric_catalogue as m
from leocdp_admin.application.health import judge_flow as flow
from leocdp_admin.application.health import judge_services as services
from leocdp_admin.application.health import thresholds as rules
from leocdp_admin.application.health.findings import Area, Finding, Share, Size, Value, broken, good
from leocdp_admin.application.health.measures import History, increase, span, total, within
from leocdp_admin.application.health.readings import Reading

RATE_WINDOW = 5 * rules.MINUTE


def judge(history: History, own_version: str) -> Mapping[Area, Sequence[Finding]]:
    """``history`` is from oldest to newest, at least one reading."""
    now = history[-1]
    disk = _disk(now)
    return {
        "collecting": [services.observers(history), flow.requests(history), flow.refused(history)],
        "processing": [
            *(services.processors(history), flow.lag(history), flow.dead_letters(history)),
            *(flow.timers(history), flow.segments(history), flow.outbox(history)),
        ],
        "storage": [_log(now), _store(now), *([disk] if disk else [])],
        "services": [services.gateways(history), services.versions(now, own_version)],
    }


def accepted_per_minute(history: History) -> float | None:
    """Of all observers, over the last five minutes or since admin looks; None when it cannot be known."""
    window = within(history, RATE_WINDOW)
    if span(window) <= 0 or not window[-1].reached("observer"):
        return None
    accepted = total(increase(window, m.OBSERVER_ITEMS.name, "observer"), outcome="accepted")
    return accepted * 60 / max(span(window), 60)


def _log(now: Reading) -> Finding:
    if now.ends is None:
        return broken("log", rules.OBSERVER_ERRORS, "log_away", reason=now.log_problem)
    return good("log", "log_ok")


def _store(now: Reading) -> Finding:
    if now.stored is None:
        return broken("store", rules.STALLED, "store_away", reason=now.store_problem)
    return good("store", "store_ok")


def _disk(now: Reading) -> Finding | None:
    if now.disk is None or not now.disk.size:
        return None
    share = now.disk.free / now.disk.size
    values: dict[str, Value] = {"free": Size(now.disk.free), "share": Share(share)}
    if share < rules.DISK_NEARLY_FULL.bound:
        return broken("disk", rules.DISK_NEARLY_FULL, "disk_full", **values)
    return good("disk", "disk_ok", **values)
