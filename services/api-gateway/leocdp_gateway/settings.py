"""All that can be set about the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

from pydantic import Field, SecretStr, model_validator

from leocdp.kit.clients import Clients
from leocdp.kit.settings import ServiceSettings, read_secret

SHORTEST_SECRET: Final = 32


class GatewaySettings(ServiceSettings):
    gateway_port: int = Field(
        default=8000, ge=0, le=65535, description="Port of the gateway: user interface and API in one place."
    )
    admin_port: int = Field(default=8090, ge=0, le=65535, description="Port of an admin service on the same machine.")
    gateway_admin_url: str = Field(
        default="", description="Address of the admin service, such as `http://admin:8090`; default the local one."
    )
    gateway_secret: SecretStr | None = Field(
        default=None,
        description="Secret that requests to admin are signed with, the same on both services; 32 characters or more.",
    )
    gateway_secret_file: Path | None = Field(default=None, description="File that holds the gateway's secret.")
    gateway_rate_limit: int = Field(default=1_000, ge=0, description="Requests per second and API key; 0 is no limit.")
    gateway_failure_limit: int = Field(
        default=20, ge=0, description="Wrong API keys per minute and client address; 0 is no limit."
    )
    gateway_key_seconds: float = Field(
        default=30.0, ge=0, description="Seconds until a revoked API key is refused by each gateway; 0 asks every time."
    )
    gateway_trusted_proxies: str = Field(
        default="", description="Networks of proxies whose X-Forwarded headers are believed, such as `10.0.0.0/8`."
    )
    gateway_max_body: int = Field(default=64 << 20, ge=0, description="Largest request body, in bytes.")
    gateway_body_timeout: float = Field(
        default=30.0, gt=0, description="Seconds that a client may take for the next part of a request's body."
    )
    gateway_head_timeout: float = Field(
        default=20.0, gt=0, description="Seconds that a client may take to send a request's headers."
    )
    gateway_answer_timeout: float = Field(
        default=60.0, gt=0, description="Seconds that admin may take until its answer begins."
    )
    gateway_idle_timeout: float = Field(
        default=300.0, gt=0, description="Seconds between two parts of an answer that is a stream."
    )
    gateway_max_connections: int = Field(default=1_000, ge=1, description="Connections to admin at the same time.")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            Clients(self.gateway_trusted_proxies)
        except ValueError as error:
            raise ValueError(f"LEOCDP_GATEWAY_TRUSTED_PROXIES: {error}.") from error
        if self.gateway_admin_url and not self.gateway_admin_url.startswith(("http://", "https://")):
            raise ValueError("LEOCDP_GATEWAY_ADMIN_URL must begin with http:// or https://.")
        return self

    def signing_secret(self) -> bytes:
        """Raises ValueError with a sentence when there is none, or too short a one."""
        secret = read_secret(self.gateway_secret, self.gateway_secret_file)
        text = secret.get_secret_value() if secret else ""
        if len(text) < SHORTEST_SECRET:
            raise ValueError(
                f"LEOCDP_GATEWAY_SECRET (or LEOCDP_GATEWAY_SECRET_FILE) must be {SHORTEST_SECRET} characters or more, "
                "the same for admin and gateway. `openssl rand -hex 32` makes one."
            )
        return text.encode()

    def admin_address(self) -> str:
        return (self.gateway_admin_url or f"http://127.0.0.1:{self.admin_port}").rstrip("/")
