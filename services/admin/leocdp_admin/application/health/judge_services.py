"""Are the services there, and do they do their work: observers, processors, gateways, and their versions."""

from __future__ import annotations

from collections.abc import Mapping

from leocdp.kit import metric_catalogue as m
from leocdp_admin.application.health import thresholds as rules
from leocdp_admin.application.health.findings import Finding, Share, broken, good, unknown
from leocdp_admin.application.health.measures import History, failed_share, increase, span, within
from leocdp_admin.application.health.readings import Reading, Service
from leocdp_admin.application.health.thresholds import Rule

REPLAYING = "Reading the log again"
"""How a processor begins its reason while it does."""


def observers(history: History) -> Finding:
    return _present(history[-1], "observer", "observers")


def processors(history: History) -> Finding:
    """A stop outdoes everything; what pauses by itself is told before what is merely not ready."""
    now = history[-1]
    if any(now.values(m.PROCESSOR_STOPPED.name, "processor")):
        return broken("processors", rules.STOP_LIMIT, "processors_stopped")
    present = _present(now, "processor", "processors")
    if present.says in ("processors_absent", "processors_some"):
        return present
    if any(now.values(m.PROCESSOR_HELD.name, "processor")):
        return Finding("processors", "warning", "processors_held")
    if any(reason.startswith(REPLAYING) for target in now.reached("processor") for reason in target.reasons):
        return Finding("processors", "warning", "processors_replaying", runbook=rules.STALLED.runbook)
    return present


def gateways(history: History) -> Finding:
    present = _present(history[-1], "gateway", "gateways")
    if present.state != "ok":
        return present
    failed = _worst_kind(history)
    if failed is not None and failed > rules.GATEWAY_ERRORS.bound:
        return broken("gateways", rules.GATEWAY_ERRORS, "gateway_errors", share=Share(failed))
    return present


def versions(reading: Reading, own: str) -> Finding:
    found = {own, *(target.version for target in reading.targets if target.version)}
    if len(found) == 1:
        return good("versions", "versions_one", version=own)
    return Finding("versions", "warning", "versions_differ", {"versions": ", ".join(sorted(found))})


def _present(now: Reading, service: Service, check: str) -> Finding:
    every, reached = now.of(service), now.reached(service)
    if not every:
        return unknown(check)
    if not reached:
        return broken(check, rules.SERVICE_ABSENT, f"{check}_absent")
    ready = [target for target in reached if target.ready]
    if not ready:
        first = next((reason for target in reached for reason in target.reasons), "")
        return broken(check, _unready(service), f"{check}_not_ready", reason=first)
    if len(ready) < len(every):
        return broken(check, rules.TARGET_DOWN, f"{check}_some", up=len(ready), all=len(every))
    return good(check, f"{check}_ok", all=len(every))


def _unready(service: Service) -> Rule:
    """Its alert: what fails when no instance of it can do its work."""
    found: Mapping[Service, Rule] = {
        "observer": rules.OBSERVER_ERRORS,
        "processor": rules.STALLED,
        "gateway": rules.GATEWAY_ERRORS,
    }
    return found[service]


def _worst_kind(history: History) -> float | None:
    """Of pages and of programs, the higher share of failed requests."""
    window = within(history, rules.GATEWAY_ERRORS.window)
    if span(window) == 0:
        return None
    rises = increase(window, m.GATEWAY_REQUESTS.name, "gateway")
    shares = [share for kind in ("ui", "api") if (share := failed_share(rises, kind=kind)) is not None]
    return max(shares, default=None)
