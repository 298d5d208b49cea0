"""From the state of a profile to its public shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from leocdp.domain.identity.identifiers import DEFAULT_SPACE, Identifier, parse_key
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.listing import display_name, labels_of, status_of
from leocdp.domain.profiles.state import ConsentCell, IdentifierCell, Profile, State
from leocdp.domain.segments.audience import Audience
from leocdp.ports.profile_reader import ProfileHit
from leocdp_admin.application.shapes.base import moment, moment_or_none
from leocdp_admin.application.shapes.profiles import (
    ConsentShape,
    ConsentStatus,
    EventCounts,
    EventTotal,
    IdentifierShape,
    ProfileRow,
    ProfileShape,
    ScoreShape,
    SegmentOf,
    ShortIdentifier,
    TraitOrigin,
)

COMPUTED: Final = "computed"
"""The source of traits that follow from events."""

IdentifierState = Literal["active", "former", "shared", "retired"]


def profile_shape(
    root: Profile,
    rules: IdentityRules,
    purposes: Sequence[str],
    segments: Sequence[SegmentOf] = (),
    scores: Sequence[ScoreShape] = (),
    *,
    provenance: bool = False,
) -> ProfileShape:
    """Computed traits stand among the others, and win where two have one name."""
    state = root.folded
    audience = root.audience or Audience()
    present = {name: cell for name, cell in sorted(state.traits.items()) if cell.value is not None}
    origins = {name: TraitOrigin(source=cell.source, updated_at=moment(cell.at)) for name, cell in present.items()}
    computed_at = moment(root.created_at if state.last_seen is None else state.last_seen)
    origins |= {name: TraitOrigin(source=COMPUTED, updated_at=computed_at) for name in audience.computed}
    return ProfileShape(
        id=root.id,
        merged_ids=[leaf for leaf in root.leaf_ids if leaf != root.id],
        status=status_of(state),
        name=display_name(state.traits),
        first_seen=moment_or_none(state.first_seen),
        last_seen=moment_or_none(state.last_seen),
        identifiers=identifier_shapes(state, rules),
        traits={name: cell.value for name, cell in present.items()} | audience.computed,
        events=EventCounts(total=state.total, by_name=dict(state.by_name), by_type=dict(state.by_type)),
        consents=consent_shapes(state, purposes),
        labels=list(labels_of(state)),
        segments=list(segments),
        stage=audience.stage or None,
        scores={one.score: one.value for one in scores},
        provenance=origins if provenance else None,
    )


def profile_row(hit: ProfileHit) -> ProfileRow:
    return ProfileRow(
        id=hit.id,
        status="identified" if hit.status == "identified" else "anonymous",
        name=hit.name,
        first_seen=moment(hit.first_seen),
        last_seen=moment(hit.last_seen),
        identifiers=[ShortIdentifier(kind=kind, value=value) for kind, value in hit.identifiers],
        events=EventTotal(total=hit.events),
        labels=list(hit.labels),
    )


def identifier_shapes(state: State, rules: IdentityRules) -> list[IdentifierShape]:
    """In resolution order."""
    states = identifier_states(state.identifiers, rules)
    parsed = sorted(((parse_key(key), key) for key in state.identifiers), key=lambda pair: rules.order(pair[0]))
    return [identifier_shape(identifier, state.identifiers[key], states[key]) for identifier, key in parsed]


def identifier_shape(identifier: Identifier, cell: IdentifierCell, state: IdentifierState) -> IdentifierShape:
    return IdentifierShape(
        kind=identifier.kind,
        value=identifier.value,
        id_space=identifier.space or DEFAULT_SPACE,
        state=state,
        first_seen=moment(cell.first_seen),
        last_seen=moment(cell.last_seen),
        source=cell.source,
        verified=cell.verified,
    )


def identifier_states(cells: Mapping[str, IdentifierCell], rules: IdentityRules) -> dict[str, IdentifierState]:
    """Key → state. *Retired* follows from the rules: of a rolling kind all but the most recently seen."""
    states: dict[str, IdentifierState] = {key: _stored(cell) for key, cell in cells.items()}
    rolling: dict[str, list[str]] = defaultdict(list)
    for key, state in states.items():
        kind = parse_key(key).kind
        if state == "active" and rules.kind(kind).rolling:
            rolling[kind].append(key)
    for kind, keys in rolling.items():
        keys.sort(key=lambda key: (-cells[key].last_seen, key))
        for key in keys[rules.kind(kind).limit :]:
            states[key] = "retired"
    return states


def _stored(cell: IdentifierCell) -> IdentifierState:
    if cell.state == "shared":
        return "shared"
    return "former" if cell.state == "former" else "active"


def consent_shapes(state: State, purposes: Sequence[str]) -> dict[str, ConsentShape]:
    """Every purpose of the workspace and every one that was ever told about."""
    named = [*purposes, *sorted(set(state.consents) - set(purposes))]
    return {purpose: _consent(state.consents.get(purpose, {}).values()) for purpose in named}


def _consent(cells: Iterable[ConsentCell]) -> ConsentShape:
    """Denied when the latest word on any identifier is denied; granted when some are granted and none denied."""
    listed = list(cells)
    deciding = [cell for cell in listed if not cell.granted] or listed
    if not deciding:
        return ConsentShape(status="unknown")
    latest = max(deciding, key=lambda cell: (cell.at, cell.source))
    status: ConsentStatus = "granted" if latest.granted else "denied"
    return ConsentShape(status=status, at=moment(latest.at), source=latest.source)
