"""From failures to the errors of admin's port, each with a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.failures import Failure, Kind
from leocdp.adapters.arango.migrations import TooNew
from leocdp.ports.admin_store import AdminStoreCorrupt, AdminStoreError, AdminStoreUnavailable


@contextmanager
def translated(connection: Connection) -> Iterator[None]:
    try:
        yield
    except Failure as error:
        raise _admin_error(error, connection) from error
    except TooNew as error:
        raise AdminStoreCorrupt(str(error)) from error
    except msgspec.ValidationError as error:
        raise AdminStoreCorrupt(
            f"The admin store {connection} holds a document of an unknown form ({error}). Restore it from a backup."
        ) from error


def _admin_error(error: Failure, connection: Connection) -> AdminStoreError:
    where = f"the admin store {connection}"
    match error.kind:
        case Kind.REFUSED:
            return AdminStoreUnavailable(
                f"{error}, asked for {where}: check the user in LEOCDP_ADMIN_URL, LEOCDP_ADMIN_STORE_PASSWORD, and "
                "that the user may read and write the database."
            )
        case Kind.NOT_THERE:
            return AdminStoreUnavailable(
                f"There is no admin store in {connection} ({error}): the database must exist, its collections are made "
                "when admin starts. Check LEOCDP_ADMIN_URL."
            )
        case Kind.DEFECT | Kind.TOO_LARGE | Kind.MISSING:
            return AdminStoreError(f"{error}, asked for {where}. This is a defect, or a server of another kind.")
        case _:
            return AdminStoreUnavailable(f"{error} ({where}).")
