"""From failures to the errors of the port, each with a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.failures import Failure, Kind
from leocdp.adapters.arango.migrations import TooNew
from leocdp.adapters.arango.turns import Held
from leocdp.ports.profile_store import Conflict, SchemaTooNew, StoreCorrupt, StoreError, StoreHeld, StoreUnavailable


@contextmanager
def translated(connection: Connection) -> Iterator[None]:
    """Inside, failures become errors of the port; a document of an unknown form is damage."""
    try:
        yield
    except Held as error:
        raise StoreHeld(error.until) from error
    except Failure as error:
        raise store_error(error, connection) from error
    except TooNew as error:
        raise SchemaTooNew(str(error)) from error
    except msgspec.ValidationError as error:
        raise StoreCorrupt(
            f"The profile store {connection} holds a document of an unknown form ({error}). Restore it from a backup, "
            "or start with an empty database: what the event log still holds is processed again."
        ) from error


def store_error(error: Failure, connection: Connection) -> StoreError:
    where = f"the profile store {connection}"
    match error.kind:
        case Kind.CONFLICT | Kind.EXISTS:
            return Conflict(f"Another commit was faster ({error}).")
        case Kind.TOO_LARGE:
            # Halving the batch is what helps, and what a conflict leads to.
            return Conflict(f"The batch is too large for one transaction ({error}).")
        case Kind.NOT_THERE:
            return StoreUnavailable(
                f"There is no profile store in {connection} yet ({error}): the processor, or `leocdp migrate`, makes "
                "it in a database that exists. Start it, or check LEOCDP_STORE_URL."
            )
        case Kind.REFUSED:
            return StoreUnavailable(
                f"{error}, asked for {where}: check the user in LEOCDP_STORE_URL, LEOCDP_STORE_PASSWORD, and that the "
                "user may read and write the database."
            )
        case Kind.UNAVAILABLE | Kind.GONE:
            return StoreUnavailable(f"{error} ({where}). Work goes on by itself when it can.")
        case _:
            return StoreError(f"{error}, asked for {where}. This is a defect, or a server of another kind.")
