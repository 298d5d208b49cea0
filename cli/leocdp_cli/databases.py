"""Databases and users of the stores, made by a user who may."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, SecretStr

from leocdp.adapters.engines import EngineUnknown, provision_databases
from leocdp.adapters.formats import Provided
from leocdp.kit.errors import LeoError
from leocdp.kit.settings import AdminStoreSettings, ServiceSettings, StoreSettings, read_secret
from leocdp_cli.failure import CommandFailed, Unreachable


class DatabaseSettings(ServiceSettings, StoreSettings, AdminStoreSettings):
    store_root_user: str = Field(default="root", description="User of ArangoDB who may make databases and users.")
    store_root_password: SecretStr | None = Field(default=None, description="Password of that user.")
    store_root_password_file: Path | None = Field(default=None, description="File that holds that password.")
    store_replication: int = Field(
        default=0, ge=0, le=9, description="Copies of each document of a new database in a cluster; 0: the server's."
    )

    def root(self) -> tuple[str, str]:
        """Name and password. Raises CommandFailed when there is no password."""
        try:
            secret = read_secret(self.store_root_password, self.store_root_password_file)
        except OSError as error:
            raise CommandFailed(f"LEOCDP_STORE_ROOT_PASSWORD_FILE cannot be read: {error}.", 2) from error
        if secret is None:
            raise CommandFailed("Set LEOCDP_STORE_ROOT_PASSWORD, or LEOCDP_STORE_ROOT_PASSWORD_FILE.", 2)
        return self.store_root_user, secret.get_secret_value()


def create(settings: DatabaseSettings) -> Sequence[Provided]:
    """Raises CommandFailed."""
    try:
        return provision_databases(settings, settings.root(), settings.store_replication)
    except EngineUnknown as error:
        raise CommandFailed(str(error), 2) from error
    except LeoError as error:
        raise (Unreachable(str(error)) if error.retryable else CommandFailed(str(error))) from error
