"""People's actions as they travel on ``leocdp.commands.v1``: JSON ``{"id", "kind", "actor", "at", "content"}``.

| kind | content | result |
|---|---|---|
| ``merge`` | ``profile`` (id), ``with`` (id) | ``merge_id``, ``into``, ``from`` |
| ``unmerge`` | ``merge_id``, ``identifier``: ``keep`` or ``shared`` | ``profiles`` [id, id] |
| ``consent`` | ``profile``, ``consents`` {purpose: ``granted`` or ``denied``} | ``profile_id`` |
| ``label`` | ``profile``, ``labels`` (all that it shall have) | ``profile_id`` |
| ``identifier_state`` | ``identifier`` (key), ``state``: ``active`` or ``shared`` | ``identifier``, ``state`` |
| ``lift_cannot_link`` | ``profile``, ``with`` | ``profile_id`` |
| ``review`` | ``id``, ``state``: ``rejected`` or ``open`` | ``id``, ``state`` |
| ``replay`` | ``ids`` of dead letters | ``replayed`` (count) |
| ``remove_source`` | ``source`` (id): whose data is removed | ``profiles``, ``events``, ``kept`` (counts) |
| ``list_add``, ``list_remove`` | ``list`` (id), ``identifiers`` (≤ 1,000 keys) | ``matched``, ``unknown`` (counts) |
| ``list_drop`` | ``list``: every member leaves it, a page of people per command | ``removed``, ``more`` |
| ``erase`` | ``profile`` (id), or what a ledger holds: ``hashes``, ``key``, ``at`` | see below |

Profiles are named by id. A command that cannot be applied is *refused* with a reason; it is never an error.

``erase``: ``hashes`` {keyed hash of an identifier: [[since, until], …]}, hashed with the secret whose fingerprint is
``key``; ``at`` (ms) is the time of the erasure where that was before the command. With both, the hashes find the person
where the profile is not known, as after a restore. The result has the counts ``profiles``, ``events``, ``identifiers``,
``history``, ``problems``, ``outbox``, and ``profile_ids``, ``at``, ``copies_until`` (the day when the last copy in log
and backups has aged out), and ``key`` and ``hashes`` of the ledger.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from leocdp.contracts.decoding import Millis, decoded

CommandKind = Literal[
    "merge",
    "unmerge",
    "consent",
    "label",
    "identifier_state",
    "lift_cannot_link",
    "review",
    "replay",
    "remove_source",
    "erase",
    "list_add",
    "list_remove",
    "list_drop",
]


class CommandRecord(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """``cmd_`` and a random part, made by who issues it; applying an id twice changes nothing."""
    kind: str
    """A :data:`CommandKind`; one of a newer version is refused as ``unknown_command``, so that who gave it is told."""
    actor: str
    """User id, ``key:<id>`` or ``cli``."""
    at: Millis
    content: dict[str, Any]


_decode = msgspec.json.Decoder(CommandRecord).decode


def encode_command(command: CommandRecord) -> bytes:
    return msgspec.json.encode(command)


def decode_command(value: bytes) -> CommandRecord:
    """Raises msgspec.MsgspecError on anything that is no command."""
    return decoded(_decode, value)
