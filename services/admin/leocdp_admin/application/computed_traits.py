"""Computed traits: traits that follow from events, kept by the processor."""

from __future__ import annotations

from collections.abc import Mapping
from re import compile
from secrets import token_hex
from typing import Any, Final

from leocdp.contracts.config_entries import ConfigEntry, computed_trait_config
from leocdp.domain.errors import Invalid, Problem
from leocdp.domain.segments.computed import parse_computed
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import StoreUnavailable
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.definitions import COMPUTED, Definitions, guard
from leocdp_admin.application.errors import Conflict, Unacceptable
from leocdp_admin.application.shapes.base import moment
from leocdp_admin.application.shapes.segments import ComputedTraitAsked, ComputedTraitShape

MOST: Final = 200
_NAME: Final = compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class ComputedTraits:
    """Raises NotFound (``computed_trait_not_found``), Conflict (``computed_trait_exists``), Changed, Unacceptable,
    Forbidden."""

    def __init__(self, definitions: Definitions, reader: ProfileReader) -> None:
        self._definitions = definitions
        self._reader = reader

    async def list(self, actor: Actor) -> list[ComputedTraitShape]:
        actor.require("segments:read", "segments:write")
        shapes = [await self._shape(entry) for entry in await self._definitions.all(COMPUTED)]
        return sorted(shapes, key=lambda one: one.trait)

    async def get(self, actor: Actor, trait_id: str) -> ComputedTraitShape:
        actor.require("segments:read", "segments:write")
        return await self._shape(await self._definitions.get(COMPUTED, trait_id))

    async def create(self, actor: Actor, asked: ComputedTraitAsked) -> ComputedTraitShape:
        actor.require("segments:write")
        if len(await self._definitions.all(COMPUTED)) >= MOST:
            raise Conflict("too_many_computed_traits", f"There are {MOST} computed traits already. Delete some first.")
        return await self._put(actor, "computed_trait.create", f"ctr_{token_hex(8)}", asked, 0)

    async def update(
        self, actor: Actor, trait_id: str, asked: ComputedTraitAsked, *, expected: int | None = None
    ) -> ComputedTraitShape:
        actor.require("segments:write")
        entry = await self._definitions.get(COMPUTED, trait_id)
        return await self._put(actor, "computed_trait.update", trait_id, asked, guard(entry, expected))

    async def delete(self, actor: Actor, trait_id: str, *, expected: int | None = None) -> None:
        """Profiles lose the value; conditions on it see a missing trait."""
        actor.require("segments:write")
        entry = await self._definitions.get(COMPUTED, trait_id)
        await self._definitions.put(
            actor,
            "computed_trait.delete",
            COMPUTED,
            trait_id,
            entry.data,
            expected=guard(entry, expected),
            deleted=True,
            unique="",
        )

    async def _put(
        self, actor: Actor, action: str, trait_id: str, asked: ComputedTraitAsked, expected: int
    ) -> ComputedTraitShape:
        _check(asked.trait, asked.definition)
        data = {
            "id": trait_id,
            "trait": asked.trait,
            "description": asked.description.strip(),
            "definition": asked.definition,
        }
        entry = await self._definitions.put(actor, action, COMPUTED, trait_id, data, expected=expected, unique="trait")
        return await self._shape(entry)

    async def _shape(self, entry: ConfigEntry) -> ComputedTraitShape:
        config = computed_trait_config(entry)
        try:
            building = await self._reader.people_behind(entry.at, most=1) > 0
        except StoreUnavailable:
            building = True
        return ComputedTraitShape(
            id=config.id,
            trait=config.trait,
            description=config.description,
            definition=config.definition,
            building=building,
            updated_at=moment(entry.at),
            version=entry.version,
        )


def _check(trait: str, definition: Mapping[str, Any]) -> None:
    problems = []
    if not _NAME.fullmatch(trait):
        problems.append(Problem("trait", "must be a word of letters, digits and _ that does not begin with a digit"))
    try:
        parse_computed(definition, "definition")
    except Invalid as error:
        problems.extend(error.problems)
    if problems:
        raise Unacceptable(problems)
