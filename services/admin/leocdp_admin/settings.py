"""All that can be set about the admin service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from leocdp.kit.settings import (
    AdminStoreSettings,
    ErasureSettings,
    LogSettings,
    ServiceSettings,
    StoreSettings,
    read_secret,
)
from leocdp_admin.application.health.readings import Service

SHORTEST_SECRET = 32


class AdminSettings(ServiceSettings, LogSettings, StoreSettings, AdminStoreSettings, ErasureSettings):
    admin_port: int = Field(default=8090, ge=0, le=65535, description="Port of the admin service, behind the gateway.")
    gateway_secret: SecretStr | None = Field(
        default=None,
        description="Secret that the gateway signs requests with, the same on both services; 32 characters or more.",
    )
    gateway_secret_file: Path | None = Field(default=None, description="File that holds the gateway's secret.")
    public_url: str = Field(
        default="",
        description="Address under which people reach the gateway, for links; default localhost and that port.",
    )
    gateway_port: int = Field(default=8000, ge=0, le=65535, description="Port of the gateway, for links and status.")
    observer_port: int = Field(default=8080, ge=0, le=65535, description="Port of the observer, for status.")
    processor_port: int = Field(default=8070, ge=0, le=65535, description="Port of the processor, for status.")
    collect_url: str = Field(
        default="",
        description="Address under which websites reach the observers, for snippets; default localhost and its port.",
    )
    status_observer_urls: str = Field(
        default="", description="Addresses of observers for the status, comma-separated; default the local one."
    )
    status_processor_urls: str = Field(
        default="", description="Addresses of processors for the status, comma-separated; default the local one."
    )
    status_gateway_urls: str = Field(
        default="", description="Addresses of gateways for the status, comma-separated; default the local one."
    )
    time_zone: str = Field(default="UTC", description="Time zone of the workspace until somebody sets it.")
    audit_days: int = Field(default=400, ge=1, description="How long the audit log is kept, in days.")
    print_login_link: bool = Field(
        default=False, description="Print the first-login link also when the output is no terminal."
    )
    login_link_file: Path | None = Field(
        default=None,
        description="File (mode 0600) that the first-login link is written to, for a supervisor that prints it.",
    )
    bootstrap_write_key: SecretStr | None = Field(
        default=None, description="Write key of the source `quickstart` (kind server), created once if absent."
    )
    admin_command_seconds: float = Field(
        default=5.0,
        ge=0,
        le=50,
        description="Seconds that a request waits for the processor to do what it asks; then it answers `pending`.",
    )
    bootstrap_write_key_file: Path | None = Field(default=None, description="File that holds that write key.")
    bootstrap_api_key: SecretStr | None = Field(
        default=None, description="An API key with every scope, created once if absent; 16 characters or more."
    )
    bootstrap_api_key_file: Path | None = Field(default=None, description="File that holds that API key.")
    bootstrap_admin_email: str = Field(default="", description="E-mail of the first owner, created once if absent.")
    bootstrap_admin_password: SecretStr | None = Field(
        default=None, description="Password of the first owner; 10 characters or more."
    )
    bootstrap_admin_password_file: Path | None = Field(default=None, description="File that holds that password.")

    @model_validator(mode="after")
    def _bootstrap_is_whole(self) -> Self:
        if bool(self.bootstrap_admin_email) != bool(self.admin_password()):
            raise ValueError(
                "LEOCDP_BOOTSTRAP_ADMIN_EMAIL and LEOCDP_BOOTSTRAP_ADMIN_PASSWORD go together: set both or neither."
            )
        return self

    def admin_password(self) -> str:
        return _text(self.bootstrap_admin_password, self.bootstrap_admin_password_file)

    def write_key(self) -> str:
        return _text(self.bootstrap_write_key, self.bootstrap_write_key_file)

    def api_key(self) -> str:
        return _text(self.bootstrap_api_key, self.bootstrap_api_key_file)

    def signing_secret(self) -> bytes:
        """Raises ValueError with a sentence when there is none, or too short a one."""
        secret = _text(self.gateway_secret, self.gateway_secret_file)
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(
                f"LEOCDP_GATEWAY_SECRET (or LEOCDP_GATEWAY_SECRET_FILE) must be {SHORTEST_SECRET} characters or more, "
                "the same for admin and gateway. `openssl rand -hex 32` makes one."
            )
        return secret.encode()

    def public_address(self) -> str:
        return (self.public_url or f"http://localhost:{self.gateway_port}").rstrip("/")

    def collect_address(self) -> str:
        return (self.collect_url or f"http://localhost:{self.observer_port}").rstrip("/")

    def status_urls(self) -> list[tuple[Service, str]]:
        """(service, address), in the order of the status page."""
        groups: Sequence[tuple[Service, str, int]] = (
            ("observer", self.status_observer_urls, self.observer_port),
            ("processor", self.status_processor_urls, self.processor_port),
            ("gateway", self.status_gateway_urls, self.gateway_port),
        )
        return [
            (name, address)
            for name, given, port in groups
            for address in (_listed(given) or [f"http://127.0.0.1:{port}"])
        ]


def _text(value: SecretStr | None, file: Path | None) -> str:
    secret = read_secret(value, file)
    return secret.get_secret_value() if secret else ""


def _listed(text: str) -> list[str]:
    return [part.strip().rstrip("/") for part in text.split(",") if part.strip()]
