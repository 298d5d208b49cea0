"""The embedded engine's files, as this machine's settings name them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from leocdp.adapters.engines import open_event_log, open_profile_store
from leocdp.adapters.sqlite.admin_store import SQLiteAdminStore
from leocdp.adapters.sqlite.formats import FileFormat, file_format
from leocdp.kit.errors import LeoError
from leocdp.kit.settings import LogSettings, ServiceSettings, StoreSettings, sqlite_path
from leocdp_cli.failure import CommandFailed


class StoresSettings(ServiceSettings, LogSettings, StoreSettings):
    admin_url: str = Field(
        default="", description="Admin's own store: `sqlite:///path`; default `admin.db` in the data folder."
    )
    dedup_horizon_days: int = Field(default=30, ge=1, description="How long a message id is remembered, in days.")

    def paths(self) -> dict[str, Path]:
        """Name → file. Raises CommandFailed when a URL is not of this engine."""
        urls = {"log": self.log_url, "profiles": self.store_url, "admin": self.admin_url}
        try:
            return {name: sqlite_path(url, self.data_dir / f"{name}.db") for name, url in urls.items()}
        except ValueError as error:
            raise CommandFailed(f"{error}: this command is for the files of the embedded engine.", 2) from error


def formats(settings: StoresSettings) -> Sequence[FileFormat]:
    return [file_format(name, path) for name, path in settings.paths().items()]


async def migrate(settings: StoresSettings) -> None:
    """Bring every file to the newest format, and make what is missing. Raises CommandFailed."""
    stores = (
        SQLiteAdminStore(settings.paths()["admin"]),
        open_event_log(settings),
        open_profile_store(settings),
    )
    for store in stores:
        try:
            await store.start()
        except LeoError as error:
            raise CommandFailed(str(error)) from error
        finally:
            await store.close()
