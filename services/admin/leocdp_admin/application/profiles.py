"""People: find them, read them and their story, and act on them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from leocdp.domain.errors import Problem
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.state import Profile
from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import EventQuery, ProfileQuery, ProfileReader
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.commands import Commands
from leocdp_admin.application.errors import Unacceptable
from leocdp_admin.application.event_shape import event_shape
from leocdp_admin.application.identity_shape import identity_shape
from leocdp_admin.application.masking import masked
from leocdp_admin.application.memberships import Memberships
from leocdp_admin.application.profile_shape import profile_row, profile_shape
from leocdp_admin.application.refs import not_found, parse_ref, ref_of
from leocdp_admin.application.session_ids import session_ids
from leocdp_admin.application.settings_in_force import SettingsInForce
from leocdp_admin.application.shapes.administration import CommandShape
from leocdp_admin.application.shapes.base import ListOf, to_ms
from leocdp_admin.application.shapes.events import EventShape
from leocdp_admin.application.shapes.identity import IdentityShape
from leocdp_admin.application.shapes.profiles import (
    ConsentStatus,
    ProfileEventsAsked,
    ProfileList,
    ProfilesAsked,
    ProfileShape,
    ScoresShape,
)
from leocdp_admin.application.trail import AuditTrail

_LONGEST_LABEL = 100


class Profiles:
    def __init__(
        self,
        reader: ProfileReader,
        commands: Commands,
        settings: SettingsInForce,
        memberships: Memberships,
        trail: AuditTrail,
        clock: Clock,
    ) -> None:
        self._memberships = memberships
        self._reader = reader
        self._commands = commands
        self._settings = settings
        self._trail = trail
        self._clock = clock

    # Reading

    async def get(self, actor: Actor, ref: str, *, provenance: bool = False) -> ProfileShape:
        """Of a merged id: the survivor. Raises NotFound (``profile_not_found``), Forbidden, Unacceptable."""
        actor.require("profiles:read")
        root = await self._find(actor, ref)
        await self._read(actor, root, "profile.read")
        rules, purposes = await self._rules(), await self._settings.purposes()
        segments = await self._memberships.of(root)
        scores = await self._memberships.scores(root, actor.language)
        shape = profile_shape(root, rules, purposes, segments, scores, provenance=provenance)
        return masked(shape, actor)

    async def scores(self, actor: Actor, ref: str) -> ScoresShape:
        """The scores with what gave which points, and the funnel stage."""
        actor.require("profiles:read")
        root = await self._find(actor, ref)
        await self._read(actor, root, "profile.scores")
        return ScoresShape(
            profile_id=root.id,
            stage=await self._memberships.stage(root, actor.language),
            scores=list(await self._memberships.scores(root, actor.language)),
        )

    async def existing(self, actor: Actor, ids: Collection[str]) -> frozenset[str]:
        """Which of the profile ids still lead to somebody; tells nothing about them, so it is not in the audit log."""
        actor.require("profiles:read")
        wanted = sorted(set(ids))
        found = await asyncio.gather(*(self._reader.find(one) for one in wanted))
        return frozenset(one for one, root in zip(wanted, found, strict=True) if root is not None)

    async def lookup(
        self, actor: Actor, kind: str, value: str, id_space: str = "default", *, provenance: bool = False
    ) -> ProfileShape:
        """The same without a person's data in an address."""
        return await self.get(actor, ref_of(kind, value, id_space), provenance=provenance)

    async def search(self, actor: Actor, asked: ProfilesAsked) -> ProfileList:
        """A list of people; contacts are not searched for an actor who must not see them."""
        actor.require("profiles:read")
        if asked.segment:
            return await self._members(actor, asked)
        query = ProfileQuery(
            q=asked.q,
            status=asked.status,
            label=asked.label,
            sort=asked.sort,
            limit=asked.limit,
            cursor=asked.cursor,
            contacts=not actor.masked,
        )
        page = await self._reader.search(query)
        await self._trail.record(
            actor.did("profile.list", at=self._clock.now(), searched=bool(asked.q), count=len(page.data))
        )
        rows = [profile_row(hit) for hit in page.data]
        return masked(
            ProfileList(data=rows, next=page.next, total="1000+" if page.total is None else page.total), actor
        )

    async def _members(self, actor: Actor, asked: ProfilesAsked) -> ProfileList:
        if asked.q or asked.status or asked.label:
            raise Unacceptable([Problem("segment", "cannot be combined with q, status or label")])
        key = await self._memberships.key(asked.segment)
        if key is None:
            return ProfileList(data=[], next=None, total=0)
        page = await self._reader.members(key, limit=asked.limit, cursor=asked.cursor)
        total = await self._reader.member_count(key)
        await self._trail.record(
            actor.did("profile.list", at=self._clock.now(), segment=asked.segment, count=len(page.data))
        )
        rows = [profile_row(each.person) for each in page.data]
        return masked(ProfileList(data=rows, next=page.next, total=total if total <= 1_000 else "1000+"), actor)

    async def events(self, actor: Actor, ref: str, asked: ProfileEventsAsked) -> ListOf[EventShape]:
        """Newest first by ``timestamp``, over all that was merged into the person."""
        actor.require("profiles:read")
        root = await self._find(actor, ref)
        query = EventQuery(
            name=asked.name,
            type=asked.type,
            from_=None if asked.from_ is None else to_ms(asked.from_),
            to=None if asked.to is None else to_ms(asked.to),
            limit=asked.limit,
            cursor=asked.cursor,
        )
        page = await self._reader.events(root.leaf_ids, query)
        await self._read(actor, root, "profile.events")
        whole = not (asked.name or asked.type)
        sessions = await session_ids(self._reader, root.leaf_ids, page.data, whole=whole)
        rows = [event_shape(event, root.id, sessions.get(event.id)) for event in page.data]
        return masked(ListOf[EventShape](data=rows, next=page.next), actor)

    async def identity(self, actor: Actor, ref: str) -> IdentityShape:
        """Identifiers with provenance, merges, switches, refusals, cannot-links."""
        actor.require("profiles:read")
        root = await self._find(actor, ref)
        leaves = await self._reader.leaves(root.id) if len(root.leaf_ids) > 1 else [root]
        history = await self._reader.identity_history(root.leaf_ids)
        await self._read(actor, root, "profile.identity")
        return masked(identity_shape(root, leaves, history, await self._rules()), actor)

    # Acting

    async def merge(self, actor: Actor, ref: str, other: str) -> CommandShape:
        """Two people are one. Raises NotFound for either, Conflict when the processor refuses."""
        actor.require("profiles:write")
        root, second = await self._find(actor, ref), await self._find(actor, other, "with")
        return await self._commands.submit(
            actor, "merge", {"profile": root.id, "with": second.id}, action="profile.merge", target=root.id
        )

    async def unmerge(self, actor: Actor, ref: str, merge_id: str, identifier: str = "keep") -> CommandShape:
        """Take a merge back; ``identifier`` ``shared``: what connected the two resolves nobody any more."""
        actor.require("profiles:write")
        root = await self._find(actor, ref)
        content = {"merge_id": merge_id, "identifier": identifier}
        return await self._commands.submit(actor, "unmerge", content, action="profile.unmerge", target=root.id)

    async def set_consents(self, actor: Actor, ref: str, consents: Mapping[str, ConsentStatus]) -> CommandShape:
        """For all identifiers of the person; purposes that are left out stay as they are."""
        actor.require("profiles:write")
        problems = _consent_problems(consents, await self._settings.purposes())
        if problems:
            raise Unacceptable(problems)
        root = await self._find(actor, ref)
        content = {"profile": root.id, "consents": dict(consents)}
        return await self._commands.submit(actor, "consent", content, action="profile.consent", target=root.id)

    async def set_labels(self, actor: Actor, ref: str, labels: Sequence[str]) -> CommandShape:
        """All labels that the person shall have."""
        actor.require("profiles:write")
        wanted = [label.strip() for label in labels]
        problems = [
            Problem(f"labels[{place}]", f"must be a text of 1 to {_LONGEST_LABEL} characters")
            for place, label in enumerate(wanted)
            if not 1 <= len(label) <= _LONGEST_LABEL
        ]
        if problems:
            raise Unacceptable(problems)
        root = await self._find(actor, ref)
        content = {"profile": root.id, "labels": sorted(set(wanted))}
        return await self._commands.submit(actor, "label", content, action="profile.label", target=root.id)

    async def set_identifier_state(
        self, actor: Actor, ref: str, kind: str, value: str, id_space: str, state: str
    ) -> CommandShape:
        """``shared``: known, but resolves nobody any more; ``active``: resolves again."""
        actor.require("profiles:write")
        root = await self._find(actor, ref)
        wanted = parse_ref(ref_of(kind, value, id_space), await self._rules(), actor)
        key = wanted if isinstance(wanted, str) else wanted.key
        if key not in root.folded.identifiers:
            raise Unacceptable([Problem("value", "is no identifier of this profile")])
        content = {"identifier": key, "state": state}
        return await self._commands.submit(
            actor, "identifier_state", content, action="profile.identifier_state", target=root.id
        )

    async def lift_cannot_link(self, actor: Actor, ref: str, other: str) -> CommandShape:
        """Two people that an un-merge keeps apart may come together again."""
        actor.require("profiles:write")
        root, second = await self._find(actor, ref), await self._find(actor, other, "with")
        content = {"profile": root.id, "with": second.id}
        return await self._commands.submit(
            actor, "lift_cannot_link", content, action="profile.lift_cannot_link", target=root.id
        )

    async def _find(self, actor: Actor, ref: str, path: str = "ref") -> Profile:
        root = await self._reader.find(parse_ref(ref, await self._rules(), actor, path))
        if root is None:
            raise not_found()
        return root

    async def _rules(self) -> IdentityRules:
        return await self._settings.identity_rules()

    async def _read(self, actor: Actor, root: Profile, action: str) -> None:
        await self._trail.record(actor.did(action, root.id, at=self._clock.now()))


def _consent_problems(consents: Mapping[str, ConsentStatus], purposes: Sequence[str]) -> list[Problem]:
    if not consents:
        return [Problem("", "name at least one purpose")]
    known = ", ".join(purposes)
    problems = [Problem(name, f"is no purpose; known are {known}") for name in consents if name not in purposes]
    return problems + [
        Problem(name, "must be granted or denied")
        for name, status in consents.items()
        if status not in ("granted", "denied")
    ]
