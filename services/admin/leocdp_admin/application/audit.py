"""Reading the audit log."""

from __future__ import annotations

from leocdp.domain.errors import Problem
from leocdp.ports.admin_store import AdminStore, AuditQuery, StoredAudit
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.errors import Unacceptable
from leocdp_admin.application.shapes.administration import AuditAsked, AuditRow
from leocdp_admin.application.shapes.base import ListOf, moment, to_ms


class AuditLog:
    def __init__(self, store: AdminStore) -> None:
        self._store = store

    async def list(self, actor: Actor, asked: AuditAsked) -> ListOf[AuditRow]:
        """Newest first."""
        actor.require("admin")
        query = AuditQuery(
            actor=asked.actor,
            action=asked.action,
            target=asked.target,
            from_=None if asked.from_ is None else to_ms(asked.from_),
            to=None if asked.to is None else to_ms(asked.to),
            before=_place(asked.cursor),
            limit=asked.limit + 1,
        )
        found = await self._store.audit(query)
        rows = [_row(stored) for stored in found[: asked.limit]]
        return ListOf[AuditRow](data=rows, next=rows[-1].id if len(found) > asked.limit else None)


def _place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > 18:
        raise Unacceptable([Problem("cursor", "must be `next` of the page before")])
    return int(cursor)


def _row(stored: StoredAudit) -> AuditRow:
    entry = stored.entry
    return AuditRow(
        id=str(stored.sequence),
        at=moment(entry.at),
        actor=entry.actor,
        actor_name=entry.actor_name,
        action=entry.action,
        target=entry.target,
        client=entry.client,
        details=dict(entry.details),
    )
