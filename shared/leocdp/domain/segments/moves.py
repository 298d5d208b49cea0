"""What a decision on a person's memberships consists of: rows of members, and what other systems are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from leocdp.domain.decisions import Cause, MemberWrite
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import Audience, member_key
from leocdp.domain.segments.catalogue import Catalogue, Track


@dataclass(frozen=True, slots=True)
class Why:
    """What made a membership change."""

    cause: Cause
    at: int
    """When it happened: the time of the event, the instant that a window closed at, the change of the definition."""
    origin: str
    """The item of the log, or what else made it: part of the id under which it is told."""


@dataclass(frozen=True, slots=True)
class Move:
    """A person has entered or left a segment, and other systems are told."""

    root: Profile
    segment: str
    version: int
    """0 when there is no such segment any more."""
    entered: bool
    why: Why


def own_copy(audience: Audience) -> Audience:
    """A copy whose dictionaries may be changed; node states are values."""
    return replace(
        audience,
        nodes=audience.nodes.copy(),
        members=audience.members.copy(),
        announced=audience.announced.copy(),
        computed=audience.computed.copy(),
        scores=audience.scores.copy(),
    )


def write_members(
    audience: Audience, profile_id: str, flipped: Iterable[tuple[Track, bool]], why: Callable[[Track], Why]
) -> tuple[list[MemberWrite], dict[str, Why]]:
    """Put changed answers into the audience, which is the caller's own: rows to write, and why for each segment."""
    writes: list[MemberWrite] = []
    whys: dict[str, Why] = {}
    for track, holds in flipped:
        reason = why(track)
        if holds:
            audience.members[track.key] = reason.at
        else:
            audience.members.pop(track.key, None)
        writes.append(MemberWrite(track.key, profile_id, reason.at if holds else None))
        if track.current:
            whys[track.segment] = reason
    return writes, whys


def announce(
    catalogue: Catalogue,
    audience: Audience,
    root: Profile,
    segments: Iterable[str],
    whys: Mapping[str, Why],
    otherwise: Callable[[str], Why],
) -> list[Move]:
    """Tell of those segments where the person is otherwise than was told last. The audience is the caller's own.

    So an enter and a leave inside one decision tell nothing, nor does a merge with somebody who was in the same one.
    """
    moves: list[Move] = []
    for segment in sorted(segments):
        if segment in catalogue.frozen:
            continue
        version = catalogue.versions.get(segment, 0)
        since = audience.members.get(member_key(segment, version))
        if (since is None) == (segment not in audience.announced):
            continue
        if since is None:
            del audience.announced[segment]
        else:
            audience.announced[segment] = since
        moves.append(Move(root, segment, version, since is not None, whys.get(segment) or otherwise(segment)))
    return moves
