"""Do events come in and become part of profiles: what is refused, what waits, what failed, what is late."""

from __future__ import annotations

from itertools import pairwise

from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.kit import metric_catalogue as m
from leocdp_admin.application.health import thresholds as rules
from leocdp_admin.application.health.findings import Finding, Reason, Share, Span, Value, broken, good, unknown
from leocdp_admin.application.health.measures import (
    History,
    by_label,
    failed_share,
    increase,
    lags,
    longest_wait,
    quantile,
    slope,
    span,
    total,
    within,
)
from leocdp_admin.application.health.readings import READ_TOPICS, lag_of

QUARTER = 15 * rules.MINUTE


def requests(history: History) -> Finding:
    """Do observers answer, and soon?"""
    window = within(history, rules.OBSERVER_ERRORS.window)
    if not history[-1].reached("observer"):
        return unknown("requests")
    failed = failed_share(increase(window, m.OBSERVER_REQUESTS.name, "observer"))
    if failed is not None and failed > rules.OBSERVER_ERRORS.bound:
        return broken("requests", rules.OBSERVER_ERRORS, "requests_fail", share=Share(failed))
    slow = quantile(0.99, increase(window, f"{m.OBSERVER_APPEND_SECONDS.name}_bucket", "observer"))
    if slow is not None and slow > rules.OBSERVER_SLOW.bound:
        return broken("requests", rules.OBSERVER_SLOW, "requests_slow", time=Span(slow))
    return good("requests", "requests_none" if failed is None else "requests_ok")


def refused(history: History) -> Finding:
    window = within(history, QUARTER)
    if not history[-1].reached("observer"):
        return unknown("refused")
    rises = increase(window, m.OBSERVER_ITEMS.name, "observer")
    reasons = by_label(rises, "reason", outcome="rejected")
    count, every = round(sum(reasons.values())), total(rises)
    if not count:
        return good("refused", "refused_none")
    share = count / every if every else 1.0
    why = Reason(max(reasons, key=lambda reason: reasons[reason]))
    says: dict[str, Value] = {"num": count, "share": Share(share), "reason": why}
    return Finding("refused", "warning" if share > rules.REFUSED_SHARE else "ok", "refused_some", says)


def lag(history: History) -> Finding:
    now = history[-1]
    waiting = lag_of(now)
    if waiting is None:
        return unknown("lag")
    if waiting == 0:
        return good("lag", "lag_none")
    values: dict[str, Value] = {"num": waiting, "time": Span(longest_wait(history))}
    if _stalled(history):
        return broken("lag", rules.STALLED, "lag_stalled", **values)
    if _held(history, QUARTER):
        return good("lag", "lag_held", **values)
    if any(_grows(history, topic) for topic in READ_TOPICS):
        return broken("lag", rules.LAG_GROWING, "lag_grows", **values)
    return good("lag", "lag_some", **values)


def _stalled(history: History) -> bool:
    """For all of the window events waited and none was processed. Of less than a window nobody can know."""
    window = within(history, rules.STALLED.window)
    if span(window) < rules.STALLED.window or _held(history, rules.STALLED.window):
        return False
    waited = [count for _, count in lags(window, EVENTS_ACCEPTED)]
    if not waited or min(waited) <= rules.STALLED.bound:
        return False
    return total(increase(window, m.PROCESSOR_ITEMS.name, "processor")) <= 0


def _grows(history: History, topic: str) -> bool:
    points = lags(within(history, rules.LAG_GROWING.window), topic)
    if not points or points[-1][1] <= rules.LAG_GROWING.bound:
        return False
    # A first minute after a start is no trend yet.
    return points[-1][0] - points[0][0] >= rules.MINUTE and slope(points) > 0


def _held(history: History, seconds: float) -> bool:
    held = m.PROCESSOR_HELD.name
    return any(any(reading.values(held, "processor")) for reading in within(history, seconds))


def dead_letters(history: History) -> Finding:
    """New ones by their reason; else those that wait for somebody, which the alert does not repeat."""
    rises = increase(within(history, rules.DEAD_LETTERS.window), m.PROCESSOR_ITEMS.name, "processor")
    reasons = by_label(rises, "reason", outcome="dead-lettered")
    new = round(sum(reasons.values()))
    if new > rules.DEAD_LETTERS.bound:
        why = Reason(max(reasons, key=lambda reason: reasons[reason]))
        return broken("dead_letters", rules.DEAD_LETTERS, "dead_letters_new", num=new, reason=why)
    stored = history[-1].stored
    if stored is None:
        return unknown("dead_letters")
    if stored.counts.dead_letters:
        return broken("dead_letters", rules.DEAD_LETTERS, "dead_letters_wait", num=stored.counts.dead_letters)
    return good("dead_letters", "dead_letters_none")


def outbox(history: History) -> Finding:
    """It does not become empty for as long as the alert looks."""
    window = within(history, rules.OUTBOX_STUCK.window)
    name = m.PROCESSOR_OUTBOX_PENDING.name
    if not history[-1].reached("processor"):
        return unknown("outbox")
    pending = [max(reading.values(name, "processor"), default=0.0) for reading in window]
    if span(window) >= rules.OUTBOX_STUCK.window and min(pending) > rules.OUTBOX_STUCK.bound:
        return broken("outbox", rules.OUTBOX_STUCK, "outbox_stuck", num=round(pending[-1]))
    return good("outbox", "outbox_some" if pending[-1] else "outbox_none", num=round(pending[-1]))


def timers(history: History) -> Finding:
    if not history[-1].reached("processor"):
        return unknown("timers")
    window = within(history, rules.TIMERS_LATE.window)
    name = f"{m.PROCESSOR_TIMER_DELAY_SECONDS.name}_bucket"
    late = quantile(0.99, increase(window, name, "processor"))
    if late is not None and late > rules.TIMERS_LATE.bound:
        return broken("timers", rules.TIMERS_LATE, "timers_late", time=Span(late))
    return good("timers", "timers_ok")


def segments(history: History) -> Finding:
    """Behind now and again for an hour and a quarter: people who are never brought up to new definitions."""
    name = m.PROCESSOR_SEGMENTS_BEHIND.name
    if not history[-1].reached("processor"):
        return unknown("segments")
    behind = [(reading.at, max(reading.values(name, "processor"), default=0.0)) for reading in history]
    now = round(behind[-1][1])
    if _lasts([(at / 1000, value > rules.PEOPLE_BEHIND.bound) for at, value in behind]):
        return broken("segments", rules.PEOPLE_BEHIND, "segments_behind")
    return good("segments", "segments_some" if now else "segments_ok")


def _lasts(points: list[tuple[float, bool]]) -> bool:
    """There is no quarter of an hour without it, over the whole time for which it has to last."""
    begin, end = points[0][0], points[-1][0]
    if end - begin < rules.KEPT:
        return False
    seen = [begin, *(at for at, holds in points if holds), end]
    return all(later - before < rules.PEOPLE_BEHIND.window for before, later in pairwise(seen))
