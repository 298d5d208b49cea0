"""From the stored definition of a segment to its public shape."""

from __future__ import annotations

from collections.abc import Mapping

from leocdp.contracts.config_entries import ConfigEntry, SegmentConfig, SegmentVersion, segment_config
from leocdp.domain.segments.parse import parse_condition
from leocdp.domain.segments.words import describe
from leocdp_admin.application.shapes.base import moment
from leocdp_admin.application.shapes.segments import BuildShape, SegmentShape, SegmentStatus


def status_of(config: SegmentConfig) -> SegmentStatus:
    if config.state != "active":
        return config.state
    return "live" if config.current else "building"


def shown_version(config: SegmentConfig) -> SegmentVersion:
    """The condition that members follow; of a new segment the one that is being computed."""
    found = config.current or config.next
    return found or SegmentVersion(version=0, condition={"everyone": True})


def segment_shape(
    entry: ConfigEntry, *, size: int | None, building: BuildShape | None, language: str, names: Mapping[str, str]
) -> SegmentShape:
    config = segment_config(entry)
    version = shown_version(config)
    return SegmentShape(
        id=config.id,
        name=config.name,
        description=config.description,
        condition=version.condition,
        text=describe(parse_condition(version.condition), language, names),
        size=size,
        status=status_of(config),
        reason=config.reason,
        condition_version=config.current.version if config.current else 0,
        building=building,
        updated_at=moment(entry.at),
        version=entry.version,
    )
