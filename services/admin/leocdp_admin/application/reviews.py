"""Pairs of profiles that a person should look at."""

from __future__ import annotations

from typing import Literal

from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import ProfileReader
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.commands import Commands
from leocdp_admin.application.identity_shape import short_identifier
from leocdp_admin.application.masking import masked
from leocdp_admin.application.shapes.administration import CommandShape
from leocdp_admin.application.shapes.base import ListOf, moment
from leocdp_admin.application.shapes.identity import ReviewsAsked, ReviewShape
from leocdp_admin.application.trail import AuditTrail


class Reviews:
    def __init__(self, reader: ProfileReader, commands: Commands, trail: AuditTrail, clock: Clock) -> None:
        self._reader = reader
        self._commands = commands
        self._trail = trail
        self._clock = clock

    async def list(self, actor: Actor, asked: ReviewsAsked) -> ListOf[ReviewShape]:
        """Newest first."""
        actor.require("profiles:read")
        page = await self._reader.reviews(state=asked.state, limit=asked.limit, cursor=asked.cursor)
        await self._trail.record(actor.did("review.list", at=self._clock.now(), count=len(page.data)))
        rows = [
            ReviewShape(
                id=row.id,
                at=moment(row.at),
                left=row.left,
                right=row.right,
                reason=row.reason,
                identifier=short_identifier(row.identifier),
                state=row.state,
            )
            for row in page.data
        ]
        return masked(ListOf[ReviewShape](data=rows, next=page.next), actor)

    async def dismiss(self, actor: Actor, review_id: str) -> CommandShape:
        """They are two people."""
        return await self._set(actor, review_id, "rejected", "review.dismiss")

    async def reopen(self, actor: Actor, review_id: str) -> CommandShape:
        return await self._set(actor, review_id, "open", "review.reopen")

    async def _set(self, actor: Actor, review_id: str, state: Literal["rejected", "open"], action: str) -> CommandShape:
        actor.require("profiles:write")
        content = {"id": review_id, "state": state}
        return await self._commands.submit(actor, "review", content, action=action, target=review_id)
