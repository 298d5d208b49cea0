"""What a fresh installation gets without a hand: source, API key and owner from the settings, or a link."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

from leocdp.contracts.config_entries import SourceConfig
from leocdp.kit.logs import get_logger
from leocdp.ports.admin_store import AdminStore, AlreadyExists, KeyRow, VersionMismatch
from leocdp.ports.clock import Clock
from leocdp_admin.application.actor import SCOPES, SYSTEM
from leocdp_admin.application.errors import Conflict
from leocdp_admin.application.keys import SHORTEST_KEY, key_hash
from leocdp_admin.application.settings_in_force import SCORING, SETTINGS_ID
from leocdp_admin.application.shapes.administration import UserAsked
from leocdp_admin.application.sources import SOURCE
from leocdp_admin.application.users import Users
from leocdp_admin.settings import AdminSettings

logger = get_logger(__name__)

QUICKSTART = "quickstart"


class Bootstrap:
    """Raises ValueError or Unacceptable with a sentence for values that cannot work."""

    def __init__(
        self,
        settings: AdminSettings,
        store: AdminStore,
        users: Users,
        clock: Clock,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._users = users
        self._clock = clock
        self._say = say or _to_terminal

    async def run(self) -> None:
        """Each of it once: what is there already stays as it is."""
        await self._scoring()
        if self._settings.write_key():
            await self._source(self._settings.write_key())
        if self._settings.api_key():
            await self._api_key(self._settings.api_key())
        if self._settings.bootstrap_admin_email:
            await self._owner()
        await self._offer_link()

    async def _scoring(self) -> None:
        """The metric table with its defaults, so that profiles have scores from the first event on."""
        now = self._clock.now()
        if await self._store.entry(SCORING, SETTINGS_ID) is not None:
            return
        try:
            await self._store.put_entry(SCORING, SETTINGS_ID, {}, now=now, expected=0)
        except VersionMismatch:
            logger.debug("the metric table is there already")

    async def _source(self, write_key: str) -> None:
        config = SourceConfig(id=QUICKSTART, name=QUICKSTART, kind="server", write_key=write_key)
        data = {name: getattr(config, name) for name in SourceConfig.__struct_fields__}
        now = self._clock.now()
        if any((known.kind, known.id) == (SOURCE, QUICKSTART) for known in await self._store.all_entries()):
            # Also when somebody has deleted it: a restart must not open a door again that was closed.
            return
        try:
            await self._store.put_entry(
                SOURCE,
                QUICKSTART,
                data,
                now=now,
                expected=0,
                unique="name",
                audit=[SYSTEM.did("source.create", QUICKSTART, at=now)],
            )
        except (VersionMismatch, AlreadyExists):
            logger.debug("the source is there already", source_id=QUICKSTART)

    async def _api_key(self, secret: str) -> None:
        if len(secret) < SHORTEST_KEY:
            raise ValueError(f"LEOCDP_BOOTSTRAP_API_KEY needs {SHORTEST_KEY} characters or more.")
        if await self._store.key_by_hash(key_hash(secret)) is not None:
            return
        now = self._clock.now()
        key = KeyRow(
            id=token_hex(6),
            name="bootstrap",
            secret_hash=key_hash(secret),
            scopes=SCOPES,
            created_at=now,
            created_by=SYSTEM.id,
        )
        try:
            await self._store.add_key(key, audit=[SYSTEM.did("key.create", key.id, at=now)])
        except AlreadyExists:
            logger.debug("another process was faster with the API key")

    async def _owner(self) -> None:
        asked = UserAsked(
            email=self._settings.bootstrap_admin_email, role="owner", password=self._settings.admin_password()
        )
        if await self._store.has_owner():
            return
        try:
            await self._users.create(SYSTEM, asked)
        except Conflict:
            logger.debug("the owner is there already")

    async def _offer_link(self) -> None:
        """To a terminal, to the supervisor's file, or where the settings say so; a log collector never gets it."""
        file = self._settings.login_link_file
        shown = self._settings.print_login_link or sys.stdout.isatty()
        if file is None and not shown:
            return
        link = await self._users.first_owner_link()
        if file is not None:
            _write_private(file, link)
        if shown and link is not None:
            self._say(f"First login (works once, for 30 minutes): {link}")


def _write_private(path: Path, text: str | None) -> None:
    """The file appears whole, readable by its owner only; it goes when there is no link to give."""
    if text is None:
        path.unlink(missing_ok=True)
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(f"{text}\n")
    draft.replace(path)


def _to_terminal(text: str) -> None:
    print(text, flush=True)
