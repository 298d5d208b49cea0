"""Choose an engine by URL. The only place that knows which adapters there are; each driver is imported when chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from leocdp.contracts.topics import GIB, TOPICS, fitted
from leocdp.kit.settings import sqlite_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from leocdp.adapters.arango.connection import Connection
    from leocdp.adapters.formats import Provided, StoreFormat
    from leocdp.contracts.topics import TopicSpec
    from leocdp.ports.admin_store import AdminStore
    from leocdp.ports.barrier import BarrierControl
    from leocdp.ports.event_log import EventLog
    from leocdp.ports.profile_reader import ProfileReader
    from leocdp.ports.profile_store import ProfileStore


ARANGO: Final = "arangodb://"
KAFKA: Final = "kafka://"


class EngineUnknown(ValueError):
    """A URL in the settings names no engine of this build. The sentence names the setting and what it may be."""


class LogFields(Protocol):
    """The settings that :func:`open_event_log` needs, as in ``ServiceSettings`` and ``LogSettings``."""

    @property
    def data_dir(self) -> Path: ...
    @property
    def log_url(self) -> str: ...
    @property
    def log_create_topics(self) -> bool: ...
    @property
    def log_password(self) -> SecretStr | None: ...
    @property
    def log_password_file(self) -> Path | None: ...
    @property
    def log_replication(self) -> int: ...
    @property
    def log_disk_gib(self) -> float: ...
    @property
    def log_sasl_mechanism(self) -> str: ...
    @property
    def log_tls(self) -> bool: ...
    @property
    def log_tls_ca_file(self) -> Path | None: ...
    @property
    def log_tls_cert_file(self) -> Path | None: ...
    @property
    def log_tls_key_file(self) -> Path | None: ...
    @property
    def log_timeout(self) -> float: ...
    @property
    def log_member(self) -> str: ...
    @property
    def log_session_timeout(self) -> float: ...


class StoreFields(Protocol):
    """The settings that :func:`open_profile_reader` needs, as in ``ServiceSettings`` and ``StoreSettings``."""

    @property
    def data_dir(self) -> Path: ...
    @property
    def store_url(self) -> str: ...
    @property
    def store_cache_mb(self) -> int: ...
    @property
    def store_password(self) -> SecretStr | None: ...
    @property
    def store_password_file(self) -> Path | None: ...
    @property
    def store_tls(self) -> bool: ...
    @property
    def store_tls_ca_file(self) -> Path | None: ...
    @property
    def store_timeout(self) -> float: ...


class AdminFields(Protocol):
    """The settings that :func:`open_admin_store` needs."""

    @property
    def data_dir(self) -> Path: ...
    @property
    def admin_url(self) -> str: ...
    @property
    def admin_store_password(self) -> SecretStr | None: ...
    @property
    def admin_store_password_file(self) -> Path | None: ...
    @property
    def store_tls(self) -> bool: ...
    @property
    def store_tls_ca_file(self) -> Path | None: ...
    @property
    def store_timeout(self) -> float: ...


class StoresFields(StoreFields, AdminFields, Protocol):
    """The settings that :func:`provision_databases` needs."""


class AllFields(LogFields, StoreFields, AdminFields, Protocol):
    """The settings that :func:`store_formats` needs."""


class StoreWriterFields(StoreFields, Protocol):
    """What :func:`open_profile_store` needs besides: how long message ids are remembered."""

    @property
    def dedup_horizon_days(self) -> int: ...


def open_event_log(settings: LogFields) -> EventLog:
    """The event log of ``LEOCDP_LOG_URL``; ``log.db`` in the data folder by default. ``start`` it before use.

    Raises:
        EngineUnknown: no engine of this build has such a URL.
    """
    url = settings.log_url
    if url.startswith(KAFKA):
        return _open_kafka(settings)
    path = _log_path(settings)
    from leocdp.adapters.sqlite.event_log import SQLiteEventLog

    # Our own data folder may be made; a folder that somebody named must exist, or a missing mount would go unnoticed.
    return SQLiteEventLog(path, topics=_topics(settings), create=settings.log_create_topics, make_folder=not url)


def _topics(settings: LogFields) -> Sequence[TopicSpec]:
    return fitted(TOPICS, int(settings.log_disk_gib * GIB))


def _open_kafka(settings: LogFields) -> EventLog:
    try:
        from leocdp.adapters.kafka.connection import connection
        from leocdp.adapters.kafka.event_log import KafkaEventLog
    except ModuleNotFoundError as error:
        raise EngineUnknown(
            f"LEOCDP_LOG_URL names Kafka, and its driver is not installed ({error.name} is missing): "
            "install leocdp[kafka]."
        ) from error
    try:
        where = connection(settings)
    except ValueError as error:
        raise EngineUnknown(str(error)) from error
    return KafkaEventLog(
        where,
        topics=_topics(settings),
        create=settings.log_create_topics,
        replication=settings.log_replication,
        timeout=settings.log_timeout,
        member=settings.log_member,
        session_timeout=settings.log_session_timeout,
    )


def open_profile_store(settings: StoreWriterFields) -> ProfileStore:
    """The profile store of ``LEOCDP_STORE_URL`` for those who write; ``profiles.db`` in the data folder by default.

    Nothing connects before ``start``.

    Raises:
        EngineUnknown: no engine of this build has such a URL, or a setting beside it is wrong.
    """
    if settings.store_url.startswith(ARANGO):
        return _open_arango_store(settings)
    path = _store_path(settings)
    from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
    from leocdp.adapters.sqlite.profiles.commit import DAY_MS, Bounds
    from leocdp.adapters.sqlite.profiles.connection import Tuning

    return SQLiteProfileStore(
        path,
        tuning=Tuning(cache_mb=settings.store_cache_mb),
        bounds=Bounds(horizon_ms=settings.dedup_horizon_days * DAY_MS),
        make_folder=not settings.store_url,
    )


def open_barrier(settings: StoreFields) -> BarrierControl:
    """Nothing connects before something is asked.

    Raises:
        EngineUnknown: the store is no ArangoDB, which alone needs a barrier; or a setting beside the URL is wrong.
    """
    if not settings.store_url.startswith(ARANGO):
        raise EngineUnknown(
            "A barrier is for profiles in ArangoDB (LEOCDP_STORE_URL=arangodb://…). The embedded engine needs none: "
            "`leocdp backup` copies its files while they are written to."
        )
    from leocdp.adapters.arango.barrier import ArangoBarrier

    return ArangoBarrier(_arango(settings))


def open_profile_reader(settings: StoreFields) -> ProfileReader:
    """The same store for reading beside the writer. Nothing connects before something is read.

    Raises:
        EngineUnknown: no engine of this build has such a URL, or a setting beside it is wrong.
    """
    if settings.store_url.startswith(ARANGO):
        from leocdp.adapters.arango.profile_reader import ArangoProfileReader

        return ArangoProfileReader(_arango(settings))
    path = _store_path(settings)
    from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
    from leocdp.adapters.sqlite.profiles.connection import Tuning

    return SQLiteProfileReader(path, tuning=Tuning(cache_mb=max(8, settings.store_cache_mb // 8)))


def open_admin_store(settings: AdminFields) -> AdminStore:
    """Admin's own store of ``LEOCDP_ADMIN_URL``; ``admin.db`` in the data folder by default. ``start`` it before use.

    Raises:
        EngineUnknown: no engine of this build has such a URL, or a setting beside it is wrong.
    """
    if settings.admin_url.startswith(ARANGO):
        where = _admin_arango(settings)
        from leocdp.adapters.arango.admin_store import ArangoAdminStore

        return ArangoAdminStore(where)
    from leocdp.adapters.sqlite.admin_store import SQLiteAdminStore

    return SQLiteAdminStore(_admin_path(settings), make_folder=not settings.admin_url)


def store_formats(settings: AllFields) -> list[StoreFormat]:
    """Of all stores that have one; the topics of a Kafka have none.

    Raises:
        EngineUnknown: no engine of this build has such a URL, or a setting beside it is wrong.
    """
    from leocdp.adapters.sqlite.formats import file_format

    formats = [] if settings.log_url.startswith(KAFKA) else [file_format("log", _log_path(settings))]
    if settings.store_url.startswith(ARANGO):
        formats.append(_database_format("profiles", _arango(settings)))
    else:
        formats.append(file_format("profiles", _store_path(settings)))
    if settings.admin_url.startswith(ARANGO):
        formats.append(_database_format("admin", _admin_arango(settings)))
    else:
        formats.append(file_format("admin", _admin_path(settings)))
    return formats


def arango_connections(settings: StoresFields) -> tuple[Connection | None, Connection | None]:
    """Where the profiles and admin's own store are, each None when it is no ArangoDB. Raises EngineUnknown."""
    profiles = _arango(settings) if settings.store_url.startswith(ARANGO) else None
    admin = _admin_arango(settings) if settings.admin_url.startswith(ARANGO) else None
    return profiles, admin


def provision_databases(settings: StoresFields, root: tuple[str, str], copies: int) -> Sequence[Provided]:
    """Make the ArangoDB databases and users that the settings name; see ``adapters.arango.provision``.

    ``root``: name and password of a user who may. Raises EngineUnknown, also when no setting names an ArangoDB, and
    LeoError.
    """
    profiles, admin = arango_connections(settings)
    if profiles is None and admin is None:
        raise EngineUnknown(
            "Neither LEOCDP_STORE_URL nor LEOCDP_ADMIN_URL is of the form arangodb://user@host/database."
        )
    if profiles is not None and admin is not None and _two_passwords(profiles, admin):
        raise EngineUnknown(
            "LEOCDP_STORE_URL and LEOCDP_ADMIN_URL name the same user, with another password in LEOCDP_STORE_PASSWORD "
            "than in LEOCDP_ADMIN_STORE_PASSWORD."
        )
    from leocdp.adapters.arango.provision import provision

    return provision(profiles, admin, root, copies)


def _two_passwords(one: Connection, other: Connection) -> bool:
    return (one.hosts, one.user) == (other.hosts, other.user) and one.password != other.password


def _database_format(name: str, where: Connection) -> StoreFormat:
    from leocdp.adapters.arango.formats import database_format

    return database_format(name, where)


def _open_arango_store(settings: StoreWriterFields) -> ProfileStore:
    where = _arango(settings)
    from leocdp.adapters.arango.profile_store import ArangoProfileStore
    from leocdp.adapters.arango.profiles.commit import DAY_MS, Bounds

    return ArangoProfileStore(where, bounds=Bounds(horizon_ms=settings.dedup_horizon_days * DAY_MS))


def _arango(settings: StoreFields) -> Connection:
    given = (settings.store_url, settings.store_password, settings.store_password_file)
    return _arango_at(("LEOCDP_STORE_URL", "LEOCDP_STORE_PASSWORD"), given, settings)


def _admin_arango(settings: AdminFields) -> Connection:
    given = (settings.admin_url, settings.admin_store_password, settings.admin_store_password_file)
    return _arango_at(("LEOCDP_ADMIN_URL", "LEOCDP_ADMIN_STORE_PASSWORD"), given, settings)


def _arango_at(
    names: tuple[str, str],
    given: tuple[str, SecretStr | None, Path | None],
    settings: StoreFields | AdminFields,
) -> Connection:
    try:
        from leocdp.adapters.arango.connection import Names, connection
        from leocdp.adapters.arango.database import Database  # noqa: F401 - is the driver there?
    except ModuleNotFoundError as error:
        raise EngineUnknown(
            f"{names[0]} names ArangoDB, and its driver is not installed ({error.name} is missing): "
            "install leocdp[arango]."
        ) from error
    try:
        return connection(Names(*names), *given, settings)
    except ValueError as error:
        raise EngineUnknown(str(error)) from error


def _log_path(settings: LogFields) -> Path:
    try:
        return sqlite_path(settings.log_url, settings.data_dir / "log.db")
    except ValueError as error:
        raise EngineUnknown(f"LEOCDP_LOG_URL {error}, nor kafka://host:port.") from error


def _admin_path(settings: AdminFields) -> Path:
    try:
        return sqlite_path(settings.admin_url, settings.data_dir / "admin.db")
    except ValueError as error:
        raise EngineUnknown(f"LEOCDP_ADMIN_URL {error}, nor arangodb://user@host:port/database.") from error


def _store_path(settings: StoreFields) -> Path:
    try:
        return sqlite_path(settings.store_url, settings.data_dir / "profiles.db")
    except ValueError as error:
        raise EngineUnknown(f"LEOCDP_STORE_URL {error}, nor arangodb://user@host:port/database.") from error
