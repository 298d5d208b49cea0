"""Blocks that the settings of the services are composed of. Built once, in each service's ``environment.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from leocdp.domain.privacy.ledger import ErasureKey

_CONFIG = SettingsConfigDict(env_prefix="LEOCDP_", frozen=True, extra="ignore")
"""Stands in every block: of a class with several bases the last one's configuration wins."""


class ServiceSettings(BaseSettings):
    """What every service has. Read from the environment with the prefix ``LEOCDP_``; frozen."""

    model_config = _CONFIG

    data_dir: Path = Field(default=Path("var"), description="Folder of the embedded engine's files.")
    host: str = Field(default="127.0.0.1", description="Address that the service listens on.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level logged.")
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="`json`, `console`, or `auto`: console on a terminal, JSON elsewhere."
    )
    instance: str = Field(default="", description="Name of this instance in logs and status; default host and pid.")
    shutdown_grace: float = Field(default=20.0, gt=0, description="Seconds that a stop may take before it is forced.")


def read_secret(value: SecretStr | None, file: Path | None) -> SecretStr | None:
    """The secret itself, or what stands in its ``…_FILE`` (the last line break does not count)."""
    if file is not None:
        return SecretStr(file.read_text(encoding="utf-8").removesuffix("\n"))
    return value


class LogSettings(BaseSettings):
    """Where the event log is."""

    model_config = _CONFIG

    log_url: str = Field(
        default="",
        description="`sqlite:///path` or `kafka://[user@]host:port,…[/namespace]`; default `log.db` in the data "
        "folder.",
    )
    log_password: SecretStr | None = Field(default=None, description="Password for the log, if it wants one.")
    log_password_file: Path | None = Field(default=None, description="File that holds the log's password.")
    log_create_topics: bool = Field(default=True, description="Create missing topics from the topic table at start.")
    log_replication: int = Field(
        default=0,
        ge=0,
        le=9,
        description="Copies of each topic that is created in Kafka; 0: three where there are three brokers, else one.",
    )
    log_disk_gib: float = Field(
        default=0,
        ge=0,
        description="GiB that the log may fill on the disk of each broker; topics keep less where their sizes in the "
        "topic table need more. 0: what the table says (35).",
    )
    log_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How a user of the URL logs in to Kafka."
    )
    log_tls: bool = Field(default=False, description="Connect to Kafka by TLS.")
    log_tls_ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) that the brokers' are signed with; default those of the system."
    )
    log_tls_cert_file: Path | None = Field(default=None, description="Our own certificate (PEM), if Kafka wants one.")
    log_tls_key_file: Path | None = Field(
        default=None, description="Key of our own certificate, if it stands in a file of its own."
    )
    log_timeout: float = Field(
        default=15.0, gt=0, description="Seconds until an append that Kafka has not acknowledged counts as failed."
    )
    log_member: str = Field(
        default="",
        description="Name of this processor in its consumer group that stays the same over a restart, such as the name "
        "of its pod: a restart within the session time then moves no partitions (static membership).",
    )
    log_session_timeout: float = Field(
        default=15.0,
        ge=6,
        le=1_800,
        description="Seconds without a sign of life until Kafka gives a processor's partitions to others.",
    )


class StoreSettings(BaseSettings):
    """Where the profile store is."""

    model_config = _CONFIG

    store_url: str = Field(
        default="",
        description="`sqlite:///path` or `arangodb://user@host:port,…/db`; default `profiles.db` in the data folder.",
    )
    store_password: SecretStr | None = Field(default=None, description="Password for the store, if it wants one.")
    store_password_file: Path | None = Field(default=None, description="File that holds the store's password.")
    store_cache_mb: int = Field(
        default=256,
        ge=8,
        description="Page cache of the embedded store in the processor, in MiB; each reader of admin takes an eighth.",
    )
    store_tls: bool = Field(default=False, description="Connect to ArangoDB by TLS.")
    store_tls_ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) that ArangoDB's are signed with; default those of the system."
    )
    store_timeout: float = Field(
        default=30.0, gt=0, description="Seconds until a request that ArangoDB has not answered counts as failed."
    )


class AdminStoreSettings(BaseSettings):
    """Where admin's own store is. ArangoDB is connected to like that of the profile store (``store_tls`` …)."""

    model_config = _CONFIG

    admin_url: str = Field(
        default="",
        description="Admin's own store: `sqlite:///path` or `arangodb://user@host:port,…/db`; default `admin.db` in "
        "the data folder.",
    )
    admin_store_password: SecretStr | None = Field(
        default=None, description="Password for admin's store, if it wants one."
    )
    admin_store_password_file: Path | None = Field(
        default=None, description="File that holds the password of admin's store."
    )


class ErasureSettings(BaseSettings):
    """What erasures are remembered with; the same for processors and admin."""

    model_config = _CONFIG

    erasure_key: SecretStr | None = Field(
        default=None,
        description="Secret that identifiers of erased people are hashed with, the same on processors and admin; 32 "
        "characters or more. Keep it for as long as the installation lives.",
    )
    erasure_key_file: Path | None = Field(default=None, description="File that holds the erasure key.")
    backup_retention_days: int = Field(
        default=30,
        ge=0,
        description="How long your backups are kept, in days: receipts of erasures name the day when the last copy is "
        "gone.",
    )

    def hashing_key(self) -> ErasureKey | None:
        """None when none is set. Raises ValueError with a sentence for one that is too short."""
        secret = read_secret(self.erasure_key, self.erasure_key_file)
        try:
            return None if secret is None else ErasureKey(secret.get_secret_value().encode())
        except ValueError as error:
            raise ValueError(f"LEOCDP_ERASURE_KEY {error}. `openssl rand -hex 32` makes one.") from error


def sqlite_path(url: str, default: Path) -> Path:
    """The file of a ``sqlite:///relative`` or ``sqlite:////absolute`` URL; ``default`` for an empty one.

    Raises:
        ValueError: another scheme.
    """
    if not url:
        return default
    prefix = "sqlite:///"
    if not url.startswith(prefix) or len(url) == len(prefix):
        raise ValueError(f"{url!r} is not of the form sqlite:///path")
    return Path(url.removeprefix(prefix))
