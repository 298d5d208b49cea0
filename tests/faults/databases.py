"""A profile store in ArangoDB as settings of readers and as environment of services."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from leocdp.adapters.arango.connection import Connection
from tests.faults.reconcile import ReaderSettings


def store_settings(connection: Connection) -> ReaderSettings:
    url = f"arangodb://{connection.user}@{connection.hosts[0].removeprefix('http://')}/{connection.database}"
    return ReaderSettings(store_url=url, store_password=SecretStr(connection.password))


def store_fields(connection: Connection) -> dict[str, Any]:
    """The same as settings of a processor."""
    settings = store_settings(connection)
    return {"store_url": settings.store_url, "store_password": settings.store_password}


def store_environment(connection: Connection) -> dict[str, str]:
    return {"LEOCDP_STORE_URL": store_settings(connection).store_url, "LEOCDP_STORE_PASSWORD": connection.password}


def stores_environment(connection: Connection) -> dict[str, str]:
    """Profiles and admin's own data in one database."""
    url = store_settings(connection).store_url
    admin = {"LEOCDP_ADMIN_URL": url, "LEOCDP_ADMIN_STORE_PASSWORD": connection.password}
    return {**store_environment(connection), **admin}
