"""Sequences: steps in time order, each by an event of its own; of one time any order counts.

A *chain* begins with one match of the first step and has one of each positive step, all at most ``within`` after the
first. If the last step is negated, the chain is good when no other event matches that step from the last positive one
until ``within`` after the first: which is known when that time has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import Any, TypeAlias

from leocdp.domain.segments.answers import YES, Answer, Interval, within_any
from leocdp.domain.segments.audience import Match
from leocdp.domain.segments.nodes import Sequence_

Moment: TypeAlias = tuple[int, Mapping[str, frozenset[int]]]
"""A time with its events (tie → steps that the event matches)."""


def answer_sequence(node: Sequence_, kept: Iterable[Match], now: int) -> Answer:
    """``kept`` are matches in order of time; ``Match.key`` is what ``same`` keeps together."""
    if node.since is None and not is_negated(node):
        return YES if is_completed(node, kept) else Answer(False)
    return within_any((_true_in(node, at) for at in good_starts(node, kept)), now)


def is_negated(node: Sequence_) -> bool:
    return node.steps[-1].negated


def is_completed(node: Sequence_, kept: Iterable[Match]) -> bool:
    return next(good_starts(node, kept), None) is not None


def good_starts(node: Sequence_, kept: Iterable[Match]) -> Iterator[int]:
    """Times of first steps that good chains begin with, by what is known."""
    for moments in _by_key(kept):
        for place, (at, events) in enumerate(moments):
            firsts = [tie for tie, steps in events.items() if 0 in steps]
            if firsts:
                near = _near(node, moments, place)
                if any(_is_good(node, near, tie) for tie in firsts):
                    yield at


def _true_in(node: Sequence_, start: int) -> Interval:
    begins = start + node.within if is_negated(node) else start
    ends = None if node.since is None else start + node.since
    return begins, ends


def _by_key(kept: Iterable[Match]) -> list[list[Moment]]:
    groups: dict[Any, dict[int, dict[str, set[int]]]] = {}
    for match in kept:
        groups.setdefault(match.key, {}).setdefault(match.at, {}).setdefault(match.tie, set()).add(match.step)
    return [
        [(at, {tie: frozenset(steps) for tie, steps in group[at].items()}) for at in sorted(group)]
        for group in groups.values()
    ]


def _near(node: Sequence_, moments: Sequence[Moment], place: int) -> list[Moment]:
    until = moments[place][0] + node.within
    return list(takewhile(lambda moment: moment[0] <= until, islice(moments, place, None)))


def _is_good(node: Sequence_, near: Sequence[Moment], first: str) -> bool:
    """Whether the match ``first`` of the first moment begins a good chain."""
    others = {tie: steps for tie, steps in near[0][1].items() if tie != first}
    near = [(near[0][0], others), *near[1:]]
    if is_negated(node):
        return _is_good_negated(len(node.steps) - 1, near)
    done = 1
    for _, events in near:
        done = _advanced(done, len(node.steps), events)
    return done == len(node.steps)


def _advanced(done: int, steps: int, events: Mapping[str, frozenset[int]]) -> int:
    """Steps done after events of one time. To have done more is never worse, so only the most is followed."""
    taken: dict[str, int] = {}
    while done < steps and _take(done, events, taken, set()):
        done += 1
    return done


def _is_good_negated(steps: int, near: Sequence[Moment]) -> bool:
    """``steps`` positive ones, the first of which is done; the negated one has the number ``steps``."""
    absent = steps
    latest = max((at for at, events in near if any(absent in one for one in events.values())), default=None)
    if steps == 1:
        return latest is None
    done = 1
    for at, events in near:
        if (latest is None or at > latest) and _covers(range(min(done, steps - 1), steps), events):
            return True
        if at == latest and _takes_absent(min(done, steps - 1), steps, events):
            return True
        done = _advanced(done, steps, events)
    return False


def _takes_absent(done: int, steps: int, events: Mapping[str, frozenset[int]]) -> bool:
    """Whether all events at the end of a chain that match the negated step can be part of the chain themselves.

    There is a choice that uses certain events and does certain steps if each of the two can be had alone
    (Mendelsohn and Dulmage 1958). Steps that could have been done before may be left for this moment.
    """
    needed = {tie: one for tie, one in events.items() if steps in one}
    for begin in range(done, 0, -1):
        wanted = range(begin, steps)
        by_step = {str(step): frozenset(n for n, tie in enumerate(needed) if step in needed[tie]) for step in wanted}
        if _covers(wanted, events) and _covers(range(len(needed)), by_step):
            return True
    return False


def _covers(wanted: Iterable[int], events: Mapping[str, frozenset[int]]) -> bool:
    """Whether all that is wanted can be had from different events."""
    taken: dict[str, int] = {}
    return all(_take(one, events, taken, set()) for one in wanted)


def _take(wanted: int, events: Mapping[str, frozenset[int]], taken: dict[str, int], tried: set[str]) -> bool:
    """One more of a matching, those before moved where that helps (Kuhn)."""
    for tie, offers in events.items():
        if wanted in offers and tie not in tried:
            tried.add(tie)
            if tie not in taken or _take(taken[tie], events, taken, tried):
                taken[tie] = wanted
                return True
    return False
