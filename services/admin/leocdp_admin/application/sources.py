"""Sources: where events come from, each with its write key. Changes reach observers through the configuration topic."""

from __future__ import annotations

from re import compile
from secrets import token_hex, token_urlsafe
from typing import Any, Final

from leocdp.contracts.config_entries import ConfigEntry, source_config
from leocdp.domain.errors import Problem
from leocdp.ports.admin_store import AdminStore, AlreadyExists, AuditEntry, Unknown, VersionMismatch
from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import StoreUnavailable
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.commands import Commands
from leocdp_admin.application.errors import Changed, Conflict, NotFound, Unacceptable
from leocdp_admin.application.shapes.administration import CommandShape, SourceAsked, SourceShape
from leocdp_admin.application.shapes.base import moment, moment_or_none

SOURCE: Final = "source"
_ORIGIN: Final = compile(r"https?://(?:\*\.)?[a-z0-9.\-_\[\]:]+(?::\d{1,5})?", 2)
_ID_SPACE: Final = compile(r"[a-z0-9][a-z0-9_.\-]{0,39}")


class Sources:
    """Raises NotFound (``source_not_found``), Conflict (``source_exists``), Changed, Unacceptable, Forbidden."""

    def __init__(self, store: AdminStore, reader: ProfileReader, commands: Commands, clock: Clock) -> None:
        self._store = store
        self._commands = commands
        self._reader = reader
        self._clock = clock

    async def list(self, actor: Actor) -> list[SourceShape]:
        """By name; with the time of the last event where the profile store can be read."""
        actor.require("sources:read", "sources:write")
        shapes = [await self._with_last_event(source_shape(entry)) for entry in await self._store.entries(SOURCE)]
        return sorted(shapes, key=lambda source: (source.name.casefold(), source.id))

    async def names(self) -> dict[str, str]:
        """Id → name, for everybody: what stands beside events and details, never a key."""
        return {entry.id: str(entry.data.get("name", entry.id)) for entry in await self._store.entries(SOURCE)}

    async def get(self, actor: Actor, source_id: str) -> SourceShape:
        actor.require("sources:read", "sources:write")
        return await self._with_last_event(source_shape(await self._entry(source_id)))

    async def create(self, actor: Actor, asked: SourceAsked) -> SourceShape:
        actor.require("sources:write")
        _check(asked)
        source_id = f"src_{token_hex(8)}"
        data = {**asked.model_dump(), "id": source_id, "write_key": new_write_key()}
        return source_shape(await self._put(actor, "source.create", source_id, data, 0))

    async def update(
        self, actor: Actor, source_id: str, asked: SourceAsked, *, expected: int | None = None
    ) -> SourceShape:
        """The whole source; its id and write key stay."""
        actor.require("sources:write")
        _check(asked)
        entry = await self._entry(source_id)
        data = {**asked.model_dump(), "id": source_id, "write_key": entry.data["write_key"]}
        return source_shape(await self._put(actor, "source.update", source_id, data, _guard(entry, expected)))

    async def rotate(self, actor: Actor, source_id: str, *, expected: int | None = None) -> SourceShape:
        """A new write key; the old one is refused within seconds."""
        actor.require("sources:write")
        entry = await self._entry(source_id)
        data = {**entry.data, "write_key": new_write_key()}
        return source_shape(await self._put(actor, "source.rotate", source_id, data, _guard(entry, expected)))

    async def delete(self, actor: Actor, source_id: str, *, expected: int | None = None) -> None:
        """Its key is refused within seconds; events that came stay."""
        actor.require("sources:write")
        entry = await self._entry(source_id)
        now = self._clock.now()
        audit = [actor.did("source.delete", source_id, at=now)]
        try:
            await self._store.put_entry(
                SOURCE, source_id, entry.data, now=now, expected=_guard(entry, expected), deleted=True, audit=audit
            )
        except VersionMismatch as error:
            raise Changed(error.current) from error
        except Unknown as error:
            raise _not_found() from error

    async def remove_data(self, actor: Actor, source_id: str) -> CommandShape:
        """Have the processor remove the people and events that only this source has brought. The source stays."""
        actor.require("privacy:write")
        await self._entry(source_id)
        return await self._commands.submit(
            actor, "remove_source", {"source": source_id}, action="source.remove_data", target=source_id
        )

    async def _entry(self, source_id: str) -> ConfigEntry:
        entry = await self._store.entry(SOURCE, source_id)
        if entry is None:
            raise _not_found()
        return entry

    async def _put(
        self, actor: Actor, action: str, source_id: str, data: dict[str, Any], expected: int | None
    ) -> ConfigEntry:
        now = self._clock.now()
        audit: list[AuditEntry] = [actor.did(action, source_id, at=now)]
        try:
            return await self._store.put_entry(
                SOURCE, source_id, data, now=now, expected=expected, unique="name", audit=audit
            )
        except VersionMismatch as error:
            raise Changed(error.current) from error
        except AlreadyExists as error:
            raise Conflict("source_exists", "Another source has this name.") from error

    async def _with_last_event(self, source: SourceShape) -> SourceShape:
        try:
            last = await self._reader.last_event_at(source.id)
        except StoreUnavailable:
            # Sources are admin's own; they can be shown and changed while the profile store is away.
            return source
        return source.model_copy(update={"last_event_at": moment_or_none(last)})


def new_write_key() -> str:
    return f"wk_{token_urlsafe(24)}"


def source_shape(entry: ConfigEntry) -> SourceShape:
    config = source_config(entry)
    return SourceShape(
        id=config.id,
        name=config.name,
        kind=config.kind,
        write_key=config.write_key,
        origins=config.origins,
        id_space=config.id_space,
        shared_device=config.shared_device,
        consent_policy=config.consent_policy,
        enabled=config.enabled,
        ip_policy=config.ip_policy,
        updated_at=moment(entry.at),
        version=entry.version,
    )


def _guard(entry: ConfigEntry, expected: int | None) -> int:
    """Without a version from the client, what was just read guards: nothing of another writer gets lost between."""
    return entry.version if expected is None else expected


def _not_found() -> NotFound:
    return NotFound("source_not_found", "There is no source with this id.")


def _check(asked: SourceAsked) -> None:
    problems = [
        Problem(f"origins[{place}]", 'must be "*" or an origin such as https://shop.example.vn, without a path')
        for place, origin in enumerate(asked.origins)
        if origin != "*" and not _ORIGIN.fullmatch(origin)
    ]
    if not _ID_SPACE.fullmatch(asked.id_space):
        problems.append(Problem("id_space", "must be a word of lower-case letters, digits, _ - and ."))
    if not asked.name.strip():
        problems.append(Problem("name", "must not be blank"))
    if problems:
        raise Unacceptable(problems)
