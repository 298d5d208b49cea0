"""From the leaves of a person and their history to the public shape of an identity."""

from __future__ import annotations

from collections.abc import Sequence

from leocdp.domain.decisions import MergeRecord, RefusalRecord, SwitchRecord
from leocdp.domain.identity.identifiers import parse_key
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.state import Profile
from leocdp.ports.profile_reader import IdentityHistory
from leocdp_admin.application.profile_shape import identifier_shape, identifier_states
from leocdp_admin.application.shapes.base import moment, moment_or_none
from leocdp_admin.application.shapes.identity import (
    IdentityShape,
    LeafIdentifier,
    MergeShape,
    RefusalShape,
    SwitchShape,
)
from leocdp_admin.application.shapes.profiles import ShortIdentifier


def identity_shape(
    root: Profile, leaves: Sequence[Profile], history: IdentityHistory, rules: IdentityRules
) -> IdentityShape:
    linked = root.folded.cannot_link
    return IdentityShape(
        profile_id=root.id,
        identifiers=_identifiers(root, leaves, rules),
        merges=[merge_shape(record) for record in history.merges],
        switches=[_switch(record) for record in history.switches],
        refusals=[_refusal(record) for record in history.refusals],
        cannot_link=sorted(other for other, cell in linked.items() if cell.value),
    )


def _identifiers(root: Profile, leaves: Sequence[Profile], rules: IdentityRules) -> list[LeafIdentifier]:
    states = identifier_states(root.folded.identifiers, rules)
    found = [
        (parse_key(key), cell, states.get(key, "active"), leaf.id)
        for leaf in leaves
        for key, cell in leaf.state.identifiers.items()
    ]
    found.sort(key=lambda row: rules.order(row[0]))
    return [
        LeafIdentifier(
            **identifier_shape(identifier, cell, state).model_dump(), message_id=cell.message_id, leaf=leaf_id
        )
        for identifier, cell, state, leaf_id in found
    ]


def merge_shape(record: MergeRecord) -> MergeShape:
    return MergeShape(
        id=record.id,
        at=moment(record.at),
        by=record.by,
        actor=record.actor,
        into=record.into,
        from_=record.source,
        message_id=record.message_id,
        identifier=short_identifier(record.identifier),
        undone_at=moment_or_none(record.undone_at),
        undone_by=record.undone_by,
    )


def _switch(record: SwitchRecord) -> SwitchShape:
    return SwitchShape(
        at=moment(record.at),
        identifier=_short(record.identifier),
        from_=record.from_leaf,
        to=record.to_leaf,
        message_id=record.message_id,
        count=record.count,
    )


def _refusal(record: RefusalRecord) -> RefusalShape:
    return RefusalShape(
        at=moment(record.at),
        identifier=_short(record.identifier),
        owner=record.owner or None,
        reason=record.reason,
        message_id=record.message_id,
    )


def short_identifier(key: str | None) -> ShortIdentifier | None:
    return _short(key) if key else None


def _short(key: str) -> ShortIdentifier:
    identifier = parse_key(key)
    return ShortIdentifier(kind=identifier.kind, value=identifier.value)
