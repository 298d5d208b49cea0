"""Scores and the funnel stage beside the answers: kept with the same audience, and asked by conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from leocdp.domain.profiles.bounds import OTHER
from leocdp.domain.profiles.state import State
from leocdp.domain.scoring.model import Scoring
from leocdp.domain.scoring.points import Scores, add
from leocdp.domain.scoring.quality import with_quality
from leocdp.domain.scoring.stages import stage_of
from leocdp.domain.segments.audience import Audience, Points
from leocdp.domain.segments.catalogue import Catalogue
from leocdp.domain.segments.subject import ScoreNow, score_now


def scores_now(catalogue: Catalogue, audience: Audience, now: int) -> Mapping[str, ScoreNow]:
    """Those that a condition asks for."""
    scoring = catalogue.scoring
    if scoring is None or not catalogue.scores:
        return {}
    return {
        name: score_now(audience.scores[name].values(), now, scoring.half_lives.get(name))
        for name in catalogue.scores
        if name in audience.scores
    }


def with_events(scores: Scores, events: Iterable[tuple[str, str | None, int]], scoring: Scoring) -> Scores:
    """``events``: (type, name, time)."""
    for type_, name, at in events:
        scores = add(scores, type_, name, at, scoring)
    return scores


def settle(audience: Audience, scores: Scores, state: State, scoring: Scoring, *, quality: bool) -> None:
    """Put scores into the audience, which is the caller's own, with what follows from them and from the state."""
    made = with_quality(scores, state, scoring) if quality else scores
    audience.scores = cast("dict[str, dict[str, Points]]", made)
    audience.stage = stage_of(made, state, scoring)


def touched_by_scores(catalogue: Catalogue, before: Audience | None, after: Audience) -> set[int]:
    """Places of the tracks whose answers may differ."""
    held = before or Audience()
    places: set[int] = set()
    for name, users in catalogue.scores.items():
        if held.scores.get(name) is not after.scores.get(name):
            places.update(users)
    if held.stage != after.stage:
        places.update(catalogue.uses.get("stage", ()))
    return places


def known_names(scoring: Scoring, types: frozenset[str], state: State) -> tuple[frozenset[str], frozenset[str]]:
    """Names and types of a person's events that give points. ``types``: those of which all events do."""
    names = frozenset(name for name in state.by_name if scoring.metric_of("track", name) is not None)
    if OTHER in state.by_name:
        types |= {"track"}
    return names, types & state.by_type.keys()
