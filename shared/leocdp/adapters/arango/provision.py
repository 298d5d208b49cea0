"""Makes the databases and the users that the settings name, as a user who may: before anything else can connect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.failures import Failure, Kind
from leocdp.adapters.formats import Provided
from leocdp.kit.errors import LeoError

SUPERUSER = "root"


class ProvisionFailed(LeoError):
    """Databases or users cannot be made. ``ServerAway``: later, perhaps."""

    code = "provision_failed"


class ServerAway(ProvisionFailed):
    code = "server_away"
    retryable = True


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may do what with which database."""

    user: str
    database: str
    level: Literal["rw", "ro"]


def grants_for(profiles: Connection | None, admin: Connection | None) -> list[Grant]:
    """The least that the services can work with: each writes its own store, and admin reads the profiles."""
    wanted = [Grant(each.user, each.database, "rw") for each in (profiles, admin) if each is not None]
    if profiles is not None and admin is not None and profiles.hosts == admin.hosts:
        reading = Grant(admin.user, profiles.database, "ro")
        if not any((each.user, each.database) == (reading.user, reading.database) for each in wanted):
            wanted.append(reading)
    return [each for each in wanted if each.user != SUPERUSER]


def provision(
    profiles: Connection | None, admin: Connection | None, root: tuple[str, str], copies: int
) -> Sequence[Provided]:
    """Make what is missing and set passwords and grants; can be repeated. Raises ProvisionFailed.

    Args:
        profiles: where the profile store will be, with its user and password; None when it is no ArangoDB.
        admin: the same of admin's store.
        root: name and password of a user who may make databases and users.
        copies: of each document in a cluster; 0 leaves it to the server.
    """
    stores = [each for each in (profiles, admin) if each is not None]
    found: list[Provided] = []
    for hosts in dict.fromkeys(each.hosts for each in stores):
        here = [each for each in stores if each.hosts == hosts]
        server = replace(here[0], database="_system", user=root[0], password=root[1])
        try:
            _give_password(server)
            found += _on_one_server(server, here, grants_for(profiles, admin), copies)
        except Failure as error:
            raise _sentence(error, server) from error
    return found


def _give_password(server: Connection) -> None:
    """A new cluster has a superuser without a password, who gets the one of the settings. Raises Failure."""
    open_ = Database(replace(server, password=""), Breaker(), server.hosts[0])
    try:
        if server.password:
            open_.set_user(server.user, server.password)
    except Failure as error:
        # Refused: there is a password already, as there should be.
        if error.kind is not Kind.REFUSED:
            raise
    finally:
        open_.close()


def _on_one_server(
    server: Connection, stores: Sequence[Connection], grants: Sequence[Grant], copies: int
) -> list[Provided]:
    passwords = {each.user: each.password for each in stores if each.user != SUPERUSER}
    names = list(dict.fromkeys(each.database for each in stores))
    system = Database(server, Breaker(), server.hosts[0])
    try:
        found = [Provided("database", name, system.create_database(name, copies)) for name in names]
        found += [Provided("user", name, system.set_user(name, password)) for name, password in passwords.items()]
        for grant in grants:
            if grant.user in passwords and grant.database in names:
                system.grant(grant.user, grant.database, grant.level)
    finally:
        system.close()
    return found


def _sentence(error: Failure, server: Connection) -> ProvisionFailed:
    where = ",".join(server.hosts)
    if error.kind is Kind.UNAVAILABLE:
        return ServerAway(f"{error} ({where}).")
    if error.kind is Kind.REFUSED:
        return ProvisionFailed(
            f"{error}, asked of {where}: check LEOCDP_STORE_ROOT_USER and LEOCDP_STORE_ROOT_PASSWORD."
        )
    return ProvisionFailed(f"{error}, asked of {where}.")
