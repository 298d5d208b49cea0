"""The part of an applied event that stores keep as one piece: JSON of what nobody looks up by.

``{"properties", "traits", "context", "integrations", "consent", "flags", "group_id", "previous_id"}``; what is empty
is left out and read back as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from leocdp.domain.events import Envelope

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def event_body(envelope: Envelope) -> bytes:
    """JSON in UTF-8."""
    body: dict[str, Any] = {}
    if envelope.properties:
        body["properties"] = envelope.properties
    if envelope.traits:
        body["traits"] = envelope.traits
    if envelope.context:
        body["context"] = envelope.context
    if envelope.integrations:
        body["integrations"] = envelope.integrations
    if envelope.consent:
        body["consent"] = envelope.consent
    if envelope.flags:
        body["flags"] = envelope.flags
    if envelope.group_id is not None:
        body["group_id"] = envelope.group_id
    if envelope.previous_id is not None:
        body["previous_id"] = envelope.previous_id
    return _encode(body)


def decode_body(body: bytes) -> Mapping[str, Any]:
    """All parts, empty where nothing was stored."""
    return complete_body(_decode(body))


def complete_body(parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same of a body that a store has decoded itself."""
    return {
        "properties": {},
        "traits": {},
        "context": {},
        "integrations": {},
        "consent": {},
        "flags": [],
        **parts,
    }
