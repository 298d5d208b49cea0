"""What is said of which readings: each check when all is well, at its bound, and beyond."""

from __future__ import annotations

import pytest

from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.kit import metric_catalogue as m
from leocdp.kit.metrics import Metrics, read_exposition
from leocdp.ports.profile_reader import Counts
from leocdp_admin.application.health.findings import AREAS, Reason, Span, worst
from leocdp_admin.application.health.judge import accepted_per_minute, judge
from leocdp_admin.application.health.measures import longest_wait, quantile, slope, within
from leocdp_admin.application.health.readings import Disk, Stored
from leocdp_admin.application.health.words import ADVICE, SENTENCES, TITLES, say
from leocdp_admin.i18n.localisation import Localisation
from tests.unit.admin.health_history import NOW, VERSION, History, counters, labels, target

ITEMS, OBSERVED = m.PROCESSOR_ITEMS.name, m.OBSERVER_ITEMS.name


def requests(name: str, *, good: float, bad: float, **more: str) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    return {name: {labels(status="200", **more): good, labels(status="503", **more): bad}}


def test_when_all_is_well_everything_is_good() -> None:
    areas = judge(History().look().look().readings, VERSION)
    assert set(areas) == set(AREAS)
    assert {finding.state for found in areas.values() for finding in found} == {"ok"}
    assert not [finding for found in areas.values() for finding in found if finding.runbook]


@pytest.mark.parametrize(
    ("service", "check", "runbook"),
    [
        ("observer", "observers", "observer-errors"),
        ("processor", "processors", "processing-stalled"),
        ("gateway", "gateways", "gateway-errors"),
    ],
)
def test_absent_not_ready_and_some_down(service: str, check: str, runbook: str) -> None:
    history = History().look().set(service, reachable=False).look()
    assert history.says(check) == ("critical", f"{check}_absent")
    assert history.found(check).runbook == "service-absent"
    history.set(service, reachable=True, ready=False, reasons=["the database is away"]).look()
    finding = history.found(check)
    assert (finding.state, finding.says, finding.runbook) == ("critical", f"{check}_not_ready", runbook)
    assert finding.values == {"reason": "the database is away"}
    history.reading = History().reading
    second = target(service, address="http://second", reachable=False)
    history.readings.clear()
    history.look(targets=[*history.reading.targets, second])
    finding = history.found(check)
    assert (finding.state, finding.says, finding.runbook) == ("warning", f"{check}_some", "target-down")
    assert finding.values == {"up": 1, "all": 2}


def test_a_processor_that_stopped_outdoes_all_else() -> None:
    stopped = {m.PROCESSOR_STOPPED.name: {frozenset[tuple[str, str]](): 1.0}}
    history = History().set("processor", ready=False, figures=stopped).look()
    assert history.says("processors") == ("critical", "processors_stopped")
    assert history.found("processors").runbook == "stop-limit"


def test_pauses_that_end_by_themselves() -> None:
    held = {m.PROCESSOR_HELD.name: {frozenset[tuple[str, str]](): 1.0}}
    history = History().set("processor", ready=False, figures=held).lag(500).look()
    assert history.says("processors") == ("warning", "processors_held")
    assert history.says("lag") == ("ok", "lag_held")
    replay = ["Reading the log again: 3 of 10 records."]
    history = History().set("processor", ready=False, reasons=replay).look()
    assert history.says("processors") == ("warning", "processors_replaying")


@pytest.mark.parametrize(("bad", "says"), [(1.0, "requests_ok"), (2.0, "requests_fail")])
def test_failing_deliveries(bad: float, says: str) -> None:
    history = History().set("observer", figures=requests(m.OBSERVER_REQUESTS.name, good=0, bad=0)).look()
    history.set("observer", figures=requests(m.OBSERVER_REQUESTS.name, good=100 - bad, bad=bad)).look()
    assert history.found("requests").says == says


def test_slow_deliveries() -> None:
    def buckets(fast: float, slow: float) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
        steps = {"0.25": fast, "0.5": fast, "1.0": fast + slow, "+Inf": fast + slow}
        return {f"{m.OBSERVER_APPEND_SECONDS.name}_bucket": {labels(le=le): count for le, count in steps.items()}}

    history = History().set("observer", figures=buckets(0, 0)).look().set("observer", figures=buckets(98, 2)).look()
    assert history.says("requests") == ("warning", "requests_slow")
    history = History().set("observer", figures=buckets(0, 0)).look().set("observer", figures=buckets(100, 0)).look()
    assert history.found("requests").state == "ok"


def test_failing_pages() -> None:
    name = m.GATEWAY_REQUESTS.name
    history = History().set("gateway", figures=requests(name, good=0, bad=0, kind="ui")).look()
    history.set("gateway", figures=requests(name, good=94, bad=6, kind="ui")).look()
    assert history.says("gateways") == ("critical", "gateway_errors")


def test_refused_events_say_why() -> None:
    history = History().look()
    history.set("observer", figures=counters(OBSERVED, accepted_=97, rejected_missing_id=3)).look()
    assert history.says("refused") == ("ok", "refused_some")
    history.set("observer", figures=counters(OBSERVED, accepted_=97, rejected_missing_id=3, rejected_too_deep=5)).look()
    assert history.says("refused") == ("warning", "refused_some")
    assert history.found("refused").values["reason"] == Reason("too_deep")
    assert history.found("refused").values["num"] == 8


def test_lag_that_is_worked_off_and_lag_that_grows() -> None:
    history = History().lag(5).look()
    assert history.says("lag") == ("ok", "lag_some")
    for records in range(150, 211, 10):
        history.lag(records).look()
    assert history.says("lag") == ("warning", "lag_grows")
    shrinking = History()
    for records in range(900, 300, -50):
        shrinking.lag(records).look()
    assert shrinking.says("lag") == ("ok", "lag_some")


@pytest.mark.parametrize(("minutes", "says"), [(9, "lag_some"), (10, "lag_stalled")])
def test_nothing_processed_for_ten_minutes(minutes: int, says: str) -> None:
    history = History().set("processor", figures=counters(ITEMS, processed_=7)).lag(5)
    for _ in range(minutes * 6 + 1):
        history.look()
    assert history.found("lag").says == says


def test_a_processor_that_works_is_not_stalled() -> None:
    history = History().lag(5)
    for done in range(70):
        history.set("processor", figures=counters(ITEMS, processed_=done)).look()
    assert history.says("lag") == ("ok", "lag_some")


def test_lag_is_not_known_without_log_or_store() -> None:
    assert History().look(stored=None, store_problem="away").says("lag") == ("unknown", "unknown")
    assert History().look(ends=None, log_problem="away").says("lag") == ("unknown", "unknown")


def test_how_long_the_oldest_waits() -> None:
    history = History().look().look().lag(3).look().lag(9).look().look()
    assert longest_wait(history.readings) == 20
    assert history.found("lag").values["time"] == Span(20)
    assert longest_wait(History().look().look().readings) == 0


def test_dead_letters_new_and_old() -> None:
    history = History().set("processor", figures=counters(ITEMS, processed_=5)).look()
    figures = counters(ITEMS, processed_=5, deadXlettered_defect=2)
    history.set("processor", figures=figures).look()
    assert history.says("dead_letters") == ("warning", "dead_letters_new")
    assert history.found("dead_letters").values == {"num": 2, "reason": Reason("defect")}
    old = History().look(stored=Stored({(EVENTS_ACCEPTED, 0): 100}, Counts(dead_letters=4)))
    assert old.says("dead_letters") == ("warning", "dead_letters_wait")


@pytest.mark.parametrize(("minutes", "says"), [(9, "outbox_some"), (10, "outbox_stuck")])
def test_an_outbox_that_does_not_become_empty(minutes: int, says: str) -> None:
    history = History().set("processor", figures={m.PROCESSOR_OUTBOX_PENDING.name: {frozenset(): 3.0}})
    for _ in range(minutes * 6 + 1):
        history.look()
    assert history.found("outbox").says == says


def test_late_timers() -> None:
    name = f"{m.PROCESSOR_TIMER_DELAY_SECONDS.name}_bucket"
    late = {name: {labels(le="60.0"): 0.0, labels(le="300.0"): 10.0, labels(le="+Inf"): 10.0}}
    history = History().look().set("processor", figures=late).look()
    assert history.says("timers") == ("warning", "timers_late")


@pytest.mark.parametrize(("pause", "state"), [(80, "warning"), (100, "ok")])
def test_people_who_stay_behind(pause: int, state: str) -> None:
    """Told only when there is no quarter of an hour without them; a pause of 80 looks is shorter."""
    behind = {m.PROCESSOR_SEGMENTS_BEHIND.name: {frozenset[tuple[str, str]](): 8.0}}
    history = History().set("processor", figures=behind)
    for look in range(460):
        history.set("processor", figures={} if 200 < look <= 200 + pause else behind).look()
    assert history.found("segments").state == state


def test_disk() -> None:
    assert History().look(disk=Disk(15, 100)).says("disk") == ("ok", "disk_ok")
    assert History().look(disk=Disk(14, 100)).says("disk") == ("critical", "disk_full")
    areas = judge(History().look(disk=None).readings, VERSION)
    assert [finding.check for finding in areas["storage"]] == ["log", "store"]


def test_log_and_store_that_are_away() -> None:
    history = History().look(ends=None, log_problem="no broker", stored=None, store_problem="refused")
    assert history.says("log") == ("critical", "log_away")
    assert history.says("store") == ("critical", "store_away")


def test_versions() -> None:
    history = History().set("gateway", version="0.9.0").look()
    assert history.says("versions") == ("warning", "versions_differ")


def test_events_per_minute_survive_a_restart() -> None:
    history = History().set("observer", figures=counters(OBSERVED, accepted_=1_000)).look()
    history.set("observer", figures=counters(OBSERVED, accepted_=1_040)).look()
    assert accepted_per_minute(history.readings) == 40
    began = {f"{OBSERVED.removesuffix('_total')}_created": {labels(outcome="accepted", reason=""): NOW / 1000 + 15}}
    history.set("observer", instance="observer-2", figures={**counters(OBSERVED, accepted_=20), **began}).look()
    assert accepted_per_minute(history.readings) == 60
    assert accepted_per_minute(history.readings[:1]) is None
    assert accepted_per_minute(history.set("observer", reachable=False).look().readings) is None


def test_events_per_minute_of_instances_behind_one_address_are_not_taken_for_restarts() -> None:
    history = History()
    for number, count in (("1", 1_000), ("2", 5_000), ("1", 1_010), ("2", 5_030)):
        history.set("observer", instance=number, figures=counters(OBSERVED, accepted_=count)).look()
    assert accepted_per_minute(history.readings) == 40


def test_measures() -> None:
    assert slope([(0, 1), (10, 21), (20, 41)]) == pytest.approx(2)
    assert slope([(0, 5)]) == 0
    assert quantile(0.5, {labels(le="1.0"): 10.0, labels(le="2.0"): 20.0, labels(le="+Inf"): 20.0}) == 1.0
    assert quantile(0.99, {labels(le="1.0"): 0.0, labels(le="+Inf"): 4.0}) == 1.0
    assert quantile(0.99, {}) is None
    history = History()
    for _ in range(10):
        history.look()
    assert [reading.at - NOW for reading in within(history.readings, 25)] == [60_000, 70_000, 80_000, 90_000]
    assert worst(["ok", "warning", "unknown"]) == "warning"


def test_what_a_service_exposes_is_read_as_it_was_counted() -> None:
    metrics = Metrics()
    metrics.inc(m.OBSERVER_ITEMS, 3, outcome="rejected", reason='a"b\\c\n')
    metrics.observe(m.OBSERVER_APPEND_SECONDS, 0.2)
    found = read_exposition(metrics.expose().body.decode())
    assert found[OBSERVED] == {labels(outcome="rejected", reason='a"b\\c\n'): 3}
    assert found[f"{m.OBSERVER_APPEND_SECONDS.name}_count"] == {frozenset(): 1}
    with pytest.raises(ValueError, match="invalid metric name"):
        read_exposition("<html>no metrics</html>")


@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_sentence_can_be_said(language: str) -> None:
    """With the values that its check gives; whatever needs somebody says what to do."""
    l10n = Localisation(language, "UTC")
    history = History().look(disk=Disk(1, 100), ends=None, log_problem="no broker")
    history.set("observer", figures=counters(OBSERVED, rejected_missing_id=8)).set("processor", reachable=False).look()
    for found in judge(history.readings, VERSION).values():
        for finding in found:
            said = say(finding, l10n, str)
            assert said.title
            assert "%(" not in said.message
            assert said.advice or finding.state not in ("warning", "critical")
    assert set(ADVICE) <= set(SENTENCES)
    assert all(TITLES.values())
