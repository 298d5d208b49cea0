"""Small builders for the values that stores are tested with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from leocdp.domain.decisions import (
    Changes,
    EventWrite,
    ItemOutcome,
    MergeRecord,
    OutboxRecord,
    Owner,
    OwnerWrite,
)
from leocdp.domain.events import Address, Envelope, Outcome, SourceFacts, profile_id_for
from leocdp.domain.profiles.state import IdentifierCell, Person, Profile, Register, State
from leocdp.ports.profile_store import PositionKey, PositionMove

T0: Final = 1_790_000_000_000
"""A moment in September 2026; times of the tests count from it."""
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
SOURCE: Final = "src-web"
LOG: Final = "log-1"
TOPIC: Final = "leocdp.events.accepted.v1"


def address(offset: int = 0, item: int = 0) -> Address:
    return Address(TOPIC, 0, offset, item)


def profile_id(number: int) -> str:
    """Ids that sort by number."""
    return profile_id_for(SOURCE, f"person-{number}", T0 + number)


def event(message_id: str, at: int = T0, *, source: str = SOURCE, **fields: Any) -> Envelope:
    """A track event ``Product Viewed``, received and happened at ``at``."""
    given: dict[str, Any] = {
        "message_id": message_id,
        "type": "track",
        "name": "Product Viewed",
        "source": SourceFacts(source),
        "protocol": "segment",
        "received_at": at,
        "timestamp": at,
        "address": address(),
    }
    return Envelope(**{**given, **fields})


def state(
    *keys: str,
    name: str = "",
    first_seen: int = T0,
    last_seen: int = T0,
    total: int = 1,
    labels: Iterable[str] = (),
    traits: Mapping[str, Any] | None = None,
) -> State:
    """A state with these identifiers."""
    values = {**({"name": name} if name else {}), **(traits or {})}
    return State(
        traits={trait: Register(value, first_seen, "m-trait", SOURCE) for trait, value in values.items()},
        total=total,
        by_type={"track": total} if total else {},
        by_name={"Product Viewed": total} if total else {},
        first_seen=first_seen,
        last_seen=last_seen,
        labels={label: Register(True, first_seen, "m-label", SOURCE) for label in labels},
        identifiers={key: IdentifierCell(first_seen, last_seen, SOURCE, "m-first") for key in keys},
    )


def person(number: int, *keys: str, **fields: Any) -> Changes:
    """A new person with identifiers that it claims, and no events."""
    own = profile_id(number)
    profile = Profile(own, T0 + number, state(*keys, **fields))
    return Changes(profiles=[profile], owners=[OwnerWrite(key, Owner(own)) for key in keys], names_changed={own})


def changed(profile: Profile, new: State | None = None, **fields: Any) -> Changes:
    """A loaded profile with another state or other fields, its name and identifiers counted as changed."""
    after = replace(profile, state=new or profile.state, **fields)
    return Changes(profiles=[after], names_changed={profile.id} if after.merged_into is None else set())


def together(*parts: Changes) -> Changes:
    """All of it in one commit."""
    whole = Changes()
    for part in parts:
        for name in whole.__dataclass_fields__:
            into, more = getattr(whole, name), getattr(part, name)
            setattr(whole, name, into + more if isinstance(into, list) else into | more)
    return whole


def merge(into: Profile, source: Profile, united: State, at: int = T0, record: str = "") -> Changes:
    """One root into another, as a decision does it: a pointer, the fold of both at the root, and the record of it."""
    leaves = tuple(sorted({*into.leaf_ids, *source.leaf_ids}))
    root = replace(into, person=Person(united, leaves, into.counted_merges + 1))
    gone = replace(source, merged_into=into.id, root=into.id, person=None)
    written = MergeRecord(record or f"mrg-{source.id}", at, "event", "", into.id, source.id, "m-merge", "email:a@x.vn")
    return Changes(profiles=[root, gone], merges=[written], names_changed={root.id})


def unmerge(root: Profile, gone: Profile, record: MergeRecord, at: int = T0) -> Changes:
    """The inverse for two leaves: each is a root of its own state again."""
    apart = [replace(root, person=None), replace(gone, merged_into=None, root=gone.id, person=None)]
    undone = replace(record, undone_at=at, undone_by="usr-1")
    return Changes(profiles=apart, merges=[undone], names_changed={root.id, gone.id})


def applied(leaf: str | None, *events: Envelope) -> Changes:
    return Changes(events=[EventWrite(one, leaf) for one in events])


def problem(outcome: Outcome | str, number: int, at: int = T0, **fields: Any) -> ItemOutcome:
    given: dict[str, Any] = {
        "outcome": outcome,
        "reason": "unreadable",
        "at": at,
        "address": address(number),
        "source_id": SOURCE,
        "message_id": f"p-{number}",
        "payload": '{"a": 1}',
        "replay": b"record-%d" % number if outcome == Outcome.DEAD_LETTERED else b"",
    }
    return ItemOutcome(**{**given, **fields})


def announcement(number: int, profile: str = "") -> OutboxRecord:
    own = profile or profile_id(number)
    return OutboxRecord(f"out-{number}", "leocdp.profiles.changed.v1", "profile.changed", own, (own,), 1, "event", T0)


def position(partition: int = 0, log: str = LOG, topic: str = TOPIC) -> PositionKey:
    return PositionKey(log, topic, partition)


def move(old: int | None, new: int, partition: int = 0, log: str = LOG) -> PositionMove:
    return PositionMove(position(partition, log), old, new)
