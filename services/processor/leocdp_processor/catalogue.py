"""The definitions in force: segments, computed traits, scoring and the time zone, kept up to date from the
configuration topic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from leocdp.contracts.config_entries import (
    ComputedTraitConfig,
    ConfigEntry,
    SegmentConfig,
    SegmentVersion,
    computed_trait_config,
    segment_config,
)
from leocdp.domain.errors import Invalid
from leocdp.domain.scoring.document import scoring_from
from leocdp.domain.scoring.seed import default_scoring
from leocdp.domain.segments.assembly import build
from leocdp.domain.segments.catalogue import Catalogue
from leocdp.domain.segments.computed import parse_computed
from leocdp.domain.segments.definitions import (
    ComputedDefinition,
    ScoringDefinition,
    SegmentDefinition,
    VersionDefinition,
)
from leocdp.domain.segments.parse import parse_condition
from leocdp.kit.logs import get_logger
from leocdp.ports.config_view import OnChange

logger = get_logger(__name__)

SEGMENT: Final = "segment"
COMPUTED: Final = "computed_trait"
WORKSPACE: Final = "workspace"
SCORING: Final = "scoring"
KINDS: Final = frozenset({SEGMENT, COMPUTED, WORKSPACE, SCORING})
"""What members and computed values follow from."""


class Announcer(Protocol):
    """Of the configuration's view: who tells of changes."""

    def on_change(self, callback: OnChange) -> None: ...


@dataclass(slots=True)
class _Known:
    """The latest definition of an entry, and since when its parts have been in force without a break."""

    entry_version: int
    definition: SegmentDefinition | ComputedDefinition
    raw: dict[int, Any]
    """Version → what it was made from; of a computed trait under 0."""


class LiveCatalogue:
    """Make it before the view is started: it has to hear of every change, deletions among them."""

    def __init__(self, view: Announcer, time_zone: str) -> None:
        self._zone: tzinfo = ZoneInfo(time_zone)
        self._default_zone = self._zone
        self._zone_since = 0
        self._scoring = ScoringDefinition(default_scoring())
        self._generation = 0
        self._known: dict[str, _Known] = {}
        self._changes = 0
        self._built: Catalogue | None = None
        view.on_change(self._take)

    @property
    def changes(self) -> int:
        """How many changes there have been: for those who wait until a burst of them is over."""
        return self._changes

    @property
    def current(self) -> Catalogue:
        if self._built is None:
            definitions = [known.definition for known in self._known.values()]
            self._built = build(
                [one for one in definitions if isinstance(one, SegmentDefinition)],
                [one for one in definitions if isinstance(one, ComputedDefinition)],
                generation=self._generation,
                zone=self._zone,
                zone_since=self._zone_since,
                scoring=self._scoring,
            )
            unordered = self._built.frozen - {
                one.id for one in definitions if isinstance(one, SegmentDefinition) and one.frozen
            }
            if unordered:
                logger.error("segments refer to each other in a circle; they stay as they are", ids=sorted(unordered))
        return self._built

    def _take(self, entry: ConfigEntry) -> None:
        if entry.kind not in KINDS:
            return
        self._changes += 1
        self._built = None
        self._generation = max(self._generation, entry.at)
        if entry.kind == WORKSPACE:
            self._take_zone(entry)
        elif entry.kind == SCORING:
            self._take_scoring(entry)
        elif entry.kind in (SEGMENT, COMPUTED):
            self._take_definition(entry)

    def _take_zone(self, entry: ConfigEntry) -> None:
        name = entry.data.get("time_zone")
        try:
            zone = self._default_zone if entry.deleted or name is None else ZoneInfo(str(name))
        except (ZoneInfoNotFoundError, ValueError) as error:
            logger.error("the time zone is not known; the former one stays", zone=str(name), problem=str(error))
            return
        if zone != self._zone:
            self._zone, self._zone_since = zone, entry.at

    def _take_scoring(self, entry: ConfigEntry) -> None:
        try:
            scoring = default_scoring() if entry.deleted else scoring_from(entry.data)
        except Invalid as error:
            logger.error("scoring is not valid; the former one stays", problem=str(error))
            return
        if scoring != self._scoring.scoring or not self._scoring.since:
            self._scoring = ScoringDefinition(scoring, entry.at)

    def _take_definition(self, entry: ConfigEntry) -> None:
        before = self._known.get(entry.key)
        if entry.deleted:
            self._known.pop(entry.key, None)
            return
        if before is not None and entry.version != before.entry_version + 1:
            before = None  # What happened between is not known: nothing has been in force without a break.
        try:
            self._known[entry.key] = _segment(entry, before) if entry.kind == SEGMENT else _computed(entry, before)
        except (Invalid, msgspec.ValidationError) as error:
            logger.error("definition is not valid; the former one stays", key=entry.key, problem=str(error))
            if entry.kind == SEGMENT and entry.key not in self._known:
                # Nothing is known of it but that its members are somebody's: they stay.
                self._known[entry.key] = _Known(entry.version, SegmentDefinition(entry.id, entry.at, frozen=True), {})


def _segment(entry: ConfigEntry, before: _Known | None) -> _Known:
    """Raises Invalid, msgspec.ValidationError."""
    config = segment_config(entry)
    current = config.current.version if config.current else None
    if config.state == "archived":
        return _Known(entry.version, SegmentDefinition(entry.id, entry.at), {})
    if config.state != "active":
        frozen = SegmentDefinition(entry.id, entry.at, frozen=True, current=current)
        return _Known(entry.version, frozen, {})
    known = before.raw if before else {}
    since = _since(before)
    versions = tuple(
        VersionDefinition(
            one.version,
            parse_condition(one.condition),
            since.get(one.version, entry.at) if known.get(one.version) == one.condition else entry.at,
            is_current,
        )
        for one, is_current in _versions(config)
    )
    definition = SegmentDefinition(entry.id, entry.at, versions, current=current)
    return _Known(entry.version, definition, {one.version: one.condition for one, _ in _versions(config)})


def _versions(config: SegmentConfig) -> Iterator[tuple[SegmentVersion, bool]]:
    if config.current:
        yield config.current, True
    if config.next and (config.current is None or config.next.version != config.current.version):
        yield config.next, False


def _computed(entry: ConfigEntry, before: _Known | None) -> _Known:
    """Raises Invalid, msgspec.ValidationError."""
    config: ComputedTraitConfig = computed_trait_config(entry)
    raw = {0: (config.trait, config.definition)}
    since = _since(before).get(0, entry.at) if before and before.raw == raw else entry.at
    return _Known(
        entry.version,
        ComputedDefinition(config.trait, parse_computed(config.definition, "definition"), since),
        raw,
    )


def _since(before: _Known | None) -> dict[int, int]:
    if before is None:
        return {}
    if isinstance(before.definition, ComputedDefinition):
        return {0: before.definition.since}
    return {one.version: one.since for one in before.definition.versions}
