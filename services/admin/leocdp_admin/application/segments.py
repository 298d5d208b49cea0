"""The life of segments: create, edit, pause, archive, split, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any, Final

from msgspec import to_builtins
from msgspec.structs import replace

from leocdp.contracts.config_entries import ConfigEntry, SegmentConfig, SegmentVersion, segment_config
from leocdp.domain.errors import Invalid, Problem
from leocdp.domain.segments.audience import member_key
from leocdp.domain.segments.nodes import Node
from leocdp.domain.segments.parse import parse_condition, to_json
from leocdp.domain.segments.references import references
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import StoreUnavailable
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.definitions import LIST, SEGMENT, Definitions, guard
from leocdp_admin.application.errors import Conflict, Unacceptable
from leocdp_admin.application.known_names import known_names
from leocdp_admin.application.segment_shape import segment_shape, shown_version
from leocdp_admin.application.settings_in_force import SettingsInForce
from leocdp_admin.application.shapes.segments import (
    BuildShape,
    SegmentAsked,
    SegmentShape,
    SegmentState,
    SplitAsked,
)

MOST_SEGMENTS: Final = 1_000


class Segments:
    """Raises NotFound (``segment_not_found``), Conflict (``segment_exists``, ``segment_cycle``, ``missing_reference``),
    Changed, Unacceptable (with the path in the condition), Forbidden."""

    def __init__(self, definitions: Definitions, reader: ProfileReader, settings: SettingsInForce) -> None:
        self._definitions = definitions
        self._reader = reader
        self._settings = settings

    # Reading

    async def list(self, actor: Actor) -> list[SegmentShape]:
        """By name."""
        actor.require("segments:read", "segments:write")
        entries = await self._definitions.all(SEGMENT)
        names = await self.names()
        shapes = [await self._shape(entry, actor, names) for entry in entries]
        return sorted(shapes, key=lambda one: (one.name.casefold(), one.id))

    async def get(self, actor: Actor, segment_id: str) -> SegmentShape:
        actor.require("segments:read", "segments:write")
        return await self._shape(await self._definitions.get(SEGMENT, segment_id), actor, await self.names())

    async def names(self) -> dict[str, str]:
        """Id → name of segments and lists: for words."""
        found = [*await self._definitions.all(SEGMENT), *await self._definitions.all(LIST)]
        return {entry.id: str(entry.data.get("name", entry.id)) for entry in found}

    # Changing

    async def create(self, actor: Actor, asked: SegmentAsked) -> SegmentShape:
        actor.require("segments:write")
        entries = await self._definitions.all(SEGMENT)
        if len(entries) >= MOST_SEGMENTS:
            raise Conflict("too_many_segments", f"There are {MOST_SEGMENTS} segments already. Delete some first.")
        segment_id = f"sgm_{token_hex(8)}"
        condition = await self._condition(asked.condition, segment_id, entries)
        config = SegmentConfig(
            id=segment_id,
            name=_name(asked.name),
            description=asked.description.strip(),
            next=SegmentVersion(version=1, condition=to_json(condition)),
        )
        return await self._put(actor, "segment.create", config, expected=0)

    async def update(
        self, actor: Actor, segment_id: str, asked: SegmentAsked, *, expected: int | None = None
    ) -> SegmentShape:
        """Another condition is computed beside the one in force, which counts until that is done."""
        actor.require("segments:write")
        entry = await self._definitions.get(SEGMENT, segment_id)
        config = segment_config(entry)
        condition = to_json(await self._condition(asked.condition, segment_id, await self._definitions.all(SEGMENT)))
        config = replace(config, name=_name(asked.name), description=asked.description.strip())
        config = _with_condition(config, condition)
        return await self._put(actor, "segment.update", config, expected=guard(entry, expected))

    async def set_state(
        self, actor: Actor, segment_id: str, state: SegmentState, *, expected: int | None = None
    ) -> SegmentShape:
        actor.require("segments:write")
        entry = await self._definitions.get(SEGMENT, segment_id)
        config = segment_config(entry)
        if state == "active" and config.state in ("archived", "broken"):
            version = shown_version(config)
            await self._condition(version.condition, segment_id, await self._definitions.all(SEGMENT))
            if config.state == "archived":
                again = SegmentVersion(version=_latest(config) + 1, condition=version.condition)
                config = replace(config, current=None, next=again)
        config = replace(config, state=state, reason="")
        return await self._put(actor, f"segment.{state}", config, expected=guard(entry, expected))

    async def delete(self, actor: Actor, segment_id: str, *, expected: int | None = None) -> None:
        """Memberships end; segments that refer to it keep their members and are *broken*."""
        actor.require("segments:write")
        entry = await self._definitions.get(SEGMENT, segment_id)
        name = str(entry.data.get("name", segment_id))
        await self.break_those(actor, segment_id, f"It refers to the segment “{name}”, which was deleted.")
        await self._definitions.put(
            actor,
            "segment.delete",
            SEGMENT,
            segment_id,
            entry.data,
            expected=guard(entry, expected),
            deleted=True,
            unique="",
        )

    async def split(self, actor: Actor, segment_id: str, asked: SplitAsked) -> Sequence[SegmentShape]:
        """Parts by chance, each a segment of its own: the same person is in the same part as long as the salt stays."""
        actor.require("segments:write")
        total = sum(part.percent for part in asked.parts)
        if total > 100:
            raise Unacceptable([Problem("parts", f"make {total:g} % together; at most 100 % are possible")])
        salt = asked.salt.strip() or token_hex(4)
        parent = await self._definitions.get(SEGMENT, segment_id)
        made: list[SegmentShape] = []
        low = 0.0
        for part in asked.parts:
            high = round(low + part.percent, 6)
            bucket = {"bucket": {"salt": salt, "from": low, "to": high}}
            condition: dict[str, Any] = {"all": [{"segment": parent.id, "is": "in"}, bucket]}
            made.append(await self.create(actor, SegmentAsked(name=part.name, condition=condition)))
            low = high
        return made

    async def break_those(self, actor: Actor, reference: str, reason: str) -> None:
        """Segments whose conditions refer to what is about to go keep their members, and say why they are broken."""
        for entry in await self._definitions.all(SEGMENT):
            config = segment_config(entry)
            versions = [version for version in (config.current, config.next) if version]
            if config.state != "archived" and any(reference in _references(one.condition) for one in versions):
                broken = replace(config, state="broken", reason=reason)
                await self._put(actor, "segment.broken", broken, expected=entry.version)

    # Parts

    async def _condition(self, data: Mapping[str, Any], segment_id: str, entries: Sequence[ConfigEntry]) -> Node:
        try:
            node = parse_condition(data, known=await known_names(self._settings))
        except Invalid as error:
            raise Unacceptable(error.problems) from error
        await self._check_references(node, segment_id, entries)
        return node

    async def _check_references(self, node: Node, segment_id: str, entries: Sequence[ConfigEntry]) -> None:
        found = references(node)
        there = {entry.id: segment_config(entry) for entry in entries}
        lists = {entry.id for entry in await self._definitions.all(LIST)} if found.lists else set()
        missing = [one for one in sorted(found.segments) if one not in there] + sorted(set(found.lists) - lists)
        if missing:
            raise Conflict("missing_reference", f"The condition refers to {', '.join(missing)}, which does not exist.")
        archived = [there[one].name for one in sorted(found.segments) if there[one].state == "archived"]
        if archived:
            raise Conflict("missing_reference", f"The condition refers to archived segments: {', '.join(archived)}.")
        refers = {one: _segments_of(config) for one, config in there.items()}
        refers[segment_id] = frozenset(found.segments)
        ring = _ring(segment_id, refers)
        if ring:
            named = " → ".join(there[one].name if one in there else "this segment" for one in ring)
            raise Conflict("segment_cycle", f"The segments would refer to each other in a circle: {named}.")

    async def _put(self, actor: Actor, action: str, config: SegmentConfig, *, expected: int) -> SegmentShape:
        data = to_builtins(config)
        entry = await self._definitions.put(actor, action, SEGMENT, config.id, data, expected=expected)
        return await self._shape(entry, actor, await self.names())

    async def _shape(self, entry: ConfigEntry, actor: Actor, names: Mapping[str, str]) -> SegmentShape:
        config = segment_config(entry)
        size: int | None = 0
        building = None
        try:
            if config.current:
                size = await self._reader.member_count(member_key(config.id, config.current.version))
            if config.next and config.state == "active":
                building = await self._build(entry, config.next)
        except StoreUnavailable:
            # Definitions are admin's own; they can be shown and changed while the profile store is away.
            size = None
        return segment_shape(entry, size=size, building=building, language=actor.language or "en", names=names)

    async def _build(self, entry: ConfigEntry, version: SegmentVersion) -> BuildShape:
        behind = await self._reader.people_behind(entry.at)
        total = (await self._reader.counts()).people
        return BuildShape(
            version=version.version, done=max(0, total - behind), total=total, condition=version.condition
        )


def _with_condition(config: SegmentConfig, condition: dict[str, Any]) -> SegmentConfig:
    """Nothing is computed for a condition that is in force already."""
    state = "active" if config.state == "broken" else config.state
    config = replace(config, state=state, reason="" if state != config.state else config.reason)
    if config.current and config.current.condition == condition:
        return replace(config, next=None)
    if config.next and config.next.condition == condition:
        return config
    return replace(config, next=SegmentVersion(version=_latest(config) + 1, condition=condition))


def _latest(config: SegmentConfig) -> int:
    return max(version.version for version in (config.current, config.next, shown_version(config)) if version)


def _name(text: str) -> str:
    if not text.strip():
        raise Unacceptable([Problem("name", "must not be blank")])
    return text.strip()


def _references(condition: Mapping[str, Any]) -> frozenset[str]:
    found = references(parse_condition(condition))
    return frozenset(found.segments) | frozenset(found.lists)


def _segments_of(config: SegmentConfig) -> frozenset[str]:
    versions = [version for version in (config.current, config.next) if version]
    return frozenset().union(*(references(parse_condition(one.condition)).segments for one in versions))


def _ring(start: str, refers: Mapping[str, frozenset[str]]) -> Sequence[str]:
    """A way of references from a segment back to itself; empty when there is none."""
    waiting: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while waiting:
        way = waiting.pop()
        for other in sorted(refers.get(way[-1], ())):
            if other == start:
                return (*way, start)
            if other not in seen:
                seen.add(other)
                waiting.append((*way, other))
    return ()
