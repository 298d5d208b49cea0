"""Values of the domain as documents, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from leocdp.adapters.arango.keys import hashed, number_key
from leocdp.contracts.stored_event import complete_body, event_body
from leocdp.domain.decisions import (
    Changes,
    EventWrite,
    ItemOutcome,
    MergeRecord,
    OutboxRecord,
    RefusalRecord,
    SwitchRecord,
)
from leocdp.domain.events import dedup_key
from leocdp.domain.profiles.counting import DEAD
from leocdp.domain.profiles.state import Person, Profile, State
from leocdp.domain.segments.audience import Audience
from leocdp.ports.profile_reader import ProblemEvent, StoredEvent

Document = dict[str, Any]
Stored = Mapping[str, Any]
Record = MergeRecord | SwitchRecord | RefusalRecord


def profile_of(stored: Stored) -> Profile:
    """Raises msgspec.ValidationError for a document of another form."""
    person, audience = stored["person"], stored.get("audience")
    return Profile(
        stored["_key"],
        stored["created_at"],
        msgspec.convert(stored["state"], State),
        stored["revision"],
        stored["merged_into"],
        stored["root"],
        None if person is None else msgspec.convert(person, Person),
        None if audience is None else msgspec.convert(audience, Audience),
    )


def event_document(write: EventWrite, number: int) -> Document:
    event = write.envelope
    return {
        "_key": number_key(number),
        "seq": number,
        "leaf": write.leaf,
        "timestamp": event.timestamp,
        "received_at": event.received_at,
        "original_timestamp": event.original_timestamp,
        "sent_at": event.sent_at,
        "type": event.type,
        "name": event.name,
        "source": event.source.id,
        "protocol": event.protocol,
        "message_id": event.message_id,
        "anonymous_id": event.anonymous_id,
        "user_id": event.user_id,
        "body": msgspec.Raw(event_body(event)),
    }


def event_id(stored: Stored) -> str:
    """The id of a stored event, as ``Envelope.event_id`` made it: it is not stored."""
    key = dedup_key(stored["source"], stored["message_id"])
    return f"evt_{stored['received_at']:012x}{key[:8].hex()}"


def stored_event(stored: Stored) -> StoredEvent:
    return StoredEvent(
        id=event_id(stored),
        message_id=stored["message_id"],
        type=stored["type"],
        name=stored["name"],
        timestamp=stored["timestamp"],
        received_at=stored["received_at"],
        original_timestamp=stored["original_timestamp"],
        sent_at=stored["sent_at"],
        source=stored["source"],
        protocol=stored["protocol"],
        leaf=stored["leaf"],
        anonymous_id=stored["anonymous_id"],
        user_id=stored["user_id"],
        body=complete_body(stored["body"]),
    )


def outbox_document(record: OutboxRecord, number: int, owner: str, stored_at: int) -> Document:
    """``owner``: who has committed it, and so publishes it."""
    return {
        "_key": number_key(number),
        "seq": number,
        "owner": owner,
        "stored_at": stored_at,
        "profile": record.profile_id,
        "record": msgspec.to_builtins(record),
    }


def problem_document(one: ItemOutcome, number: int) -> Document:
    return {
        "_key": number_key(number),
        "num": number,
        "dead": one.outcome == DEAD,
        "outcome": str(one.outcome),
        "reason": one.reason,
        "at": one.at,
        "topic": one.address.topic,
        "partition": one.address.partition,
        "offset": one.address.offset,
        "item": one.address.item,
        "source": one.source_id,
        "message_id": one.message_id,
        "type": one.type,
        "name": one.name,
        "error": one.error,
        "profile": one.profile_id,
        "payload": one.payload,
        "replayed_at": None,
        "replay": b64encode(one.replay).decode(),
    }


def problem_event(stored: Stored) -> ProblemEvent:
    return ProblemEvent(
        id=str(stored["num"]),
        outcome=stored["outcome"],
        reason=stored["reason"],
        at=stored["at"],
        topic=stored["topic"],
        partition=stored["partition"],
        offset=stored["offset"],
        index=stored["item"],
        source=stored["source"],
        message_id=stored["message_id"],
        type=stored["type"],
        name=stored["name"],
        error=stored["error"],
        payload=stored["payload"],
        replayed_at=stored["replayed_at"],
    )


def replay_record(stored: Stored) -> bytes:
    return b64decode(stored["replay"])


def history_key(kind: str, record_id: str) -> str:
    return f"{kind}-{hashed(record_id)}"


def history_documents(changes: Changes) -> list[Document]:
    """Each record once: a later one of a commit replaces an earlier one of the same id."""
    found: dict[str, Document] = {}
    for merge in changes.merges:
        _note(found, "merge", merge, (merge.into, merge.source))
    for switch in changes.switches:
        _note(found, "switch", switch, (switch.from_leaf, switch.to_leaf))
    for refusal in changes.refusals:
        _note(found, "refusal", refusal, (refusal.owner, refusal.leaf))
    return list(found.values())


def _note(found: dict[str, Document], kind: str, record: Record, leaves: Iterable[str | None]) -> None:
    key = history_key(kind, record.id)
    found[key] = {
        "_key": key,
        "kind": kind,
        "id": record.id,
        "at": record.at,
        "leaves": sorted({leaf for leaf in leaves if leaf}),
        "body": msgspec.to_builtins(record),
    }
