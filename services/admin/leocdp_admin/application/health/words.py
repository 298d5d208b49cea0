"""The sentences of the status: of each finding what it means, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from leocdp_admin.application.health.findings import Area, Finding, Reason, Share, Size, Span, State, Value
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation

AREA_NAMES: Final[dict[Area, str]] = {
    "collecting": N_("Collecting events"),
    "processing": N_("Processing events"),
    "storage": N_("Storage"),
    "services": N_("Services and versions"),
}
STATE_NAMES: Final[dict[State, str]] = {
    "ok": N_("Good"),
    "unknown": N_("Not known"),
    "warning": N_("Look at this"),
    "critical": N_("Act now"),
}
SUMMARIES: Final[dict[State, str]] = {
    "ok": N_("Everything works."),
    "unknown": N_("Nothing is known to be wrong, but not everything can be seen."),
    "warning": N_("It works, but something needs a look today."),
    "critical": N_("Something does not work and needs somebody now."),
}
TITLES: Final = {
    "observers": N_("Observers"),
    "requests": N_("Answers to websites and apps"),
    "refused": N_("Refused events"),
    "processors": N_("Processors"),
    "lag": N_("Waiting events"),
    "dead_letters": N_("Failed events"),
    "timers": N_("Segments that change with time"),
    "segments": N_("Changed segments"),
    "outbox": N_("News for other systems"),
    "log": N_("Event log"),
    "store": N_("Profile store"),
    "disk": N_("Disk"),
    "gateways": N_("Gateway"),
    "versions": N_("Versions"),
}
LINKS: Final = {"refused": "/events/quality?outcome=rejected", "dead_letters": "/events/quality"}

SENTENCES: Final = {
    "unknown": N_("This cannot be seen at the moment."),
    "observers_ok": N_("Events are taken. Observers that answer: %(all)s."),
    "observers_some": N_("Only %(up)s of %(all)s observers take events. The others do their work meanwhile."),
    "observers_not_ready": N_("No observer can take events: %(reason)s"),
    "observers_absent": N_("No observer is reachable. Websites and apps cannot deliver their events."),
    "requests_ok": N_("Deliveries are answered without errors and quickly."),
    "requests_none": N_("Nothing was delivered in the last five minutes, so there were no errors."),
    "requests_fail": N_("%(share)s of deliveries fail on our side."),
    "requests_slow": N_("Deliveries are answered slowly: one in a hundred waits %(time)s or more."),
    "refused_none": N_("No event was refused in the last quarter of an hour."),
    "refused_some": N_("Refused in the last quarter of an hour: %(num)s (%(share)s). Mostly: %(reason)s."),
    "processors_ok": N_("Events become part of profiles. Processors at work: %(all)s."),
    "processors_some": N_("Only %(up)s of %(all)s processors work. The others take over their share."),
    "processors_not_ready": N_("No processor can work: %(reason)s"),
    "processors_absent": N_("No processor is reachable. Profiles and segments stand still; events wait safely."),
    "processors_stopped": N_("A processor has stopped, because most of the latest events fail. Nothing is lost."),
    "processors_held": N_("Paused while a backup is made. Events wait safely."),
    "processors_replaying": N_("All events are being read again. Profiles are complete when that is done."),
    "lag_none": N_("Everything that was received is processed."),
    "lag_some": N_("Deliveries that wait: %(num)s, the oldest for %(time)s. They are being worked off."),
    "lag_held": N_("Deliveries that wait for the backup: %(num)s, the oldest for %(time)s."),
    "lag_grows": N_("Deliveries that wait: %(num)s, and more and more. The oldest waits for %(time)s."),
    "lag_stalled": N_("Deliveries that wait: %(num)s, and none was processed for ten minutes."),
    "dead_letters_none": N_("No event failed."),
    "dead_letters_new": N_("Failed in the last quarter of an hour: %(num)s. Mostly: %(reason)s."),
    "dead_letters_wait": N_("Failed earlier, and nobody has looked at them: %(num)s."),
    "timers_ok": N_("People enter and leave segments on time."),
    "timers_late": N_("People enter and leave segments late, by up to %(time)s."),
    "segments_ok": N_("All people are up to the latest segments."),
    "segments_some": N_("People are being brought up to changed segments."),
    "segments_behind": N_("For an hour people have not been brought up to changed segments."),
    "outbox_none": N_("Nothing waits to be announced."),
    "outbox_some": N_("Changes being announced now: %(num)s."),
    "outbox_stuck": N_("Changes that wait to be announced: %(num)s, for ten minutes and more."),
    "log_ok": N_("It can be read and keeps every event."),
    "log_away": N_("The event log is not reachable: %(reason)s"),
    "store_ok": N_("It can be read."),
    "store_away": N_("The profile store is not reachable: %(reason)s"),
    "disk_ok": N_("%(free)s are free (%(share)s)."),
    "disk_full": N_("Only %(free)s are free (%(share)s). When it is full, no event can be taken."),
    "gateways_ok": N_("Pages and the API are reachable. Gateways that answer: %(all)s."),
    "gateways_some": N_("Only %(up)s of %(all)s gateways answer."),
    "gateways_not_ready": N_("No gateway is ready: %(reason)s"),
    "gateways_absent": N_("This page came through, but the gateway does not answer admin."),
    "gateway_errors": N_("%(share)s of requests to pages or the API fail."),
    "versions_one": N_("All services have version %(version)s."),
    "versions_differ": N_("Services have different versions: %(versions)s."),
}
ADVICE: Final = {
    "observers_some": N_("Ask whoever runs the servers to see why the others are down."),
    "observers_not_ready": N_("Ask whoever runs the servers to look at the event log. Most senders try again."),
    "observers_absent": N_("Ask whoever runs the servers to start the observers. Most senders try again later."),
    "requests_fail": N_("Ask whoever runs the servers to look at the event log. Most senders try again."),
    "requests_slow": N_("If it stays for an hour, ask whoever runs the servers to look at the disks of the event log."),
    "refused_some": N_("See which source sends them and what is wrong with them."),
    "processors_some": N_("Ask whoever runs the servers to see why the others are down."),
    "processors_not_ready": N_("Ask whoever runs the servers to do what the sentence says; mostly it is the database."),
    "processors_absent": N_("Ask whoever runs the servers to start the processors. Then everything is caught up with."),
    "processors_stopped": N_("See which events fail. After an upgrade, go back to the version before."),
    "processors_held": N_("There is nothing to do: it goes on by itself."),
    "processors_replaying": N_("There is nothing to do but wait."),
    "lag_grows": N_("If it goes on, ask whoever runs the servers to add a processor or to look at the database."),
    "lag_stalled": N_("Ask whoever runs the servers to look at the processors and the database."),
    "dead_letters_new": N_("See what is wrong with them. Once it is mended, process them again; nothing counts twice."),
    "dead_letters_wait": N_(
        "See what is wrong with them. Once it is mended, process them again; nothing counts twice."
    ),
    "timers_late": N_("Wait if a segment was changed just now. If it stays, ask whoever runs the servers."),
    "segments_behind": N_("Ask whoever runs the servers to look at the log of the processors."),
    "outbox_stuck": N_("After a new segment over everybody it ends by itself. Else the event log cannot be written."),
    "log_away": N_("Ask whoever runs the servers to bring it back. Until then no event can be taken."),
    "store_away": N_("Ask whoever runs the servers to bring it back. Events are taken meanwhile and wait safely."),
    "disk_full": N_("Ask whoever runs the servers for more room, before it is full."),
    "gateways_some": N_("Ask whoever runs the servers to see why the others are down."),
    "gateways_not_ready": N_("Ask whoever runs the servers to look at the gateway."),
    "gateways_absent": N_("Ask whoever runs the servers to check the addresses of gateways in admin’s settings."),
    "gateway_errors": N_("Ask whoever runs the servers to look at admin’s log and at the database."),
    "versions_differ": N_("During an upgrade this is as it should be. Otherwise finish the upgrade."),
}
RUNBOOKS: Final = "docs/operations/alerts.md"


@dataclass(frozen=True, slots=True)
class Said:
    title: str
    state: str
    message: str
    advice: str
    link: str
    """Page of ours that shows more; empty without one."""
    runbook: str


def say(finding: Finding, l10n: Localisation, reason: Callable[[str], str]) -> Said:
    """``reason`` gives the words for a code of why events are refused or fail."""
    values = {name: _text(value, l10n, reason) for name, value in finding.values.items()}
    troubled = finding.state in ("warning", "critical") or finding.says == "refused_some"
    return Said(
        title=l10n.gettext(TITLES[finding.check]),
        state=l10n.gettext(STATE_NAMES[finding.state]),
        message=l10n.gettext(SENTENCES[finding.says]) % values,
        advice=l10n.gettext(ADVICE.get(finding.says, "")) if troubled else "",
        link=LINKS.get(finding.check, "") if troubled else "",
        runbook=f"{RUNBOOKS}#{finding.runbook}" if finding.runbook else "",
    )


def _text(value: Value, l10n: Localisation, reason: Callable[[str], str]) -> str:
    match value:
        case Span(seconds):
            return l10n.duration(timedelta(seconds=seconds))
        case Share(of_one):
            return l10n.percent(of_one) if of_one >= 0.01 else l10n.gettext("less than one percent")
        case Size(count):
            return l10n.size(count)
        case Reason(code):
            return reason(code)
        case int():
            return l10n.number(value)
        case _:
            return value
