"""Conditions on what is known of a person besides events: each says what value it sees, and whether it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from leocdp.domain.profiles.consent import person_consent
from leocdp.domain.profiles.listing import status_of
from leocdp.domain.profiles.state import Register, State
from leocdp.domain.segments.answers import Answer
from leocdp.domain.segments.audience import list_label
from leocdp.domain.segments.nodes import (
    Bucket,
    Consent,
    Everyone,
    Fact,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    Path,
    Reachable,
    Score,
    Stage,
    StateNode,
    Status,
    Trait,
)
from leocdp.domain.segments.scores import answer_score, value_at
from leocdp.domain.segments.subject import Setting, Subject
from leocdp.domain.segments.values import answer_values, bucket_of, found, is_there

CHANNELS: Final = {"email": "email", "phone": "phone", "push": "push_token"}
"""Channel → kind of identifier that is a contact of it."""
REACH_PURPOSE: Final = "marketing"
_REGISTERS: Final = {
    "place": ("lasts", "place"),
    "device": ("lasts", "device"),
    "touch_first": ("firsts", "touch"),
    "touch_last": ("lasts", "touch"),
}


def answer_state(node: StateNode | Everyone, subject: Subject, now: int, setting: Setting) -> Answer:
    if isinstance(node, Trait):
        return answer_values(node.test, trait_values(subject, node.path), now, setting.zone)
    if isinstance(node, Fact):
        return answer_values(node.test, fact_values(subject, node), now, setting.zone)
    if isinstance(node, Score):
        return answer_score(node.test, subject.scores.get(node.name), now)
    return Answer(_HOLDS[type(node)](node, subject))


def seen_by(node: StateNode | Everyone, subject: Subject, now: int) -> Any:
    """The value that the condition looked at; None where there is none. Of several values it is a list."""
    if isinstance(node, Trait | Fact):
        values = trait_values(subject, node.path) if isinstance(node, Trait) else fact_values(subject, node)
        return values[0] if len(values) == 1 else list(values) or None
    if isinstance(node, Score):
        score = subject.scores.get(node.name)
        return 0.0 if score is None else value_at(score, now)
    seen = _SEEN.get(type(node))
    return None if seen is None else seen(node, subject)


def trait_values(subject: Subject, path: Path) -> Sequence[Any]:
    """A computed trait wins over one that was sent under the same name."""
    known: dict[str, Any] = {}
    for name in {".".join(path), path[0] if path else ""}:
        value = subject.computed.get(name)
        register = subject.state.traits.get(name)
        known[name] = value if is_there(value) or register is None else register.value
    return found(known, path)


def fact_values(subject: Subject, node: Fact) -> Sequence[Any]:
    part, name = _REGISTERS[node.register]
    registers: Mapping[str, Register] = getattr(subject.state, part)
    register = registers.get(name)
    value = None if register is None else register.value
    return found(value, (node.field,)) if isinstance(value, Mapping) else ()


def is_labelled(state: State, label: str) -> bool:
    register = state.labels.get(label)
    return register is not None and bool(register.value)


def identifier_keys(state: State, kind: str) -> list[str]:
    """Keys of a kind that are not *shared*; ``social`` is every ``social:<provider>``."""
    return [key for key, cell in state.identifiers.items() if cell.state != "shared" and _is_of(key, kind)]


def identifier_kinds(state: State) -> set[str]:
    """The kinds for which :func:`identifier_keys` finds a key."""
    kinds: set[str] = set()
    for key, cell in state.identifiers.items():
        if cell.state != "shared":
            head, _, rest = key.partition(":")
            if head == "social":
                kinds.update((head, f"social:{rest.partition(':')[0].partition('@')[0]}"))
            else:
                kinds.add(head.partition("@")[0])
    return kinds


def contact_keys(state: State, channel: str) -> list[str]:
    kind = CHANNELS.get(channel, channel)
    return [key for key in identifier_keys(state, kind) if state.identifiers[key].state == "active"]


def _is_of(key: str, kind: str) -> bool:
    head, _, rest = key.partition(":")
    if head == "social":
        return kind in ("social", f"social:{rest.partition(':')[0].partition('@')[0]}")
    return head.partition("@")[0] == kind


def _is_reachable(node: Reachable, subject: Subject) -> bool:
    denied = person_consent(subject.state, REACH_PURPOSE).status == "denied"
    return not denied and bool(contact_keys(subject.state, node.channel))


def _in_bucket(node: Bucket, subject: Subject) -> bool:
    return node.low <= bucket_of(node.salt, subject.id) < node.high


_HOLDS: Final[Mapping[type, Callable[[Any, Subject], bool]]] = {
    Everyone: lambda node, subject: True,
    InSegment: lambda node, subject: (node.segment in subject.segments) != node.negated,
    InList: lambda node, subject: is_labelled(subject.state, list_label(node.list)) != node.negated,
    Bucket: _in_bucket,
    Consent: lambda node, subject: person_consent(subject.state, node.purpose).status == node.state,
    HasIdentifier: lambda node, subject: bool(identifier_keys(subject.state, node.kind)) != node.negated,
    Status: lambda node, subject: status_of(subject.state) == node.state,
    Reachable: _is_reachable,
    Stage: lambda node, subject: (subject.stage in node.stages) != node.negated,
    Label: lambda node, subject: is_labelled(subject.state, node.label) != node.negated,
}
_SEEN: Final[Mapping[type, Callable[[Any, Subject], Any]]] = {
    InSegment: lambda node, subject: node.segment in subject.segments,
    InList: lambda node, subject: is_labelled(subject.state, list_label(node.list)),
    Bucket: lambda node, subject: bucket_of(node.salt, subject.id),
    Consent: lambda node, subject: person_consent(subject.state, node.purpose).status,
    HasIdentifier: lambda node, subject: len(identifier_keys(subject.state, node.kind)),
    Status: lambda node, subject: status_of(subject.state),
    Reachable: lambda node, subject: len(contact_keys(subject.state, node.channel)),
    Stage: lambda node, subject: subject.stage,
    Label: lambda node, subject: is_labelled(subject.state, node.label),
}
