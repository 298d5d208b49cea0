"""Imported lists: identifiers from elsewhere, matched with the people who have them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from secrets import token_hex
from typing import Final

from leocdp.contracts.commands import CommandKind
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.domain.errors import DomainError, Problem
from leocdp.domain.identity.normalise import normalise_ref
from leocdp.domain.identity.rules import IdentityRules
from leocdp.ports.clock import Clock
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.commands import Commands
from leocdp_admin.application.definitions import LIST, Definitions, guard
from leocdp_admin.application.errors import Unacceptable
from leocdp_admin.application.segments import Segments
from leocdp_admin.application.settings_in_force import SettingsInForce
from leocdp_admin.application.shapes.base import moment
from leocdp_admin.application.shapes.segments import ImportedShape, ListAction, ListAsked, ListShape

MOST_ROWS: Final = 200_000
PER_COMMAND: Final = 1_000
SHOWN_PROBLEMS: Final = 50


class Lists:
    """Raises NotFound (``list_not_found``), Conflict (``list_exists``), Changed, Unacceptable, NotNow, Forbidden."""

    def __init__(
        self,
        definitions: Definitions,
        segments: Segments,
        commands: Commands,
        settings: SettingsInForce,
        clock: Clock,
    ) -> None:
        self._definitions = definitions
        self._segments = segments
        self._commands = commands
        self._settings = settings
        self._clock = clock

    async def list(self, actor: Actor) -> list[ListShape]:
        actor.require("segments:read", "segments:write")
        shapes = [_shape(entry) for entry in await self._definitions.all(LIST)]
        return sorted(shapes, key=lambda one: (one.name.casefold(), one.id))

    async def get(self, actor: Actor, list_id: str) -> ListShape:
        actor.require("segments:read", "segments:write")
        return _shape(await self._definitions.get(LIST, list_id))

    async def create(self, actor: Actor, asked: ListAsked) -> ListShape:
        actor.require("segments:write")
        list_id = f"lst_{token_hex(8)}"
        data = {"id": list_id, "name": _name(asked.name), "description": asked.description.strip()}
        return _shape(await self._definitions.put(actor, "list.create", LIST, list_id, data, expected=0))

    async def update(self, actor: Actor, list_id: str, asked: ListAsked, *, expected: int | None = None) -> ListShape:
        actor.require("segments:write")
        entry = await self._definitions.get(LIST, list_id)
        data = {"id": list_id, "name": _name(asked.name), "description": asked.description.strip()}
        guarded = guard(entry, expected)
        return _shape(await self._definitions.put(actor, "list.update", LIST, list_id, data, expected=guarded))

    async def delete(self, actor: Actor, list_id: str, *, expected: int | None = None) -> None:
        """Segments that refer to it keep their members and are *broken*."""
        actor.require("segments:write")
        entry = await self._definitions.get(LIST, list_id)
        name = str(entry.data.get("name", list_id))
        await self._segments.break_those(actor, list_id, f"It refers to the list “{name}”, which was deleted.")
        await self._definitions.put(
            actor, "list.delete", LIST, list_id, entry.data, expected=guard(entry, expected), deleted=True, unique=""
        )

    async def change(
        self, actor: Actor, list_id: str, kind: str, values: Sequence[str], action: ListAction = "add"
    ) -> ImportedShape:
        """Add the people who have these identifiers, or take them off. Identifiers that nobody has are counted."""
        actor.require("segments:write")
        await self._definitions.get(LIST, list_id)
        keys, invalid = _keys(kind, values, await self._settings.identity_rules())
        command_kind: CommandKind = "list_add" if action == "add" else "list_remove"
        issued = []
        for part in _parts(keys):
            entry = actor.did(f"list.{action}", list_id, at=self._clock.now(), count=len(part))
            content = {"list": list_id, "identifiers": part}
            issued.append(await self._commands.issue(actor, command_kind, content, entry))
        return await self._outcome(issued, len(values), invalid)

    async def change_by_file(self, actor: Actor, list_id: str, text: str, kind: str = "") -> ImportedShape:
        """A CSV file: with a header that names the kind of a column (``email``, ``phone``, ``user_id`` …), or, with
        ``kind``, its first column."""
        found, values = _column(text, kind, await self._settings.identity_rules())
        return await self.change(actor, list_id, found, values)

    async def _outcome(self, issued: Sequence[str], rows: int, invalid: Sequence[str]) -> ImportedShape:
        matched = unknown = 0
        pending = False
        for command_id in issued:
            outcome = None if pending else await self._commands.outcome(command_id)
            if outcome is None:
                pending = True
                continue
            matched += int(outcome.result.get("matched", 0))
            unknown += int(outcome.result.get("unknown", 0))
        return ImportedShape(
            rows=rows, matched=matched, unknown=unknown, invalid=[*invalid[:SHOWN_PROBLEMS]], pending=pending
        )


def _keys(kind: str, values: Sequence[str], rules: IdentityRules) -> tuple[list[str], list[str]]:
    if len(values) > MOST_ROWS:
        raise Unacceptable([Problem("values", f"has {len(values)} rows; at most {MOST_ROWS} fit, so divide it")])
    if rules.find(kind) is None:
        raise Unacceptable([Problem("kind", f"“{kind}” is no kind of identifier; try email, phone or user_id")])
    keys: dict[str, None] = {}
    invalid: list[str] = []
    for row, value in enumerate(values, 1):
        try:
            keys[normalise_ref(kind, value.strip(), "", rules).key] = None
        except DomainError as error:
            invalid.append(f"{row}: {error}")
    return list(keys), invalid


def _parts(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while part := list(islice(rest, PER_COMMAND)):
        yield part


def _column(text: str, kind: str, rules: IdentityRules) -> tuple[str, list[str]]:
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:4096], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel
    rows = [row for row in csv.reader(text.removeprefix("\ufeff").splitlines(), dialect) if any(map(str.strip, row))]
    if not rows:
        raise Unacceptable([Problem("file", "is empty")])
    names = [name.strip().casefold().replace(" ", "_").replace("-", "_") for name in rows[0]]
    place = next((place for place, name in enumerate(names) if name == kind or (not kind and rules.find(name))), None)
    if place is not None:
        return names[place], [row[place] if place < len(row) else "" for row in rows[1:]]
    if not kind:
        raise Unacceptable(
            [Problem("file", "has no column that names a kind of identifier: email, phone, user_id or anonymous_id")]
        )
    return kind, [row[0] for row in rows]


def _name(text: str) -> str:
    if not text.strip():
        raise Unacceptable([Problem("name", "must not be blank")])
    return text.strip()


def _shape(entry: ConfigEntry) -> ListShape:
    return ListShape(
        id=entry.id,
        name=str(entry.data.get("name", entry.id)),
        description=str(entry.data.get("description", "")),
        updated_at=moment(entry.at),
        version=entry.version,
    )
