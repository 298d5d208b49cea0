"""Which version the collections of a store have, looked up without opening it for work."""

from __future__ import annotations

from leocdp.adapters.arango.admin.errors import translated as of_admin
from leocdp.adapters.arango.admin.schema import SCHEMA as ADMIN
from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.migrations import stored_version
from leocdp.adapters.arango.profiles.errors import translated as of_profiles
from leocdp.adapters.arango.profiles.schema import SCHEMA as PROFILES
from leocdp.adapters.formats import StoreFormat
from leocdp.kit.errors import LeoError

SCHEMAS = {"profiles": PROFILES, "admin": ADMIN}
TRANSLATED = {"profiles": of_profiles, "admin": of_admin}
"""What turns failures into sentences that name the settings of a store."""


def database_format(name: str, connection: Connection) -> StoreFormat:
    """``name`` is one of ``SCHEMAS``."""
    schema = SCHEMAS[name]
    database = Database(connection, Breaker(), connection.hosts[0])
    try:
        with TRANSLATED[name](connection):
            version = stored_version(database, schema)
    except LeoError as error:
        return StoreFormat(name, str(connection), None, schema.version, str(error))
    finally:
        database.close()
    return StoreFormat(name, str(connection), version or None, schema.version)
