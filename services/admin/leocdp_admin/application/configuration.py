"""The versioned settings: identity rules, scoring, consent purposes and the workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.domain.errors import Invalid, Problem
from leocdp.domain.identity.rules import IdentityRules, rules_from, rules_to_changes, rules_to_data
from leocdp.domain.scoring.document import scoring_from, scoring_to_changes, scoring_to_data
from leocdp.domain.scoring.model import Scoring
from leocdp.ports.admin_store import AdminStore, VersionMismatch
from leocdp.ports.clock import Clock
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.definitions import Definitions
from leocdp_admin.application.errors import Changed, Unacceptable
from leocdp_admin.application.settings_in_force import (
    CONSENT,
    DEFAULT_PURPOSES,
    IDENTITY_RULES,
    SCORING,
    SETTINGS_ID,
    WORKSPACE,
    SettingsInForce,
)
from leocdp_admin.application.shapes.administration import (
    ConsentSettings,
    ConsentSettingsAsked,
    IdentitySettings,
    PurposeShape,
    ScoringSettings,
    WorkspaceAsked,
    WorkspaceSettings,
)
from leocdp_admin.application.shapes.base import moment_or_none


class Configuration:
    """``expected`` is the version that was read; None does not check. Raises Changed, Unacceptable, Forbidden."""

    def __init__(self, store: AdminStore, in_force: SettingsInForce, definitions: Definitions, clock: Clock) -> None:
        self._store = store
        self._definitions = definitions
        self._in_force = in_force
        self._clock = clock

    async def identity(self, actor: Actor) -> IdentitySettings:
        actor.require("settings:read", "admin")
        entry = await self._store.entry(IDENTITY_RULES, SETTINGS_ID)
        return _identity(entry)

    async def put_identity(
        self, actor: Actor, data: Mapping[str, Any], *, expected: int | None = None
    ) -> IdentitySettings:
        """What is left out keeps its default; every mistake is named with its path."""
        actor.require("admin")
        wanted = {name: value for name, value in data.items() if name not in ("version", "updated_at")}
        try:
            rules_from(wanted)
        except Invalid as error:
            raise Unacceptable(error.problems) from error
        return _identity(await self._put(actor, IDENTITY_RULES, wanted, expected))

    async def identity_rules(self, actor: Actor) -> tuple[IdentityRules, int]:
        """The same as rules, with the version that they are."""
        actor.require("settings:read", "admin")
        entry = await self._store.entry(IDENTITY_RULES, SETTINGS_ID)
        return rules_from(entry.data if entry else {}), entry.version if entry else 0

    async def put_identity_rules(self, actor: Actor, rules: IdentityRules, *, expected: int | None = None) -> None:
        """Kept is only what differs from the defaults, so that later versions may add to the rest."""
        await self.put_identity(actor, rules_to_changes(rules), expected=expected)

    async def consent(self, actor: Actor) -> ConsentSettings:
        actor.require("settings:read", "admin")
        return _consent(await self._store.entry(CONSENT, SETTINGS_ID))

    async def put_consent(
        self, actor: Actor, asked: ConsentSettingsAsked, *, expected: int | None = None
    ) -> ConsentSettings:
        actor.require("admin")
        _refuse_repeated([purpose.id for purpose in asked.purposes], "purposes[{}].id")
        return _consent(await self._put(actor, CONSENT, asked.model_dump(), expected))

    async def workspace(self, actor: Actor) -> WorkspaceSettings:
        """Everybody needs it to show times, so every actor may read it."""
        entry = await self._store.entry(WORKSPACE, SETTINGS_ID)
        return _workspace(entry, await self._in_force.workspace())

    async def put_workspace(
        self, actor: Actor, asked: WorkspaceAsked, *, expected: int | None = None
    ) -> WorkspaceSettings:
        actor.require("admin")
        if not _is_zone(asked.time_zone):
            raise Unacceptable([Problem("time_zone", "must be an IANA name, such as Asia/Ho_Chi_Minh")])
        return _workspace(await self._put(actor, WORKSPACE, asked.model_dump(), expected), asked)

    async def scoring(self, actor: Actor) -> ScoringSettings:
        actor.require("settings:read", "segments:read", "admin")
        return _scoring(await self._store.entry(SCORING, SETTINGS_ID))

    async def put_scoring(
        self, actor: Actor, data: Mapping[str, Any], *, expected: int | None = None
    ) -> ScoringSettings:
        """What is left out keeps its default; every mistake is named with its path."""
        actor.require("admin")
        wanted = {name: value for name, value in data.items() if name not in ("version", "updated_at")}
        try:
            scoring_from(wanted)
        except Invalid as error:
            raise Unacceptable(error.problems) from error
        return _scoring(await self._put(actor, SCORING, wanted, expected))

    async def scoring_table(self, actor: Actor) -> tuple[Scoring, int]:
        """The same as rules, with the version that they are."""
        actor.require("settings:read", "segments:read", "admin")
        entry = await self._store.entry(SCORING, SETTINGS_ID)
        return scoring_from(entry.data if entry else {}), entry.version if entry else 0

    async def put_scoring_table(self, actor: Actor, scoring: Scoring, *, expected: int | None = None) -> None:
        """Kept is only what differs from the built-in table, so that later versions may add to the rest."""
        await self.put_scoring(actor, scoring_to_changes(scoring), expected=expected)

    async def _put(self, actor: Actor, kind: str, data: Mapping[str, Any], expected: int | None) -> ConfigEntry:
        now = await self._definitions.moment() if kind in (SCORING, WORKSPACE) else self._clock.now()
        try:
            entry = await self._store.put_entry(
                kind,
                SETTINGS_ID,
                data,
                now=now,
                expected=expected,
                audit=[actor.did(f"settings.{kind}", kind, at=now)],
            )
        except VersionMismatch as error:
            raise Changed(error.current) from error
        self._in_force.forget()
        return entry


def _head(entry: ConfigEntry | None) -> dict[str, Any]:
    return {"version": entry.version if entry else 0, "updated_at": moment_or_none(entry.at if entry else None)}


def _identity(entry: ConfigEntry | None) -> IdentitySettings:
    return IdentitySettings(**_head(entry), **rules_to_data(rules_from(entry.data if entry else {})))


def _consent(entry: ConfigEntry | None) -> ConsentSettings:
    asked = ConsentSettingsAsked.model_validate(entry.data) if entry else DEFAULT_PURPOSES
    purposes = [
        PurposeShape(id=purpose.id, name=purpose.name or purpose.id, description=purpose.description)
        for purpose in asked.purposes
    ]
    return ConsentSettings(**_head(entry), purposes=purposes)


def _workspace(entry: ConfigEntry | None, values: WorkspaceAsked) -> WorkspaceSettings:
    return WorkspaceSettings(**_head(entry), **values.model_dump())


def _scoring(entry: ConfigEntry | None) -> ScoringSettings:
    return ScoringSettings(**_head(entry), **scoring_to_data(scoring_from(entry.data if entry else {})))


def _refuse_repeated(names: Sequence[str], path: str) -> None:
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    twice = [Problem(path.format(place), "is there twice") for place, name in enumerate(names) if first[name] != place]
    if twice:
        raise Unacceptable(twice)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
