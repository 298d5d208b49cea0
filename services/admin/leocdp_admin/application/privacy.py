"""What people may ask for: a copy of their data, to be forgotten, and that it is not used.

The requests are also admin's ledger of erasures: when the profile store no longer knows one of them, because it was
restored from before it or built anew, it is issued again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any, Final

from leocdp.contracts.commands import CommandKind
from leocdp.contracts.topics import COMMANDS
from leocdp.domain.decisions import CommandOutcome
from leocdp.domain.privacy.erasure import ledger_of
from leocdp.domain.privacy.ledger import ErasureKey
from leocdp.domain.profiles.state import Profile
from leocdp.kit.logs import get_logger
from leocdp.ports.admin_store import AdminStore, PrivacyRow
from leocdp.ports.clock import Clock
from leocdp.ports.event_log import EventLog
from leocdp.ports.profile_reader import ProfileReader
from leocdp_admin.application.actor import SYSTEM, Actor
from leocdp_admin.application.commands import Commands, new_command_id
from leocdp_admin.application.errors import Conflict, NotFound, NotNow
from leocdp_admin.application.memberships import Memberships
from leocdp_admin.application.personal_data import export
from leocdp_admin.application.refs import not_found, parse_ref
from leocdp_admin.application.settings_in_force import SettingsInForce
from leocdp_admin.application.shapes.base import ListOf, moment, moment_or_none
from leocdp_admin.application.shapes.privacy import PrivacyAsked, PrivacyListAsked, PrivacyRequestShape
from leocdp_admin.application.trail import AuditTrail

logger = get_logger(__name__)

SETTLE_MS: Final = 60_000
"""A command that was issued so recently may still be on its way."""
_SWITCHES: Final = 100_000
_PAGE: Final = 200


class Privacy:
    """``key`` None: nobody can be erased, see the setting ``LEOCDP_ERASURE_KEY``."""

    def __init__(
        self,
        reader: ProfileReader,
        commands: Commands,
        settings: SettingsInForce,
        memberships: Memberships,
        store: AdminStore,
        log: EventLog,
        trail: AuditTrail,
        clock: Clock,
        *,
        key: ErasureKey | None,
    ) -> None:
        self._reader = reader
        self._commands = commands
        self._settings = settings
        self._memberships = memberships
        self._store = store
        self._log = log
        self._trail = trail
        self._clock = clock
        self._key = key

    @property
    def can_erase(self) -> bool:
        """Whether this installation has the secret that erased people are remembered with."""
        return self._key is not None

    async def ask(self, actor: Actor, asked: PrivacyAsked) -> PrivacyRequestShape:
        """Carry out a request; waits some seconds for the processor, and is *pending* when it takes longer.

        Raises NotFound (``profile_not_found``), Conflict (``no_erasure_key``), Unacceptable.
        """
        actor.require("privacy:write")
        root = await self._find(actor, asked.ref)
        if asked.kind == "access":
            return _shape(await self._access(actor, root))
        if asked.kind == "objection":
            return _shape(await self._object(actor, root))
        return _shape(await self._erase(actor, root))

    async def get(self, actor: Actor, request_id: str) -> PrivacyRequestShape:
        """Raises NotFound (``privacy_request_not_found``)."""
        return _shape(await self._row(actor, request_id))

    async def list(self, actor: Actor, asked: PrivacyListAsked) -> ListOf[PrivacyRequestShape]:
        """Newest first."""
        actor.require("privacy:read", "privacy:write")
        before = await self._place(asked.cursor)
        rows = await self._store.privacy_requests(kind=asked.kind or "", limit=asked.limit + 1, before=before)
        shown = [_shape(await self._settled(row)) for row in rows[: asked.limit]]
        return ListOf[PrivacyRequestShape](data=shown, next=shown[-1].id if len(rows) > asked.limit else None)

    async def export(self, actor: Actor, request_id: str) -> AsyncIterator[bytes]:
        """All that is known now of the person of an access request, as one JSON document in pieces."""
        actor.require("privacy:write")
        row = await self._row(actor, request_id)
        root = await self._reader.find(row.profile_id) if row.kind == "access" else None
        if root is None:
            raise NotFound("export_not_found", "There is no copy: the request is no access, or the person is gone.")
        now = self._clock.now()
        await self._trail.record(actor.did("privacy.export", root.id, at=now, request=row.id))
        rules, purposes = await self._settings.identity_rules(), await self._settings.purposes()
        return export(self._reader, root, rules, purposes, self._memberships, now)

    # Requests

    async def _access(self, actor: Actor, root: Profile) -> PrivacyRow:
        """Nothing is copied now: a copy that lies about would be one more to erase."""
        row = self._new(actor, "access", root)
        receipt = {"export": f"/api/v1/privacy/requests/{row.id}/export"}
        row = replace(row, state="done", done_at=row.created_at, receipt=receipt)
        await self._store.put_privacy_request(row, audit=[actor.did("privacy.access", root.id, at=row.created_at)])
        return row

    async def _object(self, actor: Actor, root: Profile) -> PrivacyRow:
        row = self._new(actor, "objection", root)
        purposes = list(await self._settings.purposes())
        row = replace(row, command_id=new_command_id(), receipt={"purposes": purposes})
        content = {"profile": root.id, "consents": dict.fromkeys(purposes, "denied")}
        return await self._carry_out(actor, row, "consent", content)

    async def _erase(self, actor: Actor, root: Profile) -> PrivacyRow:
        if self._key is None:
            raise Conflict(
                "no_erasure_key",
                "LEOCDP_ERASURE_KEY is not set, and without it nobody could be kept away after an erasure. "
                "Set the same secret on admin and processors.",
            )
        row = self._new(actor, "erasure", root)
        ledger = await self._ledger(root, row.created_at, self._key)
        row = replace(row, command_id=new_command_id(), ledger=ledger)
        return await self._carry_out(actor, row, "erase", {"profile": root.id, **ledger})

    async def _ledger(self, root: Profile, at: int, key: ErasureKey) -> dict[str, Any]:
        """As the command has it. The processor may know more by then; its receipt tells."""
        leaves = await self._reader.leaves(root.id)
        history = await self._reader.identity_history(root.leaf_ids, limit=_SWITCHES)
        spells = ledger_of(leaves, history.switches, at)
        hashes = {key.hash(identifier): [list(spell) for spell in found] for identifier, found in spells.items()}
        return {"hashes": hashes, "key": key.fingerprint, "at": at}

    async def _carry_out(
        self, actor: Actor, row: PrivacyRow, kind: CommandKind, content: Mapping[str, Any]
    ) -> PrivacyRow:
        """Written down before it is issued, so that whatever happens in between it is issued in the end."""
        entry = actor.did(f"privacy.{row.kind}", row.profile_id, at=row.created_at, request=row.id)
        await self._store.put_privacy_request(row)
        try:
            await self._commands.issue(actor, kind, content, entry, row.command_id)
        except NotNow as error:
            if row.kind != "erasure":
                await self._store.put_privacy_request(
                    replace(row, state="refused", reason="log_unavailable", done_at=row.created_at, receipt={})
                )
                raise
            logger.warning("an erasure waits for the log", request=row.id, reason=str(error))
            return row
        return await self._settle(row, await self._commands.outcome(row.command_id))

    # Outcomes

    async def _row(self, actor: Actor, request_id: str) -> PrivacyRow:
        actor.require("privacy:read", "privacy:write")
        row = await self._store.privacy_request(request_id)
        if row is None:
            raise NotFound("privacy_request_not_found", "There is no privacy request with this id.")
        return await self._settled(row)

    async def _settled(self, row: PrivacyRow) -> PrivacyRow:
        if row.state != "pending" or not row.command_id:
            return row
        return await self._settle(row, await self._reader.command(row.command_id))

    async def _settle(self, row: PrivacyRow, outcome: CommandOutcome | None) -> PrivacyRow:
        """Write down what became of the command, once it is known."""
        if outcome is None:
            return row
        if outcome.state == "refused":
            settled = replace(row, state="refused", reason=outcome.reason, done_at=outcome.at)
        elif row.kind == "erasure":
            settled = _erased(row, outcome)
        else:
            settled = replace(row, state="done", done_at=outcome.at)
        await self._store.put_privacy_request(settled)
        return settled

    # After a restore

    async def reconcile(self) -> bool:
        """Issue erasures again that the profile store does not know (any more). False: it cannot be told yet.

        Raises StoreUnavailable, LogError, AdminStoreError.
        """
        if not await self._commands_are_read():
            return False
        told = True
        before: tuple[int, str] | None = None
        while rows := await self._store.privacy_requests(kind="erasure", limit=_PAGE, before=before):
            for row in rows:
                told = await self._issue_again(row) and told
            before = rows[-1].created_at, rows[-1].id
        return told

    async def _commands_are_read(self) -> bool:
        """While the processor has not come to the end, a command without an outcome may still get one."""
        positions = await self._reader.positions()
        bounds = await self._log.bounds(COMMANDS)
        return all(positions.get((COMMANDS, number), 0) >= bound.end for number, bound in bounds.items())

    async def _issue_again(self, row: PrivacyRow) -> bool:
        """False: the store does not know it, and it is too early to say that it has forgotten it."""
        if row.state == "refused":
            return True
        outcome = await self._reader.command(row.command_id)
        if outcome is not None:
            if row.state == "pending":
                await self._settle(row, outcome)
            return True
        now = self._clock.now()
        if now - row.issued_at < SETTLE_MS:
            return False
        logger.warning("the profile store does not know an erasure: it is issued again", request=row.id)
        again = replace(row, state="pending", command_id=new_command_id(), issued_at=now)
        await self._carry_out(SYSTEM, again, "erase", {"profile": row.profile_id, **row.ledger})
        return True

    # Small things

    def _new(self, actor: Actor, kind: Any, root: Profile) -> PrivacyRow:
        now = self._clock.now()
        return PrivacyRow(
            id=f"prv_{token_hex(16)}",
            kind=kind,
            state="pending",
            profile_id=root.id,
            actor=actor.audit_id,
            created_at=now,
            issued_at=now,
        )

    async def _find(self, actor: Actor, ref: str) -> Profile:
        root = await self._reader.find(parse_ref(ref, await self._settings.identity_rules(), actor))
        if root is None:
            raise not_found()
        return root

    async def _place(self, cursor: str | None) -> tuple[int, str] | None:
        if cursor is None:
            return None
        row = await self._store.privacy_request(cursor)
        if row is None:
            raise NotFound("privacy_request_not_found", "`cursor` must be `next` of the page before.")
        return row.created_at, row.id


def _erased(row: PrivacyRow, outcome: CommandOutcome) -> PrivacyRow:
    """The receipt is that of the first time: what was issued again after a restore found less, or nothing."""
    result = dict(outcome.result)
    ledger = {**row.ledger, "hashes": {**row.ledger.get("hashes", {}), **result.pop("hashes", {})}}
    result.pop("key", None)
    receipt = {**result, **row.receipt}
    if row.receipt:
        receipt["issued_again_at"] = moment(outcome.at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    done_at = outcome.at if row.done_at is None else row.done_at
    return replace(row, state="done", done_at=done_at, receipt=receipt, ledger=ledger)


def _shape(row: PrivacyRow) -> PrivacyRequestShape:
    return PrivacyRequestShape(
        id=row.id,
        kind=row.kind,
        state=row.state,
        profile_id=row.profile_id,
        created_at=moment(row.created_at),
        done_at=moment_or_none(row.done_at),
        reason=row.reason or None,
        command_id=row.command_id or None,
        # Of an erasure that is issued again the first receipt stands.
        receipt=dict(row.receipt) if row.state == "done" or row.done_at is not None else None,
    )
