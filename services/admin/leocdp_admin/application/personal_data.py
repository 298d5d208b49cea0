"""A person's data as one JSON document: profile, identity and every event, as they are now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.state import Profile
from leocdp.ports.profile_reader import EventQuery, ProfileReader
from leocdp_admin.application.event_shape import event_shape
from leocdp_admin.application.identity_shape import identity_shape
from leocdp_admin.application.memberships import Memberships
from leocdp_admin.application.profile_shape import profile_shape
from leocdp_admin.application.shapes.base import iso, moment

_PAGE: Final = 200


async def export(
    reader: ProfileReader,
    root: Profile,
    rules: IdentityRules,
    purposes: Sequence[str],
    memberships: Memberships,
    now: int,
) -> AsyncIterator[bytes]:
    """``{"exported_at", "profile", "identity", "events": […]}``, the events newest first, page by page.

    Segments and scores are in it: what is inferred about a person is personal data too.
    """
    segments, scores = await memberships.of(root), await memberships.scores(root, "en")
    profile = profile_shape(root, rules, purposes, segments, scores, provenance=True)
    leaves = await reader.leaves(root.id)
    identity = identity_shape(root, leaves, await reader.identity_history(root.leaf_ids), rules)
    yield f'{{"exported_at": "{iso(moment(now))}", "profile": {profile.model_dump_json()}'.encode()
    yield f', "identity": {identity.model_dump_json()}, "events": ['.encode()
    async for page in _events(reader, root):
        yield page
    yield b"]}\n"


async def _events(reader: ProfileReader, root: Profile) -> AsyncIterator[bytes]:
    query, separator = EventQuery(limit=_PAGE), "\n"
    while True:
        page = await reader.events(root.leaf_ids, query)
        for event in page.data:
            yield f"{separator}{event_shape(event, root.id).model_dump_json()}".encode()
            separator = ",\n"
        if page.next is None:
            return
        query = replace(query, cursor=page.next)
