"""Which version the collections of a store have, looked up without opening it for work."""

from __future__ import annotations

from leocdp.adapters.arango.admin.schema import SCHEMA as ADMIN
from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.failures import Failure
from leocdp.adapters.arango.migrations import TooNew, stored_version
from leocdp.adapters.arango.profiles.schema import SCHEMA as PROFILES
from leocdp.adapters.formats import StoreFormat

SCHEMAS = {"profiles": PROFILES, "admin": ADMIN}


def database_format(name: str, connection: Connection) -> StoreFormat:
    """``name`` is one of ``SCHEMAS``."""
    schema = SCHEMAS[name]
    database = Database(connection, Breaker(), connection.hosts[0])
    try:
        version = stored_version(database, schema)
    except TooNew as error:
        return StoreFormat(name, str(connection), None, schema.version, str(error))
    except Failure as error:
        return StoreFormat(name, str(connection), None, schema.version, f"It cannot be read: {error}.")
    finally:
        database.close()
    return StoreFormat(name, str(connection), version or None, schema.version)
