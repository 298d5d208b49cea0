"""People's actions: appended to the log, applied by the processor, waited for a little while."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any

from leocdp.contracts.commands import CommandKind, CommandRecord, encode_command
from leocdp.contracts.topics import COMMANDS
from leocdp.domain.decisions import CommandOutcome
from leocdp.ports.admin_store import AdminStore, AuditEntry, IssuedCommand
from leocdp.ports.clock import Clock
from leocdp.ports.event_log import EventLog, LogError, NewRecord
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import StoreUnavailable
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.errors import Conflict, NotFound, NotNow
from leocdp_admin.application.masking import masked
from leocdp_admin.application.shapes.administration import CommandShape

_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.2


class Commands:
    def __init__(
        self,
        log: EventLog,
        reader: ProfileReader,
        store: AdminStore,
        clock: Clock,
        *,
        wait: float,
    ) -> None:
        self._log = log
        self._reader = reader
        self._store = store
        self._clock = clock
        self._wait = wait

    async def submit(
        self, actor: Actor, kind: CommandKind, content: Mapping[str, Any], *, action: str, target: str
    ) -> CommandShape:
        """Append and wait for some seconds: ``applied``, or ``pending`` when it takes longer.

        Raises Conflict (``command_refused``) when the processor says no, NotNow when the log cannot take it.
        """
        command_id = await self.issue(actor, kind, content, actor.did(action, target, at=self._clock.now()))
        outcome = await self.outcome(command_id)
        if outcome is None:
            return CommandShape(id=command_id, kind=kind, state="pending")
        if outcome.state == "refused":
            raise Conflict("command_refused", outcome.reason or "The processor refused this.")
        return _shape(outcome)

    async def hand_over(
        self, actor: Actor, kind: CommandKind, content: Mapping[str, Any], *, action: str, target: str = ""
    ) -> CommandShape:
        """Append without waiting."""
        entry = actor.did(action, target, at=self._clock.now(), count=len(content.get("ids", ())))
        command_id = await self.issue(actor, kind, content, entry)
        return CommandShape(id=command_id, kind=kind, state="pending")

    async def get(self, actor: Actor, command_id: str) -> CommandShape:
        actor.require("profiles:read", "profiles:write", "events:write", "privacy:write")
        outcome = await self._reader.command(command_id)
        if outcome is not None:
            return masked(_shape(outcome), actor)
        issued = await self._store.command(command_id)
        if issued is None:
            raise NotFound("command_not_found", "There is no command with this id.")
        return CommandShape(id=issued.id, kind=issued.kind, state="pending")

    async def issue(
        self, actor: Actor, kind: CommandKind, content: Mapping[str, Any], entry: AuditEntry, command_id: str = ""
    ) -> str:
        """Append, and return the id. Raises NotNow when the log cannot take it."""
        record = CommandRecord(
            id=command_id or new_command_id(),
            kind=kind,
            actor=actor.audit_id,
            at=self._clock.now(),
            content=dict(content),
        )
        issued = IssuedCommand(id=record.id, kind=kind, actor=record.actor, at=record.at)
        await self._store.add_command(
            issued, audit=[replace(entry, details={**entry.details, "command_id": record.id})]
        )
        try:
            await self._log.append([NewRecord(COMMANDS, 0, encode_command(record))])
        except LogError as error:
            await self._store.forget_command(record.id)
            raise NotNow(f"The event log cannot take this now: {error} Try again.", error.code) from error
        return record.id

    async def outcome(self, command_id: str) -> CommandOutcome | None:
        """Wait for it some seconds. Polls with growing pauses: the processor is another process, and the store
        has no way to call."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + self._wait, _FIRST_PAUSE_S
        while True:
            try:
                outcome = await self._reader.command(command_id)
            except StoreUnavailable:
                # It is in the log, so it will be applied: the answer is "later", not an error.
                outcome = None
            if outcome is not None or loop.time() + pause > deadline:
                return outcome
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)


def new_command_id() -> str:
    return f"cmd_{token_hex(16)}"


def _shape(outcome: CommandOutcome) -> CommandShape:
    return CommandShape(
        id=outcome.id,
        kind=outcome.kind,
        state=outcome.state,
        result=_result(outcome) if outcome.state == "applied" else None,
        reason=outcome.reason or None,
    )


def _result(outcome: CommandOutcome) -> dict[str, Any]:
    """What a client gets of it: the ledger of an erasure is for our own stores."""
    own = ("hashes", "key") if outcome.kind == "erase" else ()
    return {name: value for name, value in outcome.result.items() if name not in own}
