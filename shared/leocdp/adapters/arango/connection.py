"""Where an ArangoDB is and how to be let in: the URL and the settings beside it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote

from pydantic import SecretStr

from leocdp.kit.settings import read_secret

DEFAULT_PORT: Final = 8529
FORM: Final = "arangodb://[user@]host:port[,host:port…]/database"
_SERVER: Final = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?")
_DATABASE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class ArangoFields(Protocol):
    """The settings that a connection is made of besides its URL and password, as in ``StoreSettings``."""

    @property
    def store_tls(self) -> bool: ...
    @property
    def store_tls_ca_file(self) -> Path | None: ...
    @property
    def store_timeout(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """One database. Several hosts are coordinators of one cluster: the next is asked when one does not answer."""

    hosts: tuple[str, ...]
    """With their schemes: ``http://host:port``."""
    database: str
    user: str = "root"
    password: str = field(default="", repr=False)
    verify: bool | str = True
    answer_seconds: float = 30.0

    def __str__(self) -> str:
        return f"{','.join(self.hosts)}/{self.database}"


@dataclass(frozen=True, slots=True)
class Names:
    """How the settings of a store are called, for sentences that name them."""

    url: str
    password: str


def connection(
    names: Names, url: str, password: SecretStr | None, password_file: Path | None, settings: ArangoFields
) -> Connection:
    """The connection that the settings describe. Raises ValueError with a sentence that names the setting."""
    user, hosts, database = parse_url(names, url)
    try:
        secret = read_secret(password, password_file)
    except OSError as error:
        raise ValueError(f"{names.password}_FILE cannot be read: {error}.") from error
    if user and secret is None:
        raise ValueError(f"{names.url} names a user: set {names.password} or {names.password}_FILE too.")
    if settings.store_tls_ca_file and not settings.store_tls:
        raise ValueError("LEOCDP_STORE_TLS_CA_FILE is set but LEOCDP_STORE_TLS is not: set it to true.")
    if settings.store_tls_ca_file and not settings.store_tls_ca_file.is_file():
        raise ValueError(f"LEOCDP_STORE_TLS_CA_FILE: there is no file {settings.store_tls_ca_file}.")
    scheme = "https" if settings.store_tls else "http"
    return Connection(
        tuple(f"{scheme}://{host}" for host in hosts),
        database,
        user or "root",
        secret.get_secret_value() if secret is not None else "",
        str(settings.store_tls_ca_file) if settings.store_tls_ca_file else _certificates_of_the_system(),
        settings.store_timeout,
    )


def _certificates_of_the_system() -> str | bool:
    """Where they are; True, where nobody knows, for those that come with the HTTP library."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True


def parse_url(names: Names, url: str) -> tuple[str, tuple[str, ...], str]:
    """(user, hosts with ports, database) of an ``arangodb://`` URL. Raises ValueError."""
    rest = url.removeprefix("arangodb://")
    place, slash, database = rest.partition("/")
    if rest == url or not slash:
        raise ValueError(f"{names.url} is not of the form {FORM}.")
    user, at, hosts = place.rpartition("@")
    if ":" in user:
        raise ValueError(f"{names.url} must hold no password: put it into {names.password} or …_FILE.")
    if at and not user:
        raise ValueError(f"{names.url} names no user before the @: {FORM}.")
    if not _DATABASE.fullmatch(database):
        raise ValueError(
            f"{names.url} names the database {database!r}: a letter, then letters, digits, dashes and underscores."
        )
    server = _server(names)
    return unquote(user), tuple(server(each) for each in hosts.split(",")), database


def _server(names: Names) -> Callable[[str], str]:
    def checked(text: str) -> str:
        found = _SERVER.fullmatch(text)
        if found is None or int(found["port"] or DEFAULT_PORT) > 65_535:
            raise ValueError(f"{text!r} in {names.url} is not of the form host:port; the whole is {FORM}.")
        return f"{found['host']}:{found['port'] or DEFAULT_PORT}"

    return checked
